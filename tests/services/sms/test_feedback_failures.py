"""When the provider, the ledger or the account fails while what comes back is read: nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from loan_reminders.domain.errors import (
    LedgerRefusal,
    LedgerUnavailable,
    SmsAccountRejected,
    SmsAnswerUnreadable,
    SmsGatewayUnavailable,
)
from loan_reminders.domain.sms.feedback import AckStatus, SmsAck, SmsReply
from loan_reminders.domain.states import DeliveryState
from loan_reminders.gateways.sms.allmysms import AllMySmsAccount, AllMySmsGateway
from loan_reminders.services.sms import feedback as sms_feedback
from loan_reminders.services.sms.feedback import read_receipts, read_replies
from tests.scenes.sms_return import NUMBER, in_force, receipts, replies, send, sms_states
from tests.scenes.world import loan
from tests.simulators.allmysms_server import Fault

S = DeliveryState


@pytest.mark.parametrize(("question", "more"), [(read_receipts, {"now": datetime.now(UTC)}), (read_replies, {})])
def test_a_wrong_key_is_told_and_loses_nothing(world, question, more):
    send(world, loan(1))
    world.sms.provider.reply(NUMBER, "STOP")
    world.sms.provider.api_key = "changed at the provider"
    login = world.sms.provider.login
    ours = AllMySmsAccount(base_url=world.sms.base_url, login=login, api_key="old", login_in_clear=True)
    gateway = AllMySmsGateway(ours, sender="", campaign="", read_timeout_s=2)
    with pytest.raises(SmsAccountRejected):
        question(world.ledger.feedback(), gateway, failures=2, **more)
    assert replies(world)["stops"] == 1


@pytest.mark.parametrize("fault", [Fault.HTTP_503_HTML, Fault.TRUNCATED_JSON, Fault.EMPTY_BODY])
def test_an_answer_that_says_nothing_is_tried_again_later(world, fault):
    run_id = send(world, loan(1))
    world.sms.fail_next(fault)
    with pytest.raises((SmsGatewayUnavailable, SmsAnswerUnreadable)):
        receipts(world)
    receipts(world), receipts(world)
    assert sms_states(world, run_id) == {S.DELIVERED: 1}


class Scripted:
    """A provider whose answers are listed: values, or errors to raise."""

    def __init__(self, **answers: list) -> None:
        self.answers, self.closed, self.asked = answers, False, []

    def _next(self, name: str):
        said = self.answers[name].pop(0)
        if isinstance(said, Exception):
            raise said
        return said

    def acknowledgements(self, campaign_id: str) -> Sequence[SmsAck]:
        self.asked.append(campaign_id)
        return self._next("acks")

    def replies(self) -> Sequence[SmsReply]:
        return self._next("replies")

    def close(self) -> None:
        self.closed = True


class Watched:
    """A ledger's feedback that fails to keep replies some times."""

    def __init__(self, feedback, failures: int) -> None:
        self.feedback, self.failures = feedback, failures

    def keep_replies(self, came):
        if self.failures:
            self.failures -= 1
            raise LedgerUnavailable(LedgerRefusal.NO_ANSWER, words="restarting")
        return self.feedback.keep_replies(came)

    def put_aside(self):
        return self.feedback.put_aside()

    def settle(self, **how):
        return self.feedback.settle(**how)


def two_campaigns(world):
    run_id = world.begin(loan(1), loan(2))
    world.send_sms(run_id, at_once=1)
    return run_id


def test_one_campaign_that_cannot_be_read_does_not_lose_the_other(world, caplog):
    run_id = two_campaigns(world)
    campaigns = {sms.campaign_id: sms.phone_number for sms in world.sms.provider.accepted}
    _, second = sorted(campaigns)
    found = [
        SmsAck(
            phone_number=campaigns[second],
            status=AckStatus.DELIVERED,
            comment="",
            received_at=None,
            campaign_id=second,
        )
    ]
    provider = Scripted(acks=[SmsAnswerUnreadable("nothing readable"), found])
    counts = read_receipts(world.ledger.feedback(), provider, now=datetime.now(UTC), failures=2)
    assert (counts["campaigns"], counts["moved"], provider.closed) == (1, 1, True)
    assert "sans accusés lisibles" in caplog.text
    assert sms_states(world, run_id) == {S.ACCEPTED: 1, S.DELIVERED: 1}


