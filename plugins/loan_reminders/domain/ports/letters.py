"""What the use cases about letters on paper need: a printer, the letters' part of the ledger, the letter store."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Protocol

from loan_reminders.domain.letters.batch_list import BatchPage, BatchQuery, LetterPlace, LetterQuery
from loan_reminders.domain.letters.batches import (
    BatchLetter,
    BatchState,
    BatchView,
    DraftLetter,
    EarlierReminder,
    PrintedBatch,
)
from loan_reminders.domain.letters.print_checks import PrintCheck
from loan_reminders.domain.messages import RenderedLetter
from loan_reminders.domain.notices import Delivery, LoanKey
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import Reason


class LetterPrinter(Protocol):
    """Writes a library's letters and makes the PDF files that a librarian takes to the printer."""

    def letter(self, delivery: Delivery, *, today: date, earlier: Sequence[EarlierReminder] = ()) -> RenderedLetter:
        """What one letter says, written today. Raises RecipientError when the recipient is no postal address.

        `earlier` are the reminders about these loans that left before; those after today are left out.
        """
        ...

    def check(self, *, stage: Stage, kind: Channel, today: date) -> None:
        """Make sure that letters of this stage can be laid out. Raises TemplateError, naming file and line."""
        ...

    def print_batch(
        self, letters: Iterable[RenderedLetter], *, stage: Stage, kind: Channel, today: date, folder: Path
    ) -> PrintedBatch:
        """Lay out a batch dated today into PDF files of `folder`, which the caller owns and removes.

        A letter that cannot be laid out is set aside and the others are printed. Raises TemplateError,
        LettersNotPrinted or SettingsError (fonts) when nothing can be, LetterStoreUnavailable when the disk refuses.
        """
        ...


class LetterBatches(Protocol):
    """The part of the ledger where batches of letters are kept. Raises LedgerUnavailable."""

    def batches(self, *, states: Sequence[BatchState] = (), limit: int = 200) -> Sequence[BatchView]:
        """Batches, the newest first; `states` empty means every state."""
        ...

    def listed(self, query: BatchQuery) -> BatchPage:
        """One page of the list of batches, as it was asked for."""
        ...

    def batch(self, batch_id: int) -> BatchView | None:
        """One batch of this library, None when there is none of that number."""
        ...

    def letters_of(self, batch_id: int) -> Sequence[BatchLetter]:
        """The letters of a batch in their order, those left out too."""
        ...

    def some_letters_of(self, batch_id: int, query: LetterQuery) -> Sequence[BatchLetter]:
        """One page of the letters of a batch, as it was asked for."""
        ...

    def places_of(self, batch_id: int) -> Sequence[LetterPlace]:
        """Where each letter of a batch is, in their order, those left out too: nobody's name, and quick to read."""
        ...

    def letter(self, reference: str) -> BatchLetter | None:
        """The letter with this reference in the batch it was last printed in."""
        ...

    def leave_out(self, batch_id: int, letters: Mapping[uuid.UUID, Reason], *, who: str, detail: str = "") -> int:
        """Take letters out of a closed batch that nobody printed yet: their deliveries are cancelled.

        Returns how many were; a batch already printed does not change.
        """
        ...

    def held(self, batch_id: int, *, today: date) -> Mapping[uuid.UUID, frozenset[LoanKey]]:
        """The letters of a batch that name a loan not to write about today, each with those loans."""
        ...

    def told_later(self, batch_id: int) -> frozenset[LoanKey]:
        """The loans of a batch that an e-mail or a letter of a later stage tells of, or is about to.

        What waits for a person's approval does not count, nor what was cancelled or did not arrive.
        """
        ...

    def to_dead_addresses(self, batch_id: int) -> frozenset[uuid.UUID]:
        """The letters of a batch to addresses from which a letter has come back as undeliverable."""
        ...

    def mark_printed(self, batch_id: int, *, who: str, to_provider: bool = False) -> bool:
        """Say that a closed batch went to the printer, or to a mailing service; False when it had before.

        Its content never changes again.
        """
        ...

    def went_to_provider(self, batch_id: int) -> bool:
        """Whether a printed batch was given as the file for a mailing service."""
        ...

    def note_given_again(self, batch_id: int, *, who: str) -> None:
        """Keep that the file of a printed batch was given a second time to the person who printed it."""
        ...

    def note_download(self, batch_id: int, what: str, *, who: str) -> None:
        """Keep that a list of a batch's readers was downloaded; `what` says which, in words."""
        ...

    def batches_recorded(self, run_id: int) -> int:
        """How many closed batches a run has: ready for the printer, or printed."""
        ...

    def note_copy(self, batch_id: int, delivery_id: uuid.UUID | None, *, who: str) -> None:
        """Keep that a copy of a batch, or of one letter of it, was made."""
        ...


