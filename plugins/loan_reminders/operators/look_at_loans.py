"""Regarder les retours: ask the ILS which of the loans that runs have seen are still open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loan_reminders.operators.base import LibraryOperator, only_temporary_errors_are_retried
from loan_reminders.services.statistics.look_at_loans import look_at_loans

if TYPE_CHECKING:
    from airflow.sdk import Context


class LookAtLoans(LibraryOperator):
    """Keeps the day on which loans ended, for the figures; returns counts. Nothing is sent."""

    usual_id = "look_at_loans"

    def execute(self, context: Context) -> dict[str, int]:
        """Ask about all loans not known to have ended, on the library's day."""
        with only_temporary_errors_are_retried(), self.ledger() as ledger:
            months = self.config.statistics.follow_months
            return look_at_loans(ledger.loan_ends(), self.loan_source(), today=self.now().date(), months=months)
