"""Regarder les retours: ask the ILS which of the loans that runs have seen are still open; and what SMS do to that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loan_reminders.operators.base import LibraryOperator, only_temporary_errors_are_retried
from loan_reminders.services.statistics.look_at_loans import look_at_loans
from loan_reminders.services.statistics.measure_effect import measure_effect

if TYPE_CHECKING:
    from airflow.sdk import Context

    from loan_reminders.domain.ports.outside import Ledger
    from loan_reminders.domain.statistics.effect import Findings


class LookAtLoans(LibraryOperator):
    """Keeps the day on which loans ended, for the figures; returns counts. Nothing is sent."""

    usual_id = "look_at_loans"

    def execute(self, context: Context) -> dict[str, int]:
        """Ask about all loans not known to have ended, on the library's day."""
        with only_temporary_errors_are_retried(), self.ledger() as ledger:
            months = self.config.statistics.follow_months
            return look_at_loans(ledger.loan_ends(), self.loan_source(), today=self.now().date(), months=months)


class MeasureEffect(LibraryOperator):
    """Works out, once a night, what the page « Effet des SMS » says; returns counts. Nothing is asked or sent."""

    usual_id = "measure_effect"

    def execute(self, context: Context) -> dict[str, int]:
        """Count and compare, on the library's day."""
        with only_temporary_errors_are_retried(), self.ledger() as ledger:
            findings = self._measured(ledger)
        return {"months": len(findings.months), "comparisons": len(findings.comparisons)}

    def _measured(self, ledger: Ledger) -> Findings:
        from loan_reminders.hooks.effect import effect_counts, statistics

        return measure_effect(
            effect_counts(ledger),
            statistics(),
            today=self.now().date(),
            zone=self.config.library.time_zone,
            compare_from=self.config.statistics.compare_from,
            current=self.config.sms.held_back(),
        )