def test_a_provider_that_is_down_is_not_asked_about_every_campaign(world):
    two_campaigns(world)
    provider = Scripted(acks=[SmsGatewayUnavailable("down")])
    with pytest.raises(SmsGatewayUnavailable):
        read_receipts(world.ledger.feedback(), provider, now=datetime.now(UTC), failures=2)
    assert len(provider.asked) == 1


def test_each_lot_of_replies_is_kept_before_the_next_is_asked_for(world):
    lots = [[SmsReply(reply_id="1", phone_number=NUMBER, text="STOP", received_at=None)], SmsGatewayUnavailable("down")]
    with pytest.raises(SmsGatewayUnavailable):
        read_replies(world.ledger.feedback(), Scripted(replies=lots), failures=2)
    assert in_force(world) == {NUMBER: "stop"}


@pytest.mark.parametrize(("failures", "kept"), [(1, True), (3, True), (4, False)])
def test_replies_that_will_not_be_given_again_are_held_while_the_ledger_restarts(world, monkeypatch, failures, kept):
    pauses: list[float] = []
    monkeypatch.setattr(sms_feedback.time, "sleep", pauses.append)
    lots = [[SmsReply(reply_id="1", phone_number=NUMBER, text="STOP", received_at=None)], []]
    feedback = Watched(world.ledger.feedback(), failures)
    if kept:
        assert read_replies(feedback, Scripted(replies=lots), failures=2) == {"replies": 1, "stops": 1}
    else:
        with pytest.raises(LedgerUnavailable):
            read_replies(feedback, Scripted(replies=lots), failures=2)
    assert pauses == list(sms_feedback.PAUSES[:failures])


@pytest.mark.parametrize("operator", ["ReadReceipts", "ReadReplies", "ReadBlacklist"])
def test_the_operators_ask_the_provider_of_their_connection(
    world, monkeypatch, postgres_server, ledger_database, operator
):
    from loan_reminders import operators

    send(world, loan(1))
    world.sms.provider.reply(NUMBER, "STOP")
    port = int(world.sms.base_url.rpartition(":")[2])
    sms = {"conn_type": "http", "host": "127.0.0.1", "port": port, "schema": "http", "extra": {"login_in_clear": True}}
    sms |= {"login": world.sms.provider.login, "password": world.sms.provider.api_key}
    books = {"conn_type": "postgres", "login": "postgres", "schema": ledger_database}
    books |= {"extra": {"host": str(postgres_server.socket_folder)}}
    monkeypatch.setenv("AIRFLOW_CONN_ALLMYSMS", json.dumps(sms))
    monkeypatch.setenv("AIRFLOW_CONN_REMINDERS_LEDGER", json.dumps(books))
    counts = getattr(operators, operator)(task_id="ask").execute({})
    assert all(isinstance(value, int) for value in counts.values())
    assert sum(counts.values()) == (2 if operator != "ReadReceipts" else 0)


def test_an_operator_of_a_provider_that_refuses_the_key_fails_at_once(
    world, monkeypatch, postgres_server, ledger_database
):
    from airflow.sdk.exceptions import AirflowFailException

    from loan_reminders.operators import ReadBlacklist

    sms = {"conn_type": "http", "host": world.sms.base_url, "login": "x", "password": "wrong"}
    sms |= {"extra": {"login_in_clear": "true"}}
    books = {"conn_type": "postgres", "login": "postgres", "schema": ledger_database}
    books |= {"extra": {"host": str(postgres_server.socket_folder)}}
    monkeypatch.setenv("AIRFLOW_CONN_ALLMYSMS", json.dumps(sms))
    monkeypatch.setenv("AIRFLOW_CONN_REMINDERS_LEDGER", json.dumps(books))
    with pytest.raises(AirflowFailException, match="allmysms"):
        ReadBlacklist(task_id="ask").execute({})
