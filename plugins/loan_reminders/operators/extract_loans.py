"""Extraire les prêts: read the ILS into the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loan_reminders.domain.calendar_day import reference_date
from loan_reminders.operators.base import ReminderOperator
from loan_reminders.services.extract import extract_loans

if TYPE_CHECKING:
    from airflow.sdk import Context

    from loan_reminders.domain.ports import Ledger


class ExtractLoans(ReminderOperator):
    """Begins a run with the loans that the stage handles that day; returns the run's id in the ledger."""

    def __init__(self, *, ils_conn_id: str = "ils_oracle", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.ils_conn_id = ils_conn_id

    def work(self, context: Context, ledger: Ledger) -> int:
        """Read the loans due on the run's day."""
        from loan_reminders.hooks.ils import loan_source

        dag_run, params = context["dag_run"], context["params"]
        day = reference_date(
            param=params["reference_date"],
            logical_date=dag_run.logical_date,
            run_after=dag_run.run_after,
            time_zone=self.config.zone,
        )
        source = loan_source(self.ils_conn_id, ils=self.config.ils, codes=self.config.codes())
        run = extract_loans(
            ledger,
            source,
            rule=self.config.policy().rule(self.stage),
            reference_date=day,
            today=self.now().date(),
            dag_run_id=dag_run.run_id,
            dry_run=params["dry_run"],
        )
        return run.run_id
