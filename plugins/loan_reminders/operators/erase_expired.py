"""Effacer: remove what has been kept long enough."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loan_reminders.french.retention import NOT_YET
from loan_reminders.operators.base import LibraryOperator, only_temporary_errors_are_retried
from loan_reminders.services.retention.erase import erase_expired

if TYPE_CHECKING:
    from airflow.sdk import Context

    from loan_reminders.domain.ports.outside import Ledger
    from loan_reminders.domain.ports.retention import OldFiles, Retention


class EraseExpired(LibraryOperator):
    """Removes loans, messages, readers and letters whose time has come; returns counts.

    With the DAG's `dry_run`, or as long as `[retention] erase` is not true, it only counts.
    """

    usual_id = "erase_expired"

    def execute(self, context: Context) -> dict[str, Any]:
        """Remove or count, on the library's day."""
        ours, now = self.config.retention, self.now()
        if not ours.erase:
            self.log.warning(NOT_YET)
        terms = ours.terms(now.date())
        rehearse = bool(context["params"].get("dry_run")) or not ours.erase
        with only_temporary_errors_are_retried(), self.ledger() as ledger:
            removal, files = self.outside(ledger)
            removed = erase_expired(removal, ledger.loan_ends(), files, terms=terms, now=now, rehearse=rehearse)
        return {**removed.counts(), "dry_run": rehearse}

    def outside(self, ledger: Ledger) -> tuple[Retention, OldFiles]:
        """The removal in the ledger, and the store of letters."""
        from loan_reminders.hooks.letter_store import letter_store
        from loan_reminders.hooks.retention import retention

        return retention(ledger), letter_store()