class PrintChecks(Protocol):
    """The part of the ledger that knows how far the ILS has been asked about a batch. Raises LedgerUnavailable."""

    def check(self, batch_id: int) -> PrintCheck | None:
        """The last check of a batch, None when there was none."""
        ...

    def start(self, batch_id: int, *, who: str, loans: int) -> uuid.UUID | None:
        """Begin a check; returns its key, None when another one is at work. One that died is replaced."""
        ...

    def progress(self, key: uuid.UUID, *, asked: int) -> None:
        """Say how many loans are known so far. A check that was replaced meanwhile says nothing any more."""
        ...

    def answered(
        self,
        key: uuid.UUID,
        *,
        returned: int,
        renewed: int,
        partly: Sequence[str],
        held: int = 0,
        held_with_others: Sequence[str] = (),
        superseded: int = 0,
        dead_address: int = 0,
    ) -> None:
        """Keep what was found about the batch: see `PrintCheck`."""
        ...

    def failed(self, key: uuid.UUID, *, problem: str) -> None:
        """Keep, in words, why the ILS said nothing."""
        ...


class LetterDrafts(Protocol):
    """The part of the ledger where a run's drafts wait for a librarian's approval. Raises LedgerUnavailable."""

    def drafts_recorded(self, run_id: int) -> int:
        """How many drafts a run ever had, the abandoned ones included."""
        ...

    def drafts(self, run_id: int) -> Sequence[BatchView]:
        """The drafts of a run that wait, the oldest first."""
        ...

    def letters(self, run_id: int) -> Sequence[DraftLetter]:
        """The letters of these drafts in their order, those taken out too."""
        ...

    def approve(self, run_id: int, *, taken_out: Collection[uuid.UUID], who: str, detail: str = "") -> int:
        """Say who approved a run's drafts, and cancel the letters taken out of them; returns how many these were."""
        ...

    def take_out(self, run_id: int, letters: Collection[uuid.UUID], *, who: str, detail: str) -> int:
        """Cancel letters of a run's drafts that wait, whether approved or not; returns how many were."""
        ...

    def refuse(self, run_id: int, *, who: str, detail: str = "") -> int:
        """Cancel a run's registered letters that wait and abandon its drafts; returns how many letters."""
        ...

    def approved(self, run_id: int) -> frozenset[uuid.UUID]:
        """The letters of a run's approved drafts that were not taken out."""
        ...

    def abandon(self, run_id: int, *, keep: Collection[str] = ()) -> int:
        """Abandon a run's drafts but those named in `keep`; returns how many were."""
        ...

    def abandoned(self, run_id: int) -> Sequence[str]:
        """The names of a run's abandoned drafts, whose files are to be removed."""
        ...


class LetterArchive(Protocol):
    """The letter store as readers of old batches need it. Raises LetterStoreUnavailable."""

    def read(self, location: str) -> Iterator[bytes]:
        """One stored file, piece by piece; `location` is what `LetterStore.store` returned."""
        ...
