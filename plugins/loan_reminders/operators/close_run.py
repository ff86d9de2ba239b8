"""Clore et vérifier: the books must balance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loan_reminders.domain.errors import BooksDoNotBalance
from loan_reminders.operators.base import RunOperator
from loan_reminders.services.close import close_run

if TYPE_CHECKING:
    from airflow.sdk import Context

    from loan_reminders.domain.ports import Ledger


class CloseRun(RunOperator):
    """Counts the run's books, also after a failure, and fails when anything is neither done nor explained."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"trigger_rule": "all_done", **kwargs})

    def work(self, context: Context, ledger: Ledger) -> dict[str, int]:
        """Close the run."""
        if self.run_id is None:
            raise BooksDoNotBalance("L'extraction n'a pas abouti : relancer « Extraire les prêts »")
        books = close_run(ledger, run_id=self.run_id)
        return {"loans": books.loans_extracted, "notices": books.notices, "deliveries": books.deliveries_planned}
