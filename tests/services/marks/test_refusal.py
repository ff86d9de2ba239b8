"""« Ne rien envoyer »: what a sender would be offered is cancelled, with words for it, and no work is done."""

from __future__ import annotations

from datetime import timedelta

import pytest

from loan_reminders.domain.errors import SendingHeld
from loan_reminders.domain.letters.batches import BatchState
from loan_reminders.domain.marks.high_water import Gap
from loan_reminders.domain.readers.told import Outcome, outcome
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState, Reason, Refusal
from loan_reminders.hooks.marks import marks_of
from tests.scenes.backups import a_day, send, step
from tests.scenes.ledger_runs import rows
from tests.scenes.letter_readers import by_post
from tests.scenes.world import DUE, loan, loans, reader

EMAIL, SMS = Channel.EMAIL, Channel.SMS
STATES = "SELECT channel, state, reason FROM deliveries WHERE run_id = :run_id ORDER BY channel, state"
STOPPED = ("cancelled", "ledger_incomplete")


def taken_in_hand(world, run_id, channel):
    """A sender takes one delivery in hand, and what becomes of it is never recorded."""
    with world.ledger.sender(run_id, channel) as sender:
        delivery = next(iter(sender.waiting()))[0]
        assert sender.claim([delivery.delivery_id])
    return delivery


def states(world, run_id):
    return [tuple(row) for row in rows(world.ledger, STATES, run_id=run_id)]


def test_what_was_in_flight_when_the_backup_was_taken_does_not_leave(world, file, backups):
    a_day(world, file, 1)
    run_id = world.begin(*loans(3))
    with step(world, file, run_id):
        in_hand = taken_in_hand(world, run_id, EMAIL)
        taken_in_hand(world, run_id, SMS)
        in_the_middle = backups.take(world.ledger)
        world.send_emails(run_id)
    left = world.mailed_to()
    assert len(left) == 4
    world.ledger = backups.bring_back(in_the_middle)
    with pytest.raises(SendingHeld):
        send(world, file, run_id)
    assert marks_of(world.ledger).refuse(who="zoé") == 5
    assert states(world, run_id) == [
        *[("email", *STOPPED)] * 3, *[("sms", *STOPPED)] * 2, ("sms", "in_doubt", "interrupted"),
    ]  # fmt: skip
    assert not send(world, file, run_id)
    with step(world, file, run_id, channel=SMS) as work:
        assert not work
    assert (world.mailed_to(), world.texted_to()) == (left, [])
    books = world.close(run_id)
    assert books.problems() == ()
    assert (books.deliveries[EMAIL], books.deliveries[SMS]) == (
        {DeliveryState.CANCELLED: 3},
        {DeliveryState.CANCELLED: 2, DeliveryState.IN_DOUBT: 1},
    )
    [told] = [
        one
        for one in world.ledger.dispute().file(in_hand.loans[0].loan_id).deliveries
        if one.delivery_id == in_hand.delivery_id
    ]
    assert (told.state, told.reason) == (DeliveryState.CANCELLED, Reason.LEDGER_INCOMPLETE)
    assert outcome(told) is Outcome.IN_DOUBT


def test_what_a_dead_sender_left_still_counts_as_something_to_hold(world, file):
    """Somebody refused, then a run cleared in Airflow takes up what it had in hand: it is no empty run."""
    run_id = world.begin(loan(1, patron=reader(1, mobile=Refusal.MISSING)))
    marks_of(world.ledger).find(Gap(unreadable=True))
    file.spoilt = True
    taken_in_hand(world, run_id, EMAIL)
    rows(world.ledger, "UPDATE gaps SET answer = 'send_nothing', who = 'zoé', answered_at = now()")
    with pytest.raises(SendingHeld):
        send(world, file, run_id)
    assert world.mailed_to() == []


def test_what_was_accepted_and_what_is_sent_once_more_stay_as_they_are(world, file):
    run_id = a_day(world, file, 1)
    other = world.begin(*loans(1))
    rows(world.ledger, "UPDATE runs SET kind = 'resend' WHERE run_id = :other", other=other)
    marks_of(world.ledger).find(Gap(unreadable=True))
    assert marks_of(world.ledger).refuse(who="zoé") == 0
    assert {state for _, state, _ in states(world, run_id)} == {"accepted"}
    assert {state for _, state, _ in states(world, other)} == {"planned"}


@pytest.mark.usefixtures("printer")
def test_drafts_of_registered_letters_wait_for_nobody_any_more(world, file, letters):
    world.stage, world.today = Stage.REGISTERED_LETTER, DUE + timedelta(days=21)
    run_id = world.begin(by_post(1), by_post(2))
    assert world.prepare_letters(run_id, letters)["letters"] == 2
    marks = marks_of(world.ledger)
    marks.find(Gap(unreadable=True))
    assert marks.refuse(who="zoé") == 2
    assert [view.state for view in world.ledger.letters().batches()] in ([], [BatchState.ABANDONED])
    assert world.ledger.drafts().drafts(run_id) == ()
    assert rows(world.ledger, "SELECT who, act FROM letter_events WHERE act = 'not_approved'")[0].who == "zoé"
    assert world.close(run_id).problems() == ()
