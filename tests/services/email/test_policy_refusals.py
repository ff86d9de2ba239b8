"""E-mails when the server refuses everybody, when it ends a connection, and what becomes of the return path."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from loan_reminders.domain.email.share import Share
from loan_reminders.domain.errors import DeliveriesDeferred, MailRelayRejected, MailRelayUnavailable
from loan_reminders.gateways.email.mail_relay import Backoff
from tests.scenes.builders import an_email
from tests.scenes.world import loan, reader
from tests.simulators.postfix import MISSING, Postfix, available
from tests.simulators.smtp_sink import Faults


def readers(count, *, domains=1):
    return [
        loan(number, patron=reader(number, email=an_email(f"l{number}@d{number % domains}.example.org")))
        for number in range(count)
    ]


def asked(world, query):
    with world.ledger.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def states(world):
    return asked(world, "SELECT state, reason, raw FROM deliveries WHERE channel = 'email'")


@pytest.mark.parametrize(("domains", "most"), [(40, 12), (1, 18)])
def test_a_server_that_refuses_everybody_stops_the_run_and_nobody_is_taken_for_dead(world, domains, most):
    world.mail.faults = Faults(rcpt="550 5.7.1 l1@d1.example.org: your network is banned")
    run_id = world.begin(*readers(60, domains=domains))
    with pytest.raises(MailRelayRejected, match=r"à tous .*550 5\.7\.1 .*banned.*Prévenir l'administrateur") as caught:
        world.send_emails(run_id)
    assert "@" not in str(caught.value)
    found = states(world)
    assert {state for state, _, _ in found} == {"planned"}
    tried = [raw for _, reason, raw in found if reason == "recipient_refused"]
    assert 3 <= len(tried) <= most
    assert all(raw.startswith("550 5.7.1") for raw in tried)
    world.mail.faults = Faults()
    assert world.send_emails(run_id) == {"accepted": 60}


@pytest.mark.skipif(not available(), reason=MISSING)
def test_a_real_postfix_that_refuses_everybody_stops_the_run(world):
    with tempfile.TemporaryDirectory(prefix="postfix-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        with Postfix(Path(folder) / "all", smtpd_client_restrictions="reject") as running:
            run_id = world.begin(*readers(60))
            with pytest.raises(MailRelayRejected, match=r"à tous .*554 5\.7\.1"):
                replace(world, mail=running).send_emails(run_id)
    found = states(world)
    assert {state for state, _, _ in found} == {"planned"}
    assert 10 <= sum(reason == "recipient_refused" for _, reason, _ in found) <= 18
    assert world.send_emails(run_id) == {"accepted": 60}


def test_one_reader_refused_for_policy_among_many_is_refused_for_good(world):
    world.mail.faults = Faults(refuse="TO:<l3@", refusal="550 5.7.1 this list is moderated")
    run_id = world.begin(*readers(30))
    try:
        assert world.send_emails(run_id) == {"accepted": 29, "refused": 1}
    except DeliveriesDeferred:  # it was the last one: nothing accepted after it told what it was
        assert [state for state, _, _ in states(world) if state != "accepted"] == ["planned"]
        return
    assert [raw for state, _, raw in states(world) if state == "refused"] == ["550 5.7.1 this list is moderated"]


def test_two_refused_for_policy_and_nobody_else_wait_then_are_given_up_without_being_dead(world):
    world.mail.faults = Faults(rcpt="550 5.7.1 no")
    run_id = world.begin(*readers(2))
    with pytest.raises(DeliveriesDeferred):
        world.send_emails(run_id)
    world.send_emails(run_id, last_try=True)
    assert {(state, reason) for state, reason, _ in states(world)} == {("failed", "retries_exhausted")}


def test_a_server_that_ends_each_connection_after_a_few_messages_gets_each_once(world):
    world.mail.faults = Faults(close_after=3)
    run_id = world.begin(*readers(50))
    assert world.send_emails(run_id) == {"accepted": 50}
    assert len(world.mailed_to()) == len(set(world.mailed_to())) == 50
    assert world.mail.connections >= 50 // 3


def test_a_server_that_serves_one_connection_only_is_sent_everything_over_it(world):
    world.mail.faults = Faults(at_once=1)
    run_id = world.begin(*readers(40))
    assert world.send_emails(run_id, backoff=Backoff(pauses=())) == {"accepted": 40}
    assert len(set(world.mailed_to())) == 40


def test_a_server_that_never_serves_leaves_everything_for_later(world):
    world.mail.faults = Faults(mail="421 4.3.2 not now")
    run_id = world.begin(*readers(20))
    with pytest.raises(MailRelayUnavailable, match="demande d'attendre"):
        world.send_emails(run_id, backoff=Backoff(pauses=()))
    assert {(state, reason) for state, reason, _ in states(world)} <= {("planned", None), ("planned", "not_sent")}
    world.mail.faults = Faults()
    assert world.send_emails(run_id) == {"accepted": 20}


def test_each_message_has_its_own_return_path_and_its_words_are_kept(world):
    run_id = world.begin(*readers(3))
    world.send_emails(run_id, bounce_address="retours@bu.example.org")
    ids = {
        str(row[0]).replace("-", "")
        for row in asked(world, "SELECT delivery_id FROM deliveries WHERE channel = 'email'")
    }
    assert set(world.mail.senders) == {f"retours+{one}@bu.example.org" for one in ids}
    assert (
        len(asked(world, "SELECT 1 FROM sent_words JOIN deliveries USING (delivery_id) WHERE channel = 'email'")) == 3
    )


def test_no_more_is_claimed_than_two_a_connection(world, monkeypatch):
    from loan_reminders.ledger.sender import PostgresSender

    most, run_id = [0], world.begin(*readers(30))
    claim = PostgresSender.record_and_claim

    def counted(self, *given, **named):
        claimed = claim(self, *given, **named)
        held = asked(world, "SELECT count(*) FROM deliveries WHERE state = 'claimed'")[0][0]
        most.append(held)
        return claimed

    monkeypatch.setattr(PostgresSender, "record_and_claim", counted)
    assert world.send_emails(run_id, connections=2) == {"accepted": 30}
    assert max(most) == 4


@pytest.mark.parametrize(
    ("step", "answer"),
    [
        ("rcpt", "550 5.4.5 daily sending limit exceeded"),
        ("rcpt", "550 5.1.1 user unknown"),
        ("data", "552 limit reached"),
        ("content", "554 5.6.0 no"),
    ],
)
def test_whatever_the_code_a_server_that_refuses_all_domains_stops_the_run(world, step, answer):
    world.mail.faults = Faults(**{step: answer})
    run_id = world.begin(*readers(40, domains=12))
    with pytest.raises(MailRelayRejected, match="à tous"):
        world.send_emails(run_id)
    found = states(world)
    assert {state for state, _, _ in found} == {"planned"}
    assert sum(raw.startswith(answer[:3]) for _, _, raw in found) <= 16
    assert asked(world, "SELECT * FROM suppressions") == []
    world.mail.faults = Faults()
    assert world.send_emails(run_id) == {"accepted": 40}


@pytest.mark.parametrize(
    ("answer", "count", "domains"),
    [
        ("550 5.4.5 daily sending limit exceeded", 3, 1),
        ("550 5.1.1 user unknown", 6, 1),
    ],
)
def test_a_short_run_in_which_nobody_is_served_is_stopped_at_its_end(world, answer, count, domains):
    world.mail.faults = Faults(rcpt=answer)
    run_id = world.begin(*readers(count, domains=domains))
    for last_try in (False, True):
        with pytest.raises(MailRelayRejected, match="à tous"):
            world.send_emails(run_id, last_try=last_try)
    assert {state for state, _, _ in states(world)} == {"planned"}


def test_a_quota_reached_on_the_way_refuses_nobody(world):
    """Forty are served, then the day's quota is reached: those before stay accepted, those after stay planned."""
    world.mail.faults = Faults(refuse=r"TO:<l[3-9]\d@", refusal="550 5.4.5 daily sending limit exceeded")
    run_id = world.begin(*readers(60, domains=12))
    with suppress(MailRelayRejected, DeliveriesDeferred):
        world.send_emails(run_id)
    assert {state for state, _, _ in states(world)} <= {"planned", "accepted"}
    with pytest.raises(MailRelayRejected):
        world.send_emails(run_id, last_try=True)
    assert {state for state, _, _ in states(world)} <= {"planned", "accepted"}
    world.mail.faults = Faults()
    world.send_emails(run_id)
    assert len(set(world.mailed_to())) == len(world.mailed_to()) == 60


