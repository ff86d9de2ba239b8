"""Préparer et imprimer les lettres: PDFs, lists of recipients and posting slips, by run, kind and maybe branch."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.operators.base import RunOperator, SendingOperator
from loan_reminders.operators.links import BatchLink
from loan_reminders.services.letters.batches import LetterSetup, sweep_work_folders
from loan_reminders.services.letters.printing import clear_away, print_letters
from loan_reminders.services.letters.take_over import take_over_by_letter
from loan_reminders.services.registered.approval import prepare_letters
from loan_reminders.services.runs.rehearse import sweep_rehearsals

if TYPE_CHECKING:
    from airflow.sdk import Context

    from loan_reminders.domain.ports.outside import Ledger, LetterStore


class LetterOperator(RunOperator):
    """An operator that lays letters out."""

    operator_extra_links = (BatchLink(),)

    def sweep(self, store: LetterStore, now: datetime) -> None:
        """Remove what killed processes and old dry runs left.

        The folders of work in progress are judged by the machine's clock, as the times of files are: they are those of
        all runs on this machine, and a run may believe in another day.
        """
        sweep_work_folders(datetime.now(UTC))
        sweep_rehearsals(store, now)

    def setup(self, now: datetime) -> LetterSetup:
        """What the settings say of letters. All letters of one task bear one date, that of `now`."""
        from loan_reminders.hooks.letter_printer import letter_printer

        ours = self.config.letters
        return LetterSetup(
            printer=letter_printer(self.config),
            templates=self.config.templates,
            library=self.config.identity(),
            today=now.date(),
            zone=self.config.library.time_zone,
            split_by_branch=ours.split_by_branch,
            level=ours.guarantee_level,
            trial=self.config.redirect is not None,
        )


class PrepareLetters(LetterOperator):
    """Lays out the registered letters that wait as drafts to approve; returns how many, nothing without approval."""

    usual_id = "prepare_letters"

    def work(self, context: Context, ledger: Ledger, now: datetime) -> dict[str, int]:
        """Prepare."""
        from loan_reminders.hooks.letter_store import letter_store

        self.check_approved(ledger)
        if not self.config.letters.approve_registered:
            return {}
        store = letter_store()
        self.sweep(store, now)
        return prepare_letters(ledger, store, self.setup(now), run_id=self.run_id, still_due=self.still_due(ledger))


class PrintLetters(LetterOperator, SendingOperator):
    """Lays out the letters that wait and stores them for printing; returns deliveries by state.

    Readers whose e-mail of this run did not arrive get a letter too, where the stage has one: the task waits for the
    e-mails' answers. When their task fails, the letters go on.
    """

    usual_id = "print_letters"

    def work(self, context: Context, ledger: Ledger, now: datetime) -> dict[str, int]:
        """Print, or in a dry run store the batch marked as such."""
        from loan_reminders.hooks.letter_store import letter_store

        self.check_approved(ledger)
        take_over_by_letter(ledger, run_id=self.run_id, policy=self.config.policy())
        store, setup, still_due = letter_store(), self.setup(now), self.still_due(ledger)
        self.sweep(store, now)
        approved_only = self.kind is Channel.REGISTERED_LETTER and self.config.letters.approve_registered
        return print_letters(
            ledger, store, setup, run_id=self.run_id, kind=self.kind, still_due=still_due, approved_only=approved_only
        )

    def clear_away(self, ledger: Ledger) -> None:
        """Remove the drafts of the run, and what a try that was interrupted had stored."""
        from loan_reminders.hooks.letter_store import letter_store

        clear_away(ledger, letter_store(), self.setup(self.now()), run_id=self.run_id, kind=self.kind)

    @property
    def kind(self) -> Channel:
        """Registered letters at the last stage, ordinary letters before."""
        return Channel.REGISTERED_LETTER if self.stage is Stage.REGISTERED_LETTER else Channel.LETTER
