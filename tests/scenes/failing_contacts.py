"""Contacts that fail in the ledger, for its tests and the pages'."""

from __future__ import annotations

from datetime import timedelta

from loan_reminders.domain.loans import Patron
from loan_reminders.domain.notices import Skip
from loan_reminders.domain.readers.corrections import Correction
from loan_reminders.domain.stages import Slot, Stage
from loan_reminders.domain.states import Refusal, SkipReason
from loan_reminders.ledger.readers.corrections import PostgresCorrections
from loan_reminders.ledger.repository import PostgresLedger
from tests.scenes.builders import DUE_DATE, a_loan
from tests.scenes.ledger_runs import extracted

R = Refusal
NOTHING = {"email": R.MISSING, "mobile": R.MISSING, "address": R.MISSING}


def lines(ledger: PostgresLedger, **asked: object) -> list[Correction]:
    return list(ledger.part(PostgresCorrections).lines(**{"limit": 50, **asked}))


def skipped(
    ledger: PostgresLedger,
    patron: Patron,
    reason: SkipReason | None,
    detail: str = "",
    *,
    day: int = 0,
    stage: Stage = Stage.FIRST_REMINDER,
    dry_run: bool = False,
    slot: Slot | None = None,
) -> None:
    """A run of a later day that saw the reader, and skipped the loan for a reason, or for none."""
    loan = a_loan(loan_id=f"L{patron.patron_id}{day}", patron=patron, due_date=DUE_DATE + timedelta(days=day))
    run = extracted(
        ledger, [loan], dag_run_id=f"run {stage} {patron.patron_id} {day}", stage=stage, due_date=loan.due_date,
        dry_run=dry_run,
    )  # fmt: skip
    skips = [
        Skip(loan_id=loan.loan_id, due_date=loan.due_date, patron_id=patron.patron_id, reason=reason, detail=detail,
             slot=slot)
    ] if reason else []  # fmt: skip
    with ledger.planning(run.run_id) as planning:
        planning.record([], skips)
