"""Read the loans of one due date from the ILS into the ledger."""

from __future__ import annotations

import logging
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice

from loan_reminders.domain.loans import Loan
from loan_reminders.domain.ports.outside import Ledger, LoanSource, Run
from loan_reminders.domain.runs.planning import out_of_time
from loan_reminders.domain.runs.reading.tally import Tally
from loan_reminders.domain.stages import Channel, Policy, StageRule
from loan_reminders.french.plurals import many
from loan_reminders.french.readings import reading_words
from loan_reminders.services.runs.beside import Beside

log = logging.getLogger(__name__)

MISSED_WITHIN_DAYS = 30
"""How far back a run looks for days without a green run; later stages have taken over what is older."""

FAILED_WITHIN = timedelta(days=14)
"""How long ago an e-mail may have failed for a letter to take its place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """The run that is asked for: whose rule, for which day, on which day, by which run of Airflow."""

    rule: StageRule
    reference_date: date
    today: date
    dag_run_id: str
    dry_run: bool


def extract_loans(
    ledger: Ledger,
    source: LoanSource,
    request: RunRequest,
    *,
    policy: Policy | None = None,
    since: datetime | None = None,
    chunk_size: int = 1000,
) -> Run:
    """Begin a run and write every loan due that day, `chunk_size` rows at a time, as they come.

    A row that cannot be read is recorded with its reason and does not stop the run. When the ILS fails on the
    way the run stays open, and the next try begins it afresh. Rows are written while the next ones are read: the
    ledger's machine and this one work at once. With `policy` and `since`, the loans of other days whose e-mail of this
    stage failed since that moment are taken up again, when the stage has letters: it came back since, or the run that
    sent it died before its letters.
    """
    rule = request.rule
    run = ledger.open_run(
        stage=rule.stage,
        reference_date=request.reference_date,
        due_date=rule.due_date_on(request.reference_date),
        today=request.today,
        dag_run_id=request.dag_run_id,
        dry_run=request.dry_run,
    )
    log.info("Prêts à échéance du %s (jour de référence %s)", run.due_date, run.reference_date)
    read, tally = 0, Tally()
    writing: Future[None] | None = None
    with closing(source.loans_due(run.due_date, today=run.today)) as rows, Beside() as beside:
        while chunk := list(islice(rows, chunk_size)):
            if writing is not None:
                writing.result()  # one page at most is under way, so that memory does not grow with the run
            writing = beside.ask(ledger.record_loans, run.run_id, chunk)
            read += len(chunk)
            for row in chunk:
                tally.count(row)
            log.info("Prêts lus : %d", read)
    if policy is not None and since is not None:
        read += _take_up_failed_emails(ledger, source, run=run, policy=policy, since=since)
    reading = tally.reading()
    ledger.finish_extraction(run.run_id, read, reading)
    for line in reading_words(reading):
        log.warning("%s", line)
    log.info("Extraction terminée : %s", many(read, "prêt", "prêts"))
    missed = ledger.missed_days(run.run_id, within_days=MISSED_WITHIN_DAYS)
    if missed:
        log.warning(
            "Jours sans tournée réussie : %s. Pour les rattraper : « Déclencher », avec leur jour de référence.",
            ", ".join(f"{day:%d/%m/%Y}" for day in missed),
        )
    return run


def _take_up_failed_emails(ledger: Ledger, source: LoanSource, *, run: Run, policy: Policy, since: datetime) -> int:
    """Record the loans whose e-mail failed and that a letter may still remind of; returns how many."""
    if all(rule.channel is not Channel.LETTER for rule in policy.rule(run.stage).channels):
        return 0
    not_reached: list[Loan] = [
        loan
        for loan in ledger.loans_of_failed_emails(run.run_id, since=since)
        if out_of_time(loan.due_date, stage=run.stage, policy=policy, today=run.today) is None
    ]
    if not not_reached:
        return 0
    now = source.due_dates_now([loan.loan_id for loan in not_reached])
    still_open = [loan for loan in not_reached if now.get(loan.loan_id) == loan.due_date]
    ledger.record_loans(run.run_id, still_open)
    log.info("Prêts repris, dont l'e-mail n'est pas arrivé : %d", len(still_open))
    return len(still_open)
