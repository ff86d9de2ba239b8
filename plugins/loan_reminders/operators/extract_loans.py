"""Extraire les prêts: read the ILS into the ledger."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from loan_reminders.domain.clock import midnight
from loan_reminders.domain.runs.reference_date import reference_date
from loan_reminders.operators.base import OUTSIDE_TIMEOUT, ReminderOperator
from loan_reminders.operators.links import MissedDaysLink
from loan_reminders.services.runs.check_templates import check_templates
from loan_reminders.services.runs.extract import FAILED_WITHIN, RunRequest, extract_loans

if TYPE_CHECKING:
    from airflow.sdk import Context

    from loan_reminders.domain.ports.outside import Ledger


BACKFILL = "backfill"
"""Airflow's kind of a run that « Rattrapage » made (`DagRunType.BACKFILL_JOB`)."""


def is_backfill(dag_run: Any) -> bool:
    """Whether a run was made by « Rattrapage »; outside Airflow, none is."""
    return getattr(dag_run, "run_type", None) == BACKFILL


class ExtractLoans(ReminderOperator):
    """Begins a run with the loans that the stage handles that day; returns the run's id in the ledger."""

    usual_id = "extract_loans"
    operator_extra_links = (MissedDaysLink(),)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"execution_timeout": OUTSIDE_TIMEOUT, **kwargs})

    def work(self, context: Context, ledger: Ledger, now: datetime) -> int:
        """Read the loans due on the run's day, once every template of the stage is known to be sound."""
        request = self._request(context, now.date())
        self._check_templates(now.date())
        since = midnight(now) - FAILED_WITHIN
        return extract_loans(ledger, self.loan_source(), request, policy=self.config.policy(), since=since).run_id

    def _check_templates(self, today: date) -> None:
        """Raise TemplateError, naming file and line, before a reader is planned for."""
        ours = self.config
        check_templates(
            ours.templates,
            rules=(ours.policy().rule(self.stage),),
            library=ours.identity(),
            layout=ours.letter_layout(),
            text_rules=ours.text_rules(),
            today=today,
        )

    def _request(self, context: Context, today: date) -> RunRequest:
        """What this run of Airflow asks for."""
        dag_run, params = context["dag_run"], context["params"]
        day = reference_date(
            param=params["reference_date"],
            logical_date=dag_run.logical_date,
            run_after=dag_run.run_after,
            time_zone=self.config.zone,
            today=today,
            backfill=is_backfill(dag_run),
        )
        return RunRequest(
            rule=self.config.policy().rule(self.stage),
            reference_date=day,
            today=today,
            dag_run_id=dag_run.run_id,
            dry_run=params["dry_run"],
        )
