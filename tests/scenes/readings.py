"""Runs that read so many loans of the ILS, with so many addresses and unknown codes, on the same weekday for weeks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from loan_reminders.domain.loans import CodeKind
from loan_reminders.domain.ports.outside import Run
from loan_reminders.domain.runs.reading.tally import Reading, UnknownCode
from loan_reminders.ledger.repository import PostgresLedger
from tests.scenes.builders import DUE_DATE
from tests.scenes.ledger_runs import opened

READING = Reading(
    loans=100,
    rejected=2,
    with_email=95,
    with_mobile=60,
    repaired=4,
    lost=1,
    unknown_loans=14,
    unknown=(
        UnknownCode(kind=CodeKind.STATUS, code="99", loans=12),
        UnknownCode(kind=CodeKind.STATUS, code=None, loans=3),
        UnknownCode(kind=CodeKind.BRANCH, code="", loans=1),
    ),
)
USUAL = Reading(loans=100, with_email=95, with_mobile=60)


def read(
    ledger: PostgresLedger,
    reading: Reading = READING,
    *,
    weeks: int = 0,
    day: int = 0,
    loans: int | None = None,
    **changes: Any,
) -> Run:
    """A run of the same weekday, or so many days after it, some weeks before, that read so much."""
    due_date = DUE_DATE + timedelta(days=day, weeks=-weeks)
    days = {"reference_date": due_date + timedelta(days=1), "due_date": due_date}
    name = f"run {weeks}+{day}" if day else f"run {weeks}"
    run = opened(ledger, **{"dag_run_id": name, **days, **changes})
    ledger.finish_extraction(run.run_id, reading.loans if loans is None else loans, reading)
    return run


def usual_weeks(ledger: PostgresLedger, weeks: int = 4, reading: Reading = USUAL, **changes: Any) -> None:
    """Some weeks in which all was as usual."""
    for number in range(weeks, 0, -1):
        read(ledger, reading, weeks=number, **changes)
