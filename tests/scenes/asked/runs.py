"""Runs: extracted, planned, sent, closed; what failed in them."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, date, datetime, timedelta

from loan_reminders.domain.email.share import Share
from loan_reminders.domain.loans import RejectedRow
from loan_reminders.domain.messages import SentWords
from loan_reminders.domain.notices import Skip
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState, Reason, SkipReason
from loan_reminders.ledger.email.pace import PostgresMailPace
from loan_reminders.ledger.repository import PostgresLedger
from tests.scenes.builders import DUE_DATE, a_delivery, a_loan, a_notice, a_patron
from tests.scenes.ledger_emails import came_back_in_a_mass
from tests.scenes.ledger_runs import answer, extracted, ids, keys, rows, some_deliveries
from tests.scenes.ledger_runs import planned as a_planned_run

S = DeliveryState
ZONE = "Europe/Paris"


def runs(ledger: PostgresLedger) -> None:
    loans = [a_loan(loan_id=f"N{place}", patron=a_patron(patron_id=f"N{place}")) for place in range(3)]
    bad = RejectedRow(loan_id="N9", patron_id="N9", code="missing", column="due_date", raw={})
    run = extracted(ledger, [*loans, bad], dag_run_id="run n")
    ledger.missed_days(run.run_id, within_days=30)
    now = datetime.now(UTC)
    ledger.loans_of_failed_emails(run.run_id, since=now - timedelta(days=14))
    deliveries = [a_delivery(notice=a_notice(loans=(loan,))) for loan in loans[:2]]
    skips = [Skip(loan_id="N2", due_date=DUE_DATE, patron_id="N2", reason=SkipReason.NO_RECIPIENT)]
    with ledger.planning(run.run_id) as planning:
        for page in planning.patrons():
            asked = keys(deliveries)
            planning.history(asked)
            planning.refused(asked)
            planning.suppressed([loan.patron.mobile for patron in page for loan in patron])
        planning.record(deliveries, skips)
    again = extracted(ledger, loans, dag_run_id="run o", reference_date=DUE_DATE + timedelta(days=2))
    with ledger.planning(again.run_id) as planning:
        planning.history(keys(deliveries))
        planning.adopt(keys(deliveries))
        planning.record([], skips)
    ledger.planned_volume(again.run_id)
    ledger.past_volumes(again.run_id, runs=20)
    ledger.sample(again.run_id, Channel.EMAIL, size=5)
    ledger.planned_count(again.run_id, Channel.EMAIL)
    readings = ledger.readings()
    readings.of(run.run_id)
    readings.before(again.run_id, since=date(2026, 6, 1))
    readings.doubted(again.run_id)
    ledger.close_run(run.run_id)
    # What a run adopted and a third one took from it is in the notice of neither.
    rows(ledger, "UPDATE runs SET loans_extracted = loans_extracted + 1 WHERE run_id = :id", id=again.run_id)
    ledger.close_run(again.run_id)
    ledger.cancel_waiting(again.run_id, Reason.NOT_APPROVED, [Channel.EMAIL])
    ledger.close_run(again.run_id)
    ledger.segments_since(now)
    ledger.sms_costs(first=date(2026, 11, 1), last=date(2026, 11, 30), zone=ZONE)


def sending(ledger: PostgresLedger) -> None:
    for channel in (Channel.EMAIL, Channel.SMS, Channel.LETTER):
        deliveries = some_deliveries(3, channel=channel, prefix=f"S{channel}")
        run = a_planned_run(ledger, deliveries, dag_run_id=f"run {channel}", stage=deliveries[0].notice.stage)
        with ledger.sender(run.run_id, channel) as sender:
            sender.waiting_loans()
            sender.numbers_texted_since(datetime.now(UTC) - timedelta(hours=10))
            list(sender.waiting())
            sender.earlier_reminders(deliveries, zone=ZONE)
            sender.drop({keys(deliveries)[0]: Reason.RETURNED})
            words = [SentWords(delivery_id=one.delivery_id, subject="", body="x") for one in deliveries]
            sender.claim(ids(deliveries), words)
            sender.record([answer(deliveries[1], S.PLANNED, Reason.RECIPIENT_DEFERRED)])
            sender.put_off_since_last_accepted()
            sender.fail_deferred()
            sender.cancel_waiting(Reason.EXPIRED)
        with ledger.sender(run.run_id, channel, share=Share(number=1, of=2)) as one_of_two:
            one_of_two.refused_elsewhere()
            one_of_two.others_at_work()
    with closing(PostgresMailPace(ledger.engine, library=ledger.library, per_minute=60_000)) as pace:
        pace.wait()


def failed(ledger: PostgresLedger) -> None:
    """E-mails that failed: remembered, held when too many, taken over by letters; and runs that stand still."""
    came_back_in_a_mass(ledger)
    ledger.mail_feedback().held()
    ledger.mail_feedback().decide("univ.example", dead=True, who="zoé", failures=3)
    ledger.remember_refused_addresses()
    email = some_deliveries(1, prefix="over")
    run = a_planned_run(ledger, email, dag_run_id="run over", stage=email[0].notice.stage)
    ledger.unfinished_runs(run.run_id)
    with ledger.taking_over(run.run_id) as planning:
        list(planning.patrons())
    ledger.days_to_watch(since=date(2026, 11, 1), until=date(2026, 11, 30))
