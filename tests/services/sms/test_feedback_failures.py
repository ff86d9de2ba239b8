"""When the provider, the ledger or the account fails while what comes back is read: nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

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
from loan_reminders.french.desk import LOST_REPLIES
from loan_reminders.gateways.sms.allmysms import AllMySmsAccount, AllMySmsGateway
from loan_reminders.services.sms import feedback as sms_feedback
from loan_reminders.services.sms.feedback import read_receipts, read_replies
from loan_reminders.settings.library_toml import ROOT, settings
from tests.scenes.ledger_runs import rows
from tests.scenes.sms_return import NUMBER, in_force, receipts, replies, send, sms_states
from tests.scenes.world import loan
from tests.simulators.allmysms_server import Fault

S = DeliveryState
NOW = datetime.now(UTC)
FIRST_TRY = {"ti": SimpleNamespace(try_number=1, max_tries=2)}


@pytest.mark.parametrize("question", [read_receipts, read_replies])
def test_a_wrong_key_is_told_and_loses_nothing(world, question):
    send(world, loan(1))
    world.sms.provider.reply(NUMBER, "STOP")
    world.sms.provider.api_key = "changed at the provider"
    login = world.sms.provider.login
    ours = AllMySmsAccount(base_url=world.sms.base_url, login=login, api_key="old", login_in_clear=True)
    gateway = AllMySmsGateway(ours, sender="", campaign="", read_timeout_s=2)
    with pytest.raises(SmsAccountRejected):
        question(world.ledger.feedback(), gateway, now=NOW, failures=2)
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
    counts = read_receipts(world.ledger.feedback(), provider, now=NOW, failures=2)
    assert (counts["campaigns"], counts["moved"], provider.closed) == (1, 1, True)
    assert "sans accusés lisibles" in caplog.text
    assert sms_states(world, run_id) == {S.ACCEPTED: 1, S.DELIVERED: 1}


def test_a_provider_that_is_down_is_not_asked_about_every_campaign(world):
    two_campaigns(world)
    provider = Scripted(acks=[SmsGatewayUnavailable("down")])
    with pytest.raises(SmsGatewayUnavailable):
        read_receipts(world.ledger.feedback(), provider, now=NOW, failures=2)
    assert len(provider.asked) == 1


def test_each_lot_of_replies_is_kept_before_the_next_is_asked_for(world):
    lots = [[SmsReply(reply_id="1", phone_number=NUMBER, text="STOP", received_at=None)], SmsGatewayUnavailable("down")]
    with pytest.raises(SmsGatewayUnavailable):
        read_replies(world.ledger.feedback(), Scripted(replies=lots), now=NOW, failures=2)
    assert in_force(world) == {NUMBER: "stop"}


@pytest.mark.parametrize(
    "fault",
    [Fault.SILENCE_AFTER_ACCEPTING, Fault.CUT_AFTER_ACCEPTING, Fault.HTTP_500_AFTER_ACCEPTING, Fault.EMPTY_BODY],
)
def test_replies_whose_only_answer_was_lost_are_asked_of_their_campaigns(world, fault):
    send(world, loan(1), loan(2))
    receipts(world), receipts(world)
    world.sms.provider.reply(NUMBER, "J'ai rendu le livre hier")
    world.sms.provider.reply("33639980002", "STOP")
    world.sms.fail_next(fault, asking="getPulls")
    assert replies(world) == {"replies": 2, "stops": 1}
    assert kept(world) == ["J'ai rendu le livre hier", "STOP"]
    assert replies(world, tried_before=True) == {"replies": 0, "stops": 0}


def test_an_answer_cut_short_may_have_held_more_replies(world):
    send(world, loan(1), loan(2))
    world.sms.provider.reply(NUMBER, "J'ai rendu le livre hier")
    world.sms.provider.reply("33639980002", "Merci")
    world.sms.fail_next(Fault.SHORT_BODY, asking="getPulls")
    replies(world)
    assert {"J'ai rendu le livre hier", "Merci"} <= set(kept(world))


def test_replies_lost_with_all_the_provider_says_are_asked_for_by_the_next_try_and_told_to_the_desk_by_the_last(world):
    send(world, loan(1))
    world.sms.provider.reply(NUMBER, "J'ai rendu le livre hier")
    for last_try in (False, True):
        world.sms.fail_next(Fault.CUT_AFTER_ACCEPTING, asking="getPulls")
        world.sms.fail_next(Fault.HTTP_503_HTML, asking="getPull/")
        with pytest.raises(SmsGatewayUnavailable):
            replies(world, last_try=last_try)
        assert [said for (said,) in rows(world.ledger, "SELECT said FROM put_aside")] == [LOST_REPLIES] * last_try
    assert replies(world) == {"replies": 0, "stops": 0}
    assert replies(world, tried_before=True) == {"replies": 1, "stops": 0}
    assert kept(world) == ["J'ai rendu le livre hier"]


def test_a_provider_that_cannot_be_reached_has_lost_nothing(world):
    provider = Scripted(replies=[SmsGatewayUnavailable("down")])
    with pytest.raises(SmsGatewayUnavailable):
        read_replies(world.ledger.feedback(), provider, now=NOW, failures=2)
    assert rows(world.ledger, "SELECT said FROM put_aside") == []


def kept(world):
    """The replies in the ledger."""
    return [text for (text,) in rows(world.ledger, "SELECT text FROM sms_replies ORDER BY text")]


@pytest.mark.parametrize(("failures", "kept"), [(1, True), (3, True), (4, False)])
def test_replies_that_will_not_be_given_again_are_held_while_the_ledger_restarts(world, monkeypatch, failures, kept):
    pauses: list[float] = []
    monkeypatch.setattr(sms_feedback.time, "sleep", pauses.append)
    lots = [[SmsReply(reply_id="1", phone_number=NUMBER, text="STOP", received_at=None)], []]
    feedback = Watched(world.ledger.feedback(), failures)
    if kept:
        assert read_replies(feedback, Scripted(replies=lots), now=NOW, failures=2) == {"replies": 1, "stops": 1}
    else:
        with pytest.raises(LedgerUnavailable):
            read_replies(feedback, Scripted(replies=lots), now=NOW, failures=2)
    assert pauses == list(sms_feedback.PAUSES[:failures])


def connected(world, monkeypatch, postgres_server, ledger_database):
    """Airflow's connections to the provider and to the ledger."""
    port = int(world.sms.base_url.rpartition(":")[2])
    sms = {"conn_type": "http", "host": "127.0.0.1", "port": port, "schema": "http", "extra": {"login_in_clear": True}}
    sms |= {"login": world.sms.provider.login, "password": world.sms.provider.api_key}
    books = {"conn_type": "postgres", "login": "postgres", "schema": ledger_database}
    books |= {"extra": {"host": str(postgres_server.socket_folder)}}
    monkeypatch.setenv("AIRFLOW_CONN_ALLMYSMS", json.dumps(sms))
    monkeypatch.setenv("AIRFLOW_CONN_REMINDERS_LEDGER", json.dumps(books))


