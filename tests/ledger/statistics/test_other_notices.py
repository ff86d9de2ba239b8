"""What a notice that is not about loans leaves in the ledger: counted as a message, never taken for a loan, removed."""

from __future__ import annotations

from datetime import timedelta

from loan_reminders.commands import migrate
from loan_reminders.domain.messages import Receipt
from loan_reminders.domain.notices import LoanKey
from loan_reminders.domain.runs.planning import skip
from loan_reminders.domain.stages import Channel, Slot, Stage
from loan_reminders.domain.states import DeliveryState, SkipReason
from loan_reminders.ledger.connect import connect
from loan_reminders.ledger.readers.holds import PostgresHolds
from loan_reminders.ledger.statistics.costs import PostgresCosts
from loan_reminders.ledger.statistics.effect import PostgresEffect
from loan_reminders.ledger.tables import SCHEMA_REVISION
from loan_reminders.services.runs.close import close_run
from loan_reminders.services.statistics.look_at_loans import look_at_loans
from tests.scenes.builders import a_delivery, a_loan, a_notice, a_patron
from tests.scenes.counters import assert_counters_are_true
from tests.scenes.ledger_runs import extracted, ids, planned, rows
from tests.scenes.planted import OLD, YOUNG, remove
from tests.scenes.world import ListedLoans

HOLD = Stage("hold_arrived")
KEY = LoanKey(loan_id="@hold_arrived:1", due_date=OLD)


def told(ledger, *, day=OLD):
    """A run that told one reader by e-mail that a hold arrived that day."""
    request = a_loan(loan_id=KEY.loan_id, due_date=day, loan_date=day, patron=a_patron(patron_id="P1"))
    delivery = a_delivery(notice=a_notice(stage=HOLD, loans=(request,)))
    run = planned(ledger, [delivery], stage=HOLD, due_date=day, today=day, reference_date=day)
    with ledger.sender(run.run_id, Channel.EMAIL) as sender:
        sender.claim(ids([delivery]))
        sender.record([Receipt(delivery_id=delivery.delivery_id, state=DeliveryState.ACCEPTED)])
    rows(ledger, "UPDATE deliveries SET claimed_at = :at, answered_at = :at", at=day)
    close_run(ledger, run_id=run.run_id)
    return request


def test_it_is_counted_as_a_message_and_never_asked_about_as_a_loan(ledger):
    told(ledger)
    later = OLD + timedelta(days=40)
    asked = look_at_loans(ledger.loan_ends(), ListedLoans(down=True), today=later, months=1)
    assert asked == {"asked": 0, "returned": 0, "renewed": 0, "given_up": 0}
    assert rows(ledger, "SELECT is_loan, ended_on FROM loan_ends") == [(False, None)]
    assert rows(ledger, "SELECT stage, told FROM message_counters") == [("hold_arrived", 1)]
    for table in ("return_counters", "overdue_counters"):
        assert rows(ledger, f"SELECT count(*) FROM {table}") == [(0,)]
    assert_counters_are_true(ledger)
    ledger.part(PostgresEffect).count(today=later, current=None)
    for table in ("effect_returns", "effect_overdues", "overdue_ages"):
        assert rows(ledger, f"SELECT count(*) FROM {table}") == [(0,)]
    [counted] = ledger.part(PostgresCosts).counted(first=OLD - timedelta(days=1), last=later, zone="Europe/Paris")
    assert (counted.stage, counted.told) == (HOLD, 1)


def test_what_is_read_on_several_days_and_never_reaches_anybody_counts_once(ledger):
    """A request waits: the runs of the days after its own read it again, and find the number stopped each time."""
    request = a_loan(loan_id=KEY.loan_id, due_date=OLD, loan_date=OLD, patron=a_patron(patron_id="P1"))
    stopped = [
        skip(request, SkipReason.OPTED_OUT, slot=Slot.SMS, detail="sms:suppressed"),
        skip(request, SkipReason.NO_RECIPIENT, slot=Slot.WRITTEN, detail="email:missing"),
    ]
    for days in range(3):
        day = OLD + timedelta(days=days)
        run = extracted(
            ledger, [request], stage=HOLD, due_date=day, today=day, reference_date=day, dag_run_id=f"day {days}"
        )
        with ledger.planning(run.run_id) as planning:
            planning.record([], stopped)
        ledger.close_run(run.run_id)
    assert rows(ledger, "SELECT sum(sms) FROM spared_counters") == [(1,)]
    assert rows(ledger, "SELECT sum(not_reached) FROM message_counters") == [(1,)]
    assert_counters_are_true(ledger)


def test_an_objection_to_e_mail_spares_no_sms(ledger):
    loan = a_loan()
    run = extracted(ledger, [loan])
    with ledger.planning(run.run_id) as planning:
        planning.record([], [skip(loan, SkipReason.OPTED_OUT, detail="objection:email")])
    ledger.close_run(run.run_id)
    assert rows(ledger, "SELECT count(*) FROM spared_counters") == [(0,)]
    assert_counters_are_true(ledger)


def test_a_run_of_a_notice_says_nothing_of_the_loans_of_its_day(ledger):
    told(ledger)
    heard = {LoanKey(loan_id="L1", due_date=OLD): OLD - timedelta(days=2)}
    assert ledger.part(PostgresHolds).not_listed(heard, first=-2, last=21) == {}


def test_it_is_removed_after_its_last_event_and_never_told_again(ledger, tmp_path):
    request = told(ledger)
    rows(ledger, "UPDATE deliveries SET answered_at = :at", at=YOUNG)
    assert remove(ledger, tmp_path).loans == 0
    rows(ledger, "UPDATE deliveries SET answered_at = :at", at=OLD)
    assert remove(ledger, tmp_path).loans == 1
    for table in ("loans_seen", "deliveries", "notices", "delivery_loans", "loan_ends"):
        assert rows(ledger, f"SELECT count(*) FROM {table}") == [(0,)]
    run = extracted(ledger, [request], stage=HOLD, due_date=OLD, today=OLD, reference_date=OLD, dag_run_id="once more")
    with ledger.planning(run.run_id) as planning:
        assert set(planning.history([KEY])) == {(KEY, slot) for slot in Slot}


def test_a_missed_day_is_seen_for_the_stages_that_are_asked_about(ledger):
    told(ledger)
    last = OLD + timedelta(days=2)
    watched = ledger.days_to_watch(since=OLD, until=last, stages=(*Stage, HOLD))
    assert [(one.stage, one.day) for one in watched] == [(HOLD, OLD + timedelta(days=1)), (HOLD, last)]
    assert ledger.days_to_watch(since=OLD, until=last) == ()


def test_an_older_ledger_has_no_word_for_it(postgres_server, own_ledger):
    url = postgres_server.url(own_ledger)
    with connect(url, library="demo") as ledger:
        told(ledger)
    migrate.downgrade(url, "0019")
    for table in ("runs", "notices", "deliveries", "loans_seen", "loan_ends", "message_counters"):
        assert postgres_server.execute(f"SELECT count(*) FROM {table}", database=own_ledger) == [(0,)]
    migrate.upgrade(url)
    assert migrate.current(url) == SCHEMA_REVISION