def test_put_off_for_our_own_quota_to_the_last_try_is_given_up_for_nobody(world):
    world.mail.faults = Faults(rcpt="452 4.5.3 sending quota of your account reached")
    run_id = world.begin(*readers(5))
    with pytest.raises(DeliveriesDeferred):
        world.send_emails(run_id)
    with pytest.raises(MailRelayRejected, match="à tous"):
        world.send_emails(run_id, last_try=True)
    assert {state for state, _, _ in states(world)} == {"planned"}


LATER = "451 4.3.0 <lecteur@d.example.org>: Temporary lookup failure"


@pytest.mark.parametrize(("count", "domains"), [(10, 1), (3, 3)])
def test_a_server_that_says_later_to_everybody_is_given_up_for_nobody(world, count, domains):
    world.mail.faults = Faults(rcpt=LATER)
    run_id = world.begin(*readers(count, domains=domains))
    with pytest.raises(DeliveriesDeferred):
        world.send_emails(run_id)
    with pytest.raises(MailRelayUnavailable, match=rf"à tous .*{count} e-mails.*451 4\.3\.0 .*Prévenir") as caught:
        world.send_emails(run_id, last_try=True)
    assert "@" not in str(caught.value)
    assert {(state, reason) for state, reason, _ in states(world)} == {("planned", "recipient_deferred")}
    world.mail.faults = Faults()
    assert world.send_emails(run_id) == {"accepted": count}


