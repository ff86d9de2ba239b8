"""The suppression list: who joins it, who is taken off, and that nothing more is sent or paid to those on it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from loan_reminders.domain.sms.feedback import AckStatus
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState, Reason, SkipReason
from loan_reminders.domain.suppressions.suppression import SuppressionReason
from tests.scenes.builders import a_mobile, an_email
from tests.scenes.ledger_runs import extracted, ids, offered, planned, rows
from tests.scenes.ledger_sms import NUMBER, ack, an_sms, blacklisted, in_force, left, received, reply, state

A = AckStatus
S = DeliveryState


def said(ledger, *replies):
    ledger.feedback().keep_replies(replies)
    return ledger.feedback().settle(failures=2)


def lifted(ledger, number=NUMBER):
    [line] = [line for line in ledger.feedback().suppressions(recipient=number) if line.in_force]
    assert ledger.feedback().lift(line.suppression_id, who="biblio")


def test_a_stop_puts_the_number_on_the_list_once(ledger):
    assert said(ledger, reply("stop svp!!")).stops == 1
    assert said(ledger, reply("stop svp!!")).replies == 0
    assert said(ledger, reply("STOP", reply_id="mo-2")).stops == 0
    assert in_force(ledger) == {NUMBER: "stop"}


def test_another_answer_is_kept_and_stops_nothing(ledger):
    settled = said(ledger, reply("je ne veux pas que ça stoppe"))
    assert (settled.replies, settled.stops, in_force(ledger)) == (1, 0, {})
    assert rows(ledger, "SELECT text FROM sms_replies") == [("je ne veux pas que ça stoppe",)]


def test_a_reply_is_kept_before_anything_is_made_of_it(ledger):
    feedback = ledger.feedback()
    assert feedback.keep_replies([reply("STOP")]) == 1
    assert in_force(ledger) == {}
    assert feedback.keep_replies([reply("STOP")]) == 0
    assert feedback.settle(failures=2).stops == 1


def test_replies_without_an_id_are_known_by_their_content(ledger):
    feedback = ledger.feedback()
    assert feedback.keep_replies([reply("STOP", reply_id=""), reply("merci", reply_id="")]) == 2
    assert feedback.keep_replies([reply("STOP", reply_id="")]) == 0


@pytest.mark.parametrize(
    ("fates", "dead"),
    [
        ([A.REJECTED], False),
        ([A.REJECTED, A.REJECTED], True),
        ([A.REJECTED, A.NOT_DELIVERED], True),
        ([A.REJECTED, A.DELIVERED], False),
        ([A.REJECTED, A.DELIVERED, A.REJECTED], False),
        ([A.DELIVERED, A.REJECTED, A.REJECTED], True),
        ([A.REJECTED, A.REFUSED, A.REFUSED], False),
        ([A.ON_ITS_WAY, A.UNKNOWN], False),
    ],
)
def test_a_number_is_dead_after_two_failures_in_a_row(ledger, fates, dead):
    for number, fate in enumerate(fates):
        left(ledger, sms_id=f"id-{number}")
        received(ledger, ack(fate, sms_id=f"id-{number}"))
    assert in_force(ledger) == ({NUMBER: "dead_number"} if dead else {})


@pytest.mark.parametrize("failures", [1, 3])
def test_how_many_failures_is_an_argument(ledger, failures):
    for number in range(failures):
        assert in_force(ledger) == {}
        left(ledger, sms_id=f"id-{number}")
        ledger.feedback().keep_acks([ack(A.REJECTED, sms_id=f"id-{number}")])
        ledger.feedback().settle(failures=failures)
    assert in_force(ledger) == {NUMBER: "dead_number"}


def test_numbers_the_provider_refuses_to_take_are_dead_as_well(ledger):
    for _ in range(2):
        left(ledger, state=S.REFUSED, reason=Reason.INVALID_RECIPIENT)
    assert ledger.feedback().settle(failures=2).dead_numbers == 0
    assert ledger.feedback().settle(failures=2, again=True).dead_numbers == 1
    assert in_force(ledger) == {NUMBER: "dead_number"}


def test_failures_before_a_number_was_lifted_are_forgiven(ledger):
    for number in range(2):
        left(ledger, sms_id=f"id-{number}")
        received(ledger, ack(A.REJECTED, sms_id=f"id-{number}"))
    lifted(ledger)
    left(ledger, sms_id="id-3")
    received(ledger, ack(A.REJECTED, sms_id="id-3"))
    ledger.feedback().settle(failures=2, again=True)
    assert in_force(ledger) == {}
    left(ledger, sms_id="id-4")
    received(ledger, ack(A.REJECTED, sms_id="id-4"))
    assert in_force(ledger) == {NUMBER: "dead_number"}


def test_the_providers_blacklist_joins_with_its_words(ledger):
    feedback = ledger.feedback()
    assert feedback.keep_blacklist([blacklisted(comment="Refused"), blacklisted("33639980002")]) == 2
    assert feedback.keep_blacklist([blacklisted(comment="Refused"), blacklisted("33639980002")]) == 0
    assert {line.detail for line in feedback.suppressions()} == {"Refused", "stop"}
    assert in_force(ledger) == {NUMBER: "blacklist", "33639980002": "blacklist"}


@pytest.mark.parametrize("minutes", [-60, None])
def test_what_a_librarian_lifted_stays_lifted_though_the_provider_says_it_again(ledger, minutes):
    said(ledger, reply("STOP", minutes=-60))
    lifted(ledger)
    ledger.feedback().keep_blacklist([blacklisted(minutes=minutes)])
    said(ledger, reply("STOP", reply_id="the same by pull", minutes=-60))
    assert in_force(ledger) == {}


def test_a_stop_after_a_lift_counts(ledger):
    said(ledger, reply("STOP", minutes=-60))
    lifted(ledger)
    said(ledger, reply("stop !!", reply_id="mo-2", minutes=1))
    assert in_force(ledger) == {NUMBER: "stop"}
    assert [line.reason for line in ledger.feedback().suppressions()] == [SuppressionReason.STOP] * 2


def test_a_stop_takes_the_place_of_a_dead_number_not_the_reverse(ledger):
    for number in range(2):
        left(ledger, sms_id=f"id-{number}")
        received(ledger, ack(A.REJECTED, sms_id=f"id-{number}"))
    said(ledger, reply("STOP", minutes=-600))
    assert in_force(ledger) == {NUMBER: "stop"}
    ledger.feedback().keep_blacklist([blacklisted(minutes=5)])
    assert in_force(ledger) == {NUMBER: "stop"}


def test_an_end_is_kept(ledger):
    feedback = ledger.feedback()
    now = datetime.now(UTC)
    assert feedback.suppress(a_mobile(), who="biblio", until=now + timedelta(seconds=1), detail="vacances")
    assert not feedback.suppress(a_mobile(), who="biblio")
    assert in_force(ledger) == {NUMBER: "by_librarian"}
    rows(ledger, "UPDATE suppressions SET until = now() - interval '1 second'")
    assert in_force(ledger) == {}
    assert feedback.suppress(a_mobile(), who="biblio")
    old, new = sorted(feedback.suppressions(), key=lambda line: line.suppression_id)
    assert (old.lifted_by, old.detail, new.in_force) == ("échéance", "biblio : vacances", True)


def test_a_lift_says_who_and_works_once(ledger):
    said(ledger, reply("STOP"))
    [line] = ledger.feedback().suppressions()
    assert ledger.feedback().lift(line.suppression_id, who="chloé")
    assert not ledger.feedback().lift(line.suppression_id, who="zoé")
    assert not ledger.feedback().lift(999, who="zoé")
    [line] = ledger.feedback().suppressions()
    assert (line.in_force, line.lifted_by, line.lifted_at is not None) == (False, "chloé", True)


def test_planning_learns_who_is_not_written_to(ledger):
    said(ledger, reply("STOP"))
    for number in range(2):
        left(ledger, "33639980002", sms_id=f"id-{number}")
        received(ledger, ack(A.REJECTED, "33639980002", sms_id=f"id-{number}"))
    run = extracted(ledger, [], dag_run_id="next")
    asked = [a_mobile(), a_mobile("33639980002"), a_mobile("33639980003"), an_email()]
    with ledger.planning(run.run_id) as planning:
        assert planning.suppressed(asked) == {
            a_mobile(): SkipReason.OPTED_OUT,
            a_mobile("33639980002"): SkipReason.DEAD_NUMBER,
        }
        assert planning.suppressed([]) == {}


@pytest.mark.parametrize(
    ("join", "reason"),
    [
        (lambda ledger: said(ledger, reply("STOP")), "opted_out"),
        (lambda ledger: ledger.feedback().keep_blacklist([blacklisted()]), "opted_out"),
        (lambda ledger: ledger.feedback().suppress(a_mobile(), who="biblio"), "opted_out"),
        (lambda ledger: received(ledger, ack(A.REJECTED, sms_id="id-1"), failures=1), "dead_number"),
    ],
)
def test_what_waits_for_a_number_that_joins_is_cancelled(ledger, join, reason):
    left(ledger, sms_id="id-1")
    ours, other = an_sms(), an_sms("33639980002")
    run = planned(ledger, [ours, other], dag_run_id="waiting")
    if reason == "dead_number":
        ledger.feedback().keep_acks([ack(A.REJECTED, sms_id="id-1")])
        assert ledger.feedback().settle(failures=1).dead_numbers == 1
    else:
        join(ledger)
    assert state(ledger, ours.delivery_id) == ("cancelled", reason)
    assert state(ledger, other.delivery_id) == ("planned", None)
    books = ledger.close_run(run.run_id)
    assert books.deliveries[Channel.SMS] == {S.CANCELLED: 1, S.PLANNED: 1}


def test_an_sms_planned_while_its_number_was_joining_is_never_offered(ledger):
    said(ledger, reply("STOP"))
    ours, other = an_sms(), an_sms("33639980002")
    run = planned(ledger, [ours, other], dag_run_id="planned before the list was asked")
    with ledger.sender(run.run_id, Channel.SMS) as sender:
        assert ids(offered(sender)) == [other.delivery_id]
    assert state(ledger, ours.delivery_id) == ("cancelled", "opted_out")


def test_the_list_says_whether_anything_is_still_paid(ledger):
    left(ledger, sms_id="before")
    said(ledger, reply("STOP", minutes=1))
    assert ledger.feedback().summary().sms_since == 0
    rows(ledger, "UPDATE suppressions SET since = now() - interval '1 day'")
    summary = ledger.feedback().summary()
    assert (dict(summary.in_force), summary.sms_since) == ({SuppressionReason.STOP: 1}, 1)
    assert [line.sms_since for line in ledger.feedback().suppressions()] == [1]


def test_processes_that_keep_and_settle_the_same_at_once_do_it_once(ledger, ledger_url):
    from loan_reminders.ledger.connect import connect

    left(ledger, sms_id="id-1")
    acks = [ack(A.REJECTED, sms_id="id-1"), *(ack(A.REJECTED, f"336399811{n:02d}", sms_id=f"s{n}") for n in range(60))]
    replies = [reply("STOP", f"336399822{n:02d}", reply_id=f"mo-{n}") for n in range(60)]
    failures: list[BaseException] = []

    def run(number: int) -> None:
        try:
            with connect(ledger_url, library="demo") as own:
                feedback = own.feedback()
                feedback.keep_acks(acks[::-1] if number % 2 else acks)
                feedback.keep_replies(replies[::-1] if number % 2 else replies)
                feedback.settle(failures=1)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert rows(ledger, "SELECT count(*) FROM sms_acks") == [(61,)]
    assert rows(ledger, "SELECT count(*) FROM receipts WHERE state = 'bounced'") == [(1,)]
    assert len(in_force(ledger)) == 61
