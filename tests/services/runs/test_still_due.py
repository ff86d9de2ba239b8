"""Nothing untrue is said: the ILS is asked again just before sending and just before printing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pypdf import PdfReader

from loan_reminders.domain.errors import IlsUnavailable
from loan_reminders.domain.loans import RejectedRow
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState, Refusal
from loan_reminders.services.runs.still_due import StillDue
from tests.scenes.builders import a_patron
from tests.scenes.world import DUE, SETTINGS, loan, loans, reader

S = DeliveryState


def test_a_loan_returned_since_is_not_told(world):
    run_id = world.begin(*loans(3))
    world.ils.rows = [row for row in world.ils.rows if row.loan_id != "L2"]
    world.send_emails(run_id)
    world.send_sms(run_id)
    books = world.close(run_id)
    assert world.mailed_to() == ["lecteur1@etu.example.org", "lecteur3@etu.example.org"]
    assert world.texted_to() == ["33639980001", "33639980003"]
    assert books.deliveries[Channel.EMAIL] == {S.ACCEPTED: 2, S.CANCELLED: 1}
    assert books.deliveries[Channel.SMS] == {S.ACCEPTED: 2, S.CANCELLED: 1}
    assert books.slots_skipped == {"returned": 2}
    assert books.problems() == ()


def test_a_loan_renewed_since_is_not_told_and_says_renewed(world):
    run_id = world.begin(*loans(2))
    world.ils.rows = [loan(1), loan(2, due_date=DUE + timedelta(days=14))]
    world.send_emails(run_id)
    world.send_sms(run_id)
    assert world.close(run_id).slots_skipped == {"renewed": 2}
    assert world.mailed_to() == ["lecteur1@etu.example.org"]


def ended(world):
    """How each loan ended, as far as the ledger knows."""
    with world.ledger.engine.connect() as connection:
        return dict(connection.exec_driver_sql("SELECT loan_id, how FROM loan_ends").all())


def test_a_lost_loan_is_not_told_and_is_not_taken_for_a_returned_one(world):
    run_id = world.begin(loan(1), loan(2), loan(3, patron=reader(1)))
    world.ils.lost = {"L2", "L3"}
    world.ils.rows = [row for row in world.ils.rows if row.loan_id != "L1"]
    assert (world.send_emails(run_id), world.send_sms(run_id)) == ({}, {})
    books = world.close(run_id)
    assert books.slots_skipped == {"not_told": 4, "returned": 2}
    assert books.problems() == ()
    assert ended(world) == {"L1": "returned", "L2": None, "L3": None}


def test_a_loan_on_hold_does_not_end_with_another_that_was_returned(world):
    run_id = world.begin(loan(1), loan(2, patron=reader(1)))
    with world.ledger.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE delivery_loans SET live = false, dropped = 'held' WHERE loan_id = 'L2'")
    world.ils.rows = []
    assert (world.send_emails(run_id), world.send_sms(run_id)) == ({}, {})
    world.close(run_id)
    assert ended(world) == {"L1": "returned", "L2": None}


def test_a_notice_shrinks_to_the_loans_that_are_left(world):
    run_id = world.begin(loan(1, title="Rendu depuis"), loan(2, patron=reader(1), title="Toujours dehors"))
    world.ils.rows = world.ils.rows[1:]
    world.send_emails(run_id)
    world.send_sms(run_id)
    (mail,) = world.mail.messages()
    text = mail.get_body(("plain",)).get_content()
    assert "Toujours dehors" in text
    assert "Rendu depuis" not in text
    assert "le document ci-dessous" in text
    (sms,) = world.sms.provider.accepted
    assert "1 document hier" in sms.text
    books = world.close(run_id)
    assert books.deliveries[Channel.EMAIL] == {S.ACCEPTED: 1}
    assert books.problems() == ()


def test_a_loan_that_left_its_notice_may_be_told_again(world):
    run_id = world.begin(loan(1), loan(2, patron=reader(1)))
    world.ils.rows = world.ils.rows[1:]
    world.send_emails(run_id)
    world.send_sms(run_id)
    world.ils.rows = [loan(1), *world.ils.rows]
    assert world.plan(world.extract()) == {"email": 1, "sms": 1}


def test_a_row_the_ils_now_gives_unreadable_is_still_a_loan(world):
    run_id = world.begin(*loans(2))
    spoilt = RejectedRow(loan_id="L2", patron_id="P2", code="not_a_date", column="loan_date", raw={})
    world.ils.rows = [world.ils.rows[0], spoilt]
    assert world.send_emails(run_id) == {"accepted": 2}


@pytest.mark.parametrize("send", ["send_emails", "send_sms"])
def test_an_ils_that_cannot_be_asked_holds_the_run(world, send):
    run_id = world.begin(*loans(2))
    world.ils.down = True
    with pytest.raises(IlsUnavailable):
        getattr(world, send)(run_id)
    assert (world.mailed_to(), world.texted_to()) == ([], [])
    world.ils.down = False
    assert getattr(world, send)(run_id) == {"accepted": 2}


@pytest.mark.parametrize(
    ("stage", "days", "reason"), [(Stage.OVERDUE_NOTICE, 8, "superseded"), (Stage.COURTESY_NOTICE, 1, "expired")]
)
def test_a_task_cleared_days_later_sends_nothing_that_is_over(world, stage, days, reason):
    world.stage = stage
    world.today = DUE + timedelta(days=SETTINGS.policy().rule(stage).offset_days)
    run_id = world.begin(*loans(2))
    world.today = DUE + timedelta(days=days)
    assert world.send_emails(run_id) == {}
    assert world.mailed_to() == []
    cancelled = world.ledger.engine.connect()
    with cancelled as connection:
        rows = connection.exec_driver_sql("SELECT DISTINCT state, reason FROM deliveries WHERE channel = 'email'").all()
    assert rows == [("cancelled", reason)]


def test_the_pages_of_readers_who_brought_everything_back_are_left_out(world, tmp_path):
    world.stage, world.today = Stage.FIRST_REMINDER, DUE + timedelta(days=8)
    by_post = {"email": Refusal.MISSING}
    run_id = world.begin(*(loan(number, patron=reader(number, **by_post)) for number in (1, 2, 3)))
    world.ils.rows = world.ils.rows[:2]
    assert world.print_letters(run_id, tmp_path / "letters") == {"accepted": 2}
    (pdf,) = (tmp_path / "letters").glob("*/lettres.pdf")
    assert len(PdfReader(pdf).pages) == 2
    assert world.close(run_id).deliveries == {Channel.LETTER: {S.ACCEPTED: 2, S.CANCELLED: 1}}


def test_an_ils_that_cannot_be_asked_holds_the_letters(world, tmp_path):
    world.stage, world.today = Stage.REGISTERED_LETTER, DUE + timedelta(days=21)
    run_id = world.begin(*loans(2))
    world.ils.down = True
    with pytest.raises(IlsUnavailable):
        world.print_letters(run_id, tmp_path / "letters")
    assert not list(tmp_path.glob("letters/*/*"))
    world.ils.down = False
    assert world.print_letters(run_id, tmp_path / "letters") == {"accepted": 2}


def test_on_long_work_the_ils_is_asked_again_after_a_while_only(world):
    run_id = world.begin(*loans(3))
    asked, seconds = [], [0]

    class Counting:
        def loan_ids_due(self, due_date, *, today):
            asked.append(seconds[0])
            return world.ils.loan_ids_due(due_date, today=today)

        def due_dates_now(self, loan_ids):
            return world.ils.due_dates_now(loan_ids)

        on_loan_now = due_dates_now

    still_due = StillDue(
        source=Counting(),
        policy=SETTINGS.policy(),
        run=world.ledger.run(run_id),
        clock=lambda: world.clock() + timedelta(seconds=seconds[0]),
        max_age=timedelta(minutes=10),
    )
    with world.ledger.sender(run_id, Channel.EMAIL) as sender:
        for seconds[0] in (0, 10, 599, 601, 700):
            still_due.settle(sender)
    assert asked == [0, 601]


def test_what_is_in_flight_is_not_touched(world):
    run_id = world.begin(*loans(2))
    with world.ledger.sender(run_id, Channel.EMAIL) as sender:
        first = next(sender.waiting())[0]
        sender.claim([first.delivery_id])
        world.ils.rows = []
        world.still_due(run_id).settle(sender)
    with world.ledger.engine.connect() as connection:
        states = connection.exec_driver_sql("SELECT state FROM deliveries WHERE channel = 'email' ORDER BY state").all()
    assert [state for (state,) in states] == ["cancelled", "claimed"]


def test_the_first_run_of_all_misses_nothing(world, caplog):
    world.begin(*loans(1))
    assert "Jours sans tournée" not in caplog.text


def test_missed_days_are_named_by_the_next_run(world, caplog):
    patron = a_patron()
    for days in (0, 1, 4):
        due = DUE + timedelta(days=days)
        world.today = due + timedelta(days=1)
        caplog.clear()
        run = world.extract_day(due, loan(days + 1, due_date=due, patron=patron))
        world.plan(run)
        world.send_emails(run)
        world.send_sms(run)
        world.close(run)
    (warning,) = [record.message for record in caplog.records if "Jours sans tournée" in record.message]
    assert "29/11/2026, 30/11/2026" in warning
    assert "28/11" not in warning
    assert "01/12" not in warning