def test_a_server_that_says_later_to_all_from_some_moment_on_is_given_up_for_nobody(world):
    run_id = world.begin(*readers(60, domains=3))
    served = world.send_emails(run_id, share=Share(number=1, of=2))["accepted"]
    world.mail.faults = Faults(rcpt=LATER)
    with pytest.raises(DeliveriesDeferred):
        world.send_emails(run_id)
    with pytest.raises(MailRelayUnavailable):
        world.send_emails(run_id, last_try=True)
    assert sorted(state for state, _, _ in states(world)) == ["accepted"] * served + ["planned"] * (60 - served)


@pytest.mark.parametrize("served", [True, False])
def test_those_put_off_one_by_one_are_given_up_after_the_last_try(world, served):
    """Many among others who are served, or a few alone."""
    put_off = 12 if served else 9
    world.mail.faults = Faults(refuse=r"TO:<l(\d|1[01])@", refusal="452 4.2.2 mailbox full")
    run_id = world.begin(*readers(60 if served else put_off))
    for last_try in (False, True):
        with suppress(DeliveriesDeferred):
            world.send_emails(run_id, last_try=last_try)
    found = [state for state, _, _ in states(world)]
    assert found.count("failed") == put_off
    assert "planned" not in found


@pytest.mark.parametrize(
    ("answer", "count"), [("450 4.1.2 Recipient address rejected: Domain not found", 3), ("451 4.7.1 later", 12)]
)
def test_a_few_domains_put_off_are_given_up_alone(world, answer, count):
    """Whether nobody else is in the run, or the others are accepted after them, all having left together."""
    world.mail.faults = Faults(refuse=r"TO:<l[0-2]@", refusal=answer, late=count, late_s=0.5)
    run_id = world.begin(*readers(count, domains=3))
    with pytest.raises(DeliveriesDeferred):
        world.send_emails(run_id, connections=8)
    world.send_emails(run_id, last_try=True)
    found = [state for state, _, _ in states(world)]
    assert sorted(found) == ["accepted"] * (count - 3) + ["failed"] * 3


@pytest.mark.parametrize("answer", ["550 5.1.1 no such user", "550 5.4.1 Recipient address rejected: Access denied"])
def test_a_few_dead_addresses_are_refused_for_good_wherever_they_come(world, answer):
    world.mail.faults = Faults(refuse=r"TO:<l(1|2|9|17|18|19)@", refusal=answer)
    run_id = world.begin(*readers(20, domains=7))
    assert world.send_emails(run_id) == {"accepted": 14, "refused": 6}
    refused = [(reason, raw) for state, reason, raw in states(world) if state == "refused"]
    assert refused == [("recipient_refused", answer)] * 6


def test_a_run_of_one_dead_address_is_done(world):
    world.mail.faults = Faults(rcpt="550 5.1.1 no such user")
    assert world.send_emails(world.begin(*readers(1))) == {"refused": 1}


def test_an_email_in_doubt_leaves_once_more_however_many_tries_others_need(world):
    """The server keeps the message of one and cuts the line each time; another is put off to the end."""
    world.mail.faults = Faults(refuse=r"TO:<l0@", refusal="451 4.7.1 greylisted", drop_at="CONTENT", drops=99)
    run_id = world.begin(*readers(2))
    with pytest.raises(DeliveriesDeferred):
        world.send_emails(run_id, first_try=True)
    for _ in range(3):
        with pytest.raises(DeliveriesDeferred):
            world.send_emails(run_id)
    world.send_emails(run_id, last_try=True)
    assert world.mailed_to() == ["l1@d0.example.org"] * 2
    assert sorted((state, reason) for state, reason, _ in states(world)) == [
        ("failed", "retries_exhausted"), ("in_doubt", "no_answer"),
    ]  # fmt: skip
