"""Extraire les prêts: read the ILS into the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loan_reminders.domain.calendar_day import reference_date
from loan_reminders.operators.base import ReminderOperator
from loan_reminders.services.extract import extract_loans

if TYPE_CHECKING:
    from airflow.sdk import Context

    from loan_reminders.domain.ports import Ledger


class ExtractLoans(ReminderOperator):
    """Begins a run with the loans that the stage handles that day; returns the run's id in the ledger."""

    def work(self, context: Context, ledger: Ledger) -> int:
        """Read the loans due on the run's day."""
        dag_run, params = context["dag_run"], context["params"]
        day = reference_date(
            param=params["reference_date"],
            logical_date=dag_run.logical_date,
            run_after=dag_run.run_after,
            time_zone=self.config.zone,
        )
        run = extract_loans(
            ledger,
            self.loan_source(),
            rule=self.config.policy().rule(self.stage),
            reference_date=day,
            today=self.now().date(),
            dag_run_id=dag_run.run_id,
            dry_run=params["dry_run"],
        )
        return run.run_id
