"""Extraire les prêts: read the ILS into the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loan_reminders.domain.runs.reference_date import reference_date
from loan_reminders.operators.base import OUTSIDE_TIMEOUT, ReminderOperator
from loan_reminders.services.runs.check_templates import check_templates
from loan_reminders.services.runs.extract import extract_loans
from loan_reminders.settings.library_toml import ROOT

if TYPE_CHECKING:
    from airflow.sdk import Context

    from loan_reminders.domain.ports.outside import Ledger


class ExtractLoans(ReminderOperator):
    """Begins a run with the loans that the stage handles that day; returns the run's id in the ledger."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"execution_timeout": OUTSIDE_TIMEOUT, **kwargs})

    def work(self, context: Context, ledger: Ledger) -> int:
        """Read the loans due on the run's day, once every template of the stage is known to be sound."""
        self._check_templates()
        dag_run, params = context["dag_run"], context["params"]
        day = reference_date(
            param=params["reference_date"],
            logical_date=dag_run.logical_date,
            run_after=dag_run.run_after,
            time_zone=self.config.zone,
            today=self.now().date(),
        )
        run = extract_loans(
            ledger,
            self.loan_source(),
            rule=self.config.policy().rule(self.stage),
            reference_date=day,
            today=self.now().date(),
            dag_run_id=dag_run.run_id,
            dry_run=params["dry_run"],
            policy=self.config.policy(),
            midnight=self.now().replace(hour=0, minute=0, second=0, microsecond=0),
        )
        return run.run_id

    def _check_templates(self) -> None:
        """Raise TemplateError, naming file and line, before a reader is planned for."""
        ours = self.config
        check_templates(
            ROOT / "templates",
            rules=(ours.policy().rule(self.stage),),
            library=ours.identity(),
            layout=ours.letter_layout(),
            max_segments=ours.sms.max_segments,
            opt_out_mention=ours.sms.opt_out_mention,
            today=self.now().date(),
        )
