"""Préparer les avis: decide who is told, and by which channel."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from loan_reminders.domain.email.share import shares
from loan_reminders.domain.stages import Channel
from loan_reminders.operators.base import RunOperator
from loan_reminders.services.runs.plan import plan_run

if TYPE_CHECKING:
    from airflow.sdk import Context

    from loan_reminders.domain.ports.outside import Ledger


class PlanNotices(RunOperator):
    """Writes the run's notices and deliveries to the ledger; returns the shares in which its e-mails are sent.

    How many deliveries it planned, by channel, is the XCom `deliveries`.
    """

    usual_id = "plan_notices"

    def work(self, context: Context, ledger: Ledger, now: datetime) -> list[dict[str, int]]:
        """Plan the run."""
        planned = plan_run(ledger, run_id=self.run_id, policy=self.config.policy())
        if (push := getattr(context.get("ti"), "xcom_push", None)) is not None:
            push(key="deliveries", value=planned)
        emails = ledger.planned_volume(self.run_id).get(Channel.EMAIL, 0)
        return [share.numbers() for share in shares(emails, workers=self.config.email.workers)]
