"""« Ne rien envoyer »: what a sender would be offered is cancelled, with words for it, and no work is done."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from sqlalchemy import text

from loan_reminders.domain.errors import SendingHeld
from loan_reminders.domain.marks.high_water import Gap
from loan_reminders.domain.readers.told import Outcome, outcome
from loan_reminders.domain.runs.to_do import ToDoKind
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState, Reason, Refusal
from loan_reminders.gateways.letters.letter_store import FolderLetterStore
from loan_reminders.hooks.marks import marks_of
from loan_reminders.ledger.readers.search import last_messages
from loan_reminders.ledger.run_pages.to_do import PostgresToDo
from loan_reminders.ledger.runs.resends import PostgresResends
from loan_reminders.ledger.statistics.reached import OF_LETTERS, OUTCOME
from loan_reminders.ledger.undelivered import count_in_doubt
from loan_reminders.services.letters.printing import clear_away
from tests.scenes.backups import a_day, send, step
from tests.scenes.ledger_runs import rows
from tests.scenes.letter_approval import ApprovalDesk
from tests.scenes.world import DUE, loan, loans, reader

EMAIL, SMS = Channel.EMAIL, Channel.SMS
STATES = "SELECT channel, state, reason FROM deliveries WHERE run_id = :run_id ORDER BY channel, state"
STOPPED = ("cancelled", "ledger_incomplete")
IN_DOUBT = ("in_doubt", "ledger_incomplete")
AN_AGE_AGO = datetime(2026, 1, 1, tzinfo=UTC)


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
    assert marks_of(world.ledger).refuse(who="zoé") == 4
    assert states(world, run_id) == [
        *[("email", *STOPPED)] * 2, ("email", *IN_DOUBT),
        *[("sms", *STOPPED)] * 2, ("sms", "in_doubt", "interrupted"),
    ]  # fmt: skip
    assert not send(world, file, run_id)
    with step(world, file, run_id, channel=SMS) as work:
        assert not work
    assert (world.mailed_to(), world.texted_to()) == (left, [])
    books = world.close(run_id)
    assert books.problems() == ()
    assert (books.deliveries[EMAIL], books.deliveries[SMS]) == (
        {DeliveryState.CANCELLED: 2, DeliveryState.IN_DOUBT: 1},
        {DeliveryState.CANCELLED: 2, DeliveryState.IN_DOUBT: 1},
    )
    [told] = [
        one
        for one in world.ledger.dispute().file(in_hand.loans[0].loan_id).deliveries
        if one.delivery_id == in_hand.delivery_id
    ]
    assert (told.state, told.reason) == (DeliveryState.IN_DOUBT, Reason.LEDGER_INCOMPLETE)
    assert outcome(told) is Outcome.IN_DOUBT


def stopped_in_hand(world, file):
    """An e-mail of yesterday arrived; that of today was in hand when somebody said that nothing is to leave."""
    a_day(world, file, 1)
    by_email_alone = reader(1, mobile=Refusal.MISSING)
    due = DUE + timedelta(days=2)
    world.today = due + timedelta(days=1)
    run_id = world.extract_day(due, loan(2, due_date=due, patron=by_email_alone))
    world.plan(run_id)
    in_hand = taken_in_hand(world, run_id, EMAIL)
    marks = marks_of(world.ledger)
    marks.find(Gap(unreadable=True))
    assert marks.refuse(who="zoé") == 0
    return run_id, in_hand


def test_an_email_that_was_in_hand_is_in_doubt_wherever_it_is_told(world, file):
    run_id, in_hand = stopped_in_hand(world, file)
    patron = in_hand.notice.patron.patron_id
    world.close(run_id)
    resends = world.ledger.part(PostgresResends)
    last = resends.last(patron, EMAIL)
    assert (last.delivery_id, last.state) == (in_hand.delivery_id, DeliveryState.IN_DOUBT)
    assert [one.state for one in resends.last_of_each(patron, today=world.today)] == [DeliveryState.IN_DOUBT]
    with world.ledger.engine.connect() as connection:
        assert last_messages(connection, world.ledger.library, [patron])[patron].state is DeliveryState.IN_DOUBT
        asked = {"library": world.ledger.library, "since": AN_AGE_AGO, "doubtful_before": AN_AGE_AGO, "limit": 9}
        assert count_in_doubt(connection, asked)[0] == 1
        of_run = text(f"SELECT {OUTCOME} FROM deliveries delivery {OF_LETTERS} WHERE delivery.run_id = :run_id")
        assert connection.execute(of_run, {"run_id": run_id}).scalar_one() == "in_doubt"


def test_an_email_that_was_in_hand_is_offered_to_nobody_again(world, file):
    """Also when somebody then lets messages leave: neither its own run, cleared, nor a later one takes it up."""
    run_id, in_hand = stopped_in_hand(world, file)
    left = world.mailed_to()
    assert marks_of(world.ledger).accept(who="bob", mark_id=None)
    assert world.ledger.planned_count(run_id, EMAIL) == 0
    with world.ledger.sender(run_id, EMAIL) as sender:
        assert list(sender.waiting()) == []
        assert not sender.claim([in_hand.delivery_id])
    assert send(world, file, run_id)
    again = world.extract_day(in_hand.notice.due_date, *in_hand.loans)
    world.plan(again)
    assert states(world, again) == []
    assert states(world, run_id) == [("email", *IN_DOUBT)]
    assert world.mailed_to() == left


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


def asked_for_approval(world):
    now = datetime.combine(world.today, time(12), UTC)
    items = world.ledger.part(PostgresToDo).items(now=now, starts={}, posted_before=world.today, sent_since=now)
    return [item for item in items if item.kind is ToDoKind.APPROVAL]


@pytest.fixture
def desk(world, printer, letters):
    world.stage, world.today = Stage.REGISTERED_LETTER, DUE + timedelta(days=21)
    return ApprovalDesk(world, letters)


@pytest.mark.parametrize("answer", ["approve", "refuse"])
def test_drafts_wait_for_the_librarian_who_was_asked_and_go_after_the_answer(world, file, letters, desk, answer):
    """Airflow's task asks on, whatever is in the ledger: without its line in « À faire » nobody would answer."""
    run_id = desk.drafted(2)
    marks = marks_of(world.ledger)
    marks.find(Gap(unreadable=True))
    file.spoilt = True
    assert marks.refuse(who="zoé") == 2
    assert [(line.kind, line.run_id) for line in asked_for_approval(world)] == [(ToDoKind.APPROVAL, run_id)]
    assert not getattr(desk, answer)(run_id)
    assert asked_for_approval(world) == []
    assert desk.stored()
    with step(world, file, run_id, channel=Channel.REGISTERED_LETTER) as work:
        assert not work
    kind, store = Channel.REGISTERED_LETTER, FolderLetterStore(letters)
    clear_away(world.ledger, store, world.letter_setup(), run_id=run_id, kind=kind)
    assert (desk.stored(), world.ledger.drafts().drafts(run_id)) == ([], ())
    assert world.close(run_id).problems() == ()