def test_the_dates_of_the_provider_are_of_the_zone_that_the_settings_say(
    world, monkeypatch, postgres_server, ledger_database, tmp_path
):
    from loan_reminders.hooks.sms_callback import read_callback
    from loan_reminders.operators import ReadReplies

    usual = (ROOT / "library.toml").read_text(encoding="utf-8")
    config = tmp_path / "library.toml"
    config.write_text(usual.replace('provider_zone = "Europe/Paris"', 'provider_zone = "Pacific/Noumea"'))
    monkeypatch.setenv("REMINDERS_CONFIG", str(config))
    settings.cache_clear()
    world.sms.provider.zone = ZoneInfo("Pacific/Noumea")
    said = world.sms.provider.reply(NUMBER, "STOP")
    connected(world, monkeypatch, postgres_server, ledger_database)
    ReadReplies(task_id="ask").execute(FIRST_TRY)
    pushed = read_callback(said, now=datetime.now(UTC))
    settings.cache_clear()
    [(received_at,)] = rows(world.ledger, "SELECT received_at FROM sms_replies")
    assert abs(datetime.now(UTC) - received_at) < timedelta(minutes=5)
    assert pushed.received_at == received_at


@pytest.mark.parametrize("operator", ["ReadReceipts", "ReadReplies", "ReadBlacklist"])
def test_the_operators_ask_the_provider_of_their_connection(
    world, monkeypatch, postgres_server, ledger_database, operator
):
    from loan_reminders import operators

    send(world, loan(1))
    world.sms.provider.reply(NUMBER, "STOP")
    connected(world, monkeypatch, postgres_server, ledger_database)
    counts = getattr(operators, operator)(task_id="ask").execute(FIRST_TRY)
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
