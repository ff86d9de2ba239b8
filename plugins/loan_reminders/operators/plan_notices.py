"""Préparer les avis: decide who is told, and by which channel."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from loan_reminders.operators.base import RunOperator
from loan_reminders.services.runs.plan import plan_run

if TYPE_CHECKING:
    from airflow.sdk import Context

    from loan_reminders.domain.ports.outside import Ledger


class PlanNotices(RunOperator):
    """Writes the run's notices and deliveries to the ledger; returns deliveries by channel."""

    usual_id = "plan_notices"

    def work(self, context: Context, ledger: Ledger, now: datetime) -> dict[str, int]:
        """Plan the run."""
        return plan_run(ledger, run_id=self.run_id, policy=self.config.policy())
