"""Imprimer les lettres: one PDF and one list of recipients a run and kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.operators.base import RunOperator
from loan_reminders.services.print_letters import print_letters
from loan_reminders.settings import ROOT

if TYPE_CHECKING:
    from airflow.sdk import Context

    from loan_reminders.domain.ports import Ledger


class PrintLetters(RunOperator):
    """Lays out the letters that wait and stores them for printing; returns deliveries by state."""

    def work(self, context: Context, ledger: Ledger) -> dict[str, int]:
        """Print, or in a dry run store the batch marked as such."""
        from loan_reminders.hooks.letter_store import letter_store

        return print_letters(
            ledger,
            letter_store(),
            ROOT / "templates",
            run_id=self.run_id,
            kind=self.kind,
            library=self.config.identity(),
            workers=self.config.letters.workers,
            today=self.now().date(),
            still_due=self.still_due(ledger),
            trial=self.config.redirect is not None,
        )

    @property
    def kind(self) -> Channel:
        """Registered letters at the last stage, ordinary letters before."""
        return Channel.REGISTERED_LETTER if self.stage is Stage.REGISTERED_LETTER else Channel.LETTER
