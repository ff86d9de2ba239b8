"""Receipts: each kept once, each meaning one thing; a final state never changes; doubts are settled."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from loan_reminders.domain.notices import LoanKey
from loan_reminders.domain.sms.feedback import AckStatus
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState, Reason
from tests.scenes.builders import DUE_DATE, a_mobile
from tests.scenes.ledger_runs import extracted, ids, planned, rows
from tests.scenes.ledger_sms import CAMPAIGN, NUMBER, ack, an_sms, left, receipts_of, received, state

A = AckStatus
S = DeliveryState


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (A.DELIVERED, ("delivered", None)),
        (A.NOT_DELIVERED, ("bounced", "recipient_refused")),
        (A.REFUSED, ("bounced", "message_refused")),
        (A.REJECTED, ("bounced", "recipient_refused")),
        (A.ON_ITS_WAY, ("accepted", None)),
        (A.UNKNOWN, ("accepted", None)),
    ],
)
@pytest.mark.parametrize("by", ["id", "campaign"])
def test_a_receipt_moves_the_sms_it_is_about(ledger, status, expected, by):
    sms = left(ledger, sms_id="id-1")
    other = left(ledger, "33639980002", sms_id="id-2")
    settled = received(ledger, ack(status, sms_id="id-1" if by == "id" else ""))
    assert state(ledger, sms) == expected
    assert state(ledger, other) == ("accepted", None)
    assert (settled.acks, settled.moved, settled.unknown) == (1, int(expected[0] != "accepted"), 0)
    assert receipts_of(ledger, sms)[-1] == (expected[0], expected[0] != "accepted")


def test_a_replayed_receipt_changes_nothing(ledger):
    sms = left(ledger, sms_id="id-1")
    came = ack(A.REJECTED, sms_id="id-1")
    received(ledger, came)
    before = receipts_of(ledger, sms), rows(ledger, "SELECT count(*) FROM sms_acks")
    assert ledger.feedback().keep_acks([came, came]) == 0
    assert received(ledger, came).acks == 0
    assert (receipts_of(ledger, sms), rows(ledger, "SELECT count(*) FROM sms_acks")) == before


@pytest.mark.parametrize("first", [A.DELIVERED, A.REJECTED])
@pytest.mark.parametrize("second", [A.DELIVERED, A.REJECTED, A.ON_ITS_WAY, A.UNKNOWN])
def test_a_final_state_never_changes_and_what_came_later_is_kept(ledger, first, second):
    sms = left(ledger, sms_id="id-1")
    received(ledger, ack(first, sms_id="id-1"))
    before = state(ledger, sms)
    received(ledger, ack(second, sms_id="id-1", minutes=2))
    assert state(ledger, sms) == before
    assert [applied for _, applied in receipts_of(ledger, sms)[1:]] == [True, False]


@pytest.mark.parametrize("order", [(A.ON_ITS_WAY, A.DELIVERED), (A.DELIVERED, A.ON_ITS_WAY)])
def test_handed_over_then_delivered_in_one_page_in_any_order(ledger, order):
    sms = left(ledger, sms_id="id-1")
    received(ledger, *(ack(status, sms_id="id-1", minutes=n) for n, status in enumerate(order)))
    assert state(ledger, sms) == ("delivered", None)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (A.ON_ITS_WAY, ("accepted", None)),
        (A.DELIVERED, ("delivered", None)),
        (A.REJECTED, ("bounced", "recipient_refused")),
        (A.UNKNOWN, ("in_doubt", "no_answer")),
    ],
)
@pytest.mark.parametrize(
    ("known", "told_campaign", "sms_id"), [(CAMPAIGN, CAMPAIGN, ""), ("", "ap_never_told", "id-never-told")]
)
def test_a_receipt_settles_a_doubt(ledger, status, expected, known, told_campaign, sms_id):
    sms = left(ledger, state=S.IN_DOUBT, reason=Reason.NO_ANSWER, campaign=known)
    settled = received(ledger, ack(status, campaign=told_campaign, sms_id=sms_id))
    assert state(ledger, sms) == expected
    assert settled.resolved == int(expected[0] != "in_doubt")


def test_a_doubt_whose_id_came_with_a_first_receipt_is_known_by_it_afterwards(ledger):
    sms = left(ledger, state=S.IN_DOUBT, reason=Reason.NO_ANSWER, campaign="")
    received(ledger, ack(A.ON_ITS_WAY, campaign="ap_9", sms_id="id-9"))
    received(ledger, ack(A.DELIVERED, campaign="", sms_id="id-9", minutes=3))
    assert state(ledger, sms) == ("delivered", None)


def test_of_two_doubts_about_one_number_a_receipt_without_campaign_settles_none(ledger):
    doubts = [left(ledger, state=S.IN_DOUBT, reason=Reason.NO_ANSWER, campaign="") for _ in range(2)]
    assert received(ledger, ack(A.DELIVERED, campaign="ap_9", sms_id="id-9")).unknown == 1
    assert {state(ledger, sms) for sms in doubts} == {("in_doubt", "no_answer")}


@pytest.mark.parametrize("minutes", [-3 * 60, 6 * 24 * 60])
def test_a_receipt_from_another_time_settles_no_doubt(ledger, minutes):
    sms = left(ledger, state=S.IN_DOUBT, reason=Reason.NO_ANSWER, campaign="")
    received(ledger, ack(A.DELIVERED, campaign="ap_9", minutes=minutes))
    assert state(ledger, sms) == ("in_doubt", "no_answer")


@pytest.mark.parametrize(
    "stranger",
    [
        ack(A.REJECTED, "33639989999", sms_id="id-unknown"),
        ack(A.REJECTED, NUMBER, campaign="ap_other", sms_id="id-unknown"),
        ack(A.REJECTED, NUMBER, campaign=CAMPAIGN, sms_id="id-of-another-program"),
        ack(A.REJECTED, "", campaign="", sms_id=""),
        ack(A.REJECTED, "\x00 no number", campaign="\ud800", sms_id="x" * 5000),
    ],
)
def test_a_receipt_about_no_sms_of_ours_is_kept_and_counted(ledger, stranger):
    sms = left(ledger, sms_id="id-1")
    settled = received(ledger, stranger, failures=1)
    assert (settled.unknown, settled.moved, settled.dead_numbers) == (1, 0, 0)
    assert state(ledger, sms) == ("accepted", None)
    assert rows(ledger, "SELECT count(*) FROM sms_acks WHERE delivery_id IS NULL") == [(1,)]


def test_a_receipt_that_overtakes_our_own_record_is_looked_at_again(ledger):
    delivery = an_sms()
    run = planned(ledger, [delivery])
    with ledger.sender(run.run_id, Channel.SMS) as sender:
        sender.claim(ids([delivery]))
        early = received(ledger, ack(A.DELIVERED, campaign="ap_7", sms_id="id-7"))
        assert (early.unknown, state(ledger, delivery.delivery_id)[0]) == (1, "claimed")
        from tests.scenes.ledger_runs import answer

        sender.record([answer(delivery, S.ACCEPTED, provider_id="id-7", campaign_id="ap_7")])
    assert ledger.feedback().settle(failures=2).acks == 0
    assert ledger.feedback().settle(failures=2, again=True).moved == 1
    assert state(ledger, delivery.delivery_id) == ("delivered", None)


def test_a_bounce_frees_the_slot_and_the_number_is_known_as_refused(ledger):
    sms = left(ledger, sms_id="id-1")
    [[loan_id]] = rows(ledger, "SELECT loan_id FROM delivery_loans WHERE delivery_id = :id", id=sms)
    key = LoanKey(loan_id=loan_id, due_date=DUE_DATE)
    received(ledger, ack(A.REJECTED, sms_id="id-1"))
    run = extracted(ledger, [], dag_run_id="next")
    with ledger.planning(run.run_id) as planning:
        assert planning.history([key]) == {}
        assert planning.refused([key]) == {key: {a_mobile(NUMBER)}}


def test_only_campaigns_with_an_open_end_are_asked_about(ledger):
    left(ledger, sms_id="id-1", campaign="ap_open")
    left(ledger, "33639980002", S.IN_DOUBT, Reason.UNREADABLE_ANSWER, campaign="ap_doubt")
    left(ledger, "33639980003", S.REFUSED, Reason.INVALID_RECIPIENT, campaign="ap_refused")
    left(ledger, "33639980004", S.IN_DOUBT, Reason.NO_ANSWER, campaign="")
    left(ledger, "33639980005", sms_id="id-5", campaign="ap_done")
    received(ledger, ack(A.DELIVERED, "33639980005", campaign="ap_done"))
    now = datetime.now(UTC)
    assert ledger.feedback().campaigns_to_ask(now - timedelta(days=7)) == ("ap_doubt", "ap_open")
    assert ledger.feedback().campaigns_to_ask(now + timedelta(minutes=1)) == ()


def test_another_librarys_sms_is_not_ours(ledger, ledger_url):
    from loan_reminders.ledger.connect import connect

    sms = left(ledger, sms_id="id-1")
    with connect(ledger_url, library="other") as other:
        assert received(other, ack(A.REJECTED, sms_id="id-1")).unknown == 1
    assert state(ledger, sms) == ("accepted", None)


def test_many_pages_are_all_settled(ledger):
    sms = left(ledger, sms_id="id-1")
    acks = [ack(A.REJECTED, f"3363998{n:04d}", sms_id=str(uuid.uuid4())) for n in range(1200)]
    settled = received(ledger, *acks, ack(A.DELIVERED, sms_id="id-1"))
    assert (settled.acks, settled.unknown, settled.moved) == (1201, 1200, 1)
    assert state(ledger, sms) == ("delivered", None)


def test_what_a_test_number_did_not_get_says_nothing_of_the_readers_own(ledger):
    for number in range(2):
        left(ledger, sms_id=f"id-{number}")
    rows(ledger, "UPDATE deliveries SET redirected = true")
    settled = received(ledger, *(ack(A.NOT_DELIVERED, sms_id=f"id-{number}") for number in range(2)))
    assert settled.moved == 2
    ledger.feedback().settle(failures=2, again=True)
    assert rows(ledger, "SELECT FROM suppressions") == []
