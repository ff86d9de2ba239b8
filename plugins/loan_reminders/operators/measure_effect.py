"""Mesurer l'effet des SMS: count the month's returns and overdues, and keep what may be concluded from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loan_reminders.operators.base import LibraryOperator, only_temporary_errors_are_retried
from loan_reminders.services.statistics.measure_effect import measure_effect

if TYPE_CHECKING:
    from airflow.sdk import Context


class MeasureEffect(LibraryOperator):
    """Works out, once a night, what the page « Effet des SMS » says; returns counts. Nothing is asked or sent."""

    usual_id = "measure_effect"

    def execute(self, context: Context) -> dict[str, int]:
        """Count and compare, on the library's day."""
        from loan_reminders.hooks.effect import effect_counts, statistics

        ours = self.config
        with only_temporary_errors_are_retried(), self.ledger() as ledger:
            findings = measure_effect(
                effect_counts(ledger),
                statistics(),
                today=self.now().date(),
                zone=ours.library.time_zone,
                compare_from=ours.statistics.compare_from,
                current=ours.sms.held_back(),
            )
        return {"months": len(findings.months), "comparisons": len(findings.comparisons)}
