"""Letters on paper: their batches, and the life of a registered letter; every step is a person's, and is kept."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path

from loan_reminders.domain.notices import LoanKey
from loan_reminders.domain.recipients import PostalAddress
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import Reason


class BatchState(StrEnum):
    """How far a batch of letters is.

    `DRAFT`: laid out, waits for a librarian's approval. `READY`: closed, to be printed. `PRINTED`: a librarian took its
    PDF to the printer; its content never changes any more. `ABANDONED`: a draft that was refused or replaced.
    """

    DRAFT = "draft"
    READY = "ready"
    PRINTED = "printed"
    ABANDONED = "abandoned"


class RegisteredState(StrEnum):
    """Where a registered letter is, as far as a person said so."""

    TO_PRINT = "to_print"
    PRINTED = "printed"
    NUMBERED = "numbered"
    POSTED = "posted"
    ACKNOWLEDGED = "acknowledged"
    RETURNED = "returned"


class ReturnReason(StrEnum):
    """Why the post brought a registered letter back. `RETURNED_UNDELIVERABLE` is NPAI: the address is bad."""

    UNCLAIMED = "unclaimed"
    RETURNED_UNDELIVERABLE = "returned_undeliverable"
    REFUSED_BY_READER = "refused_by_reader"


class LetterAct(StrEnum):
    """What a person, or the program for them, did to a batch or to one letter of it."""

    DRAFTED = "drafted"
    APPROVED = "approved"
    NOT_APPROVED = "not_approved"
    CLOSED = "closed"
    TAKEN_OUT = "taken_out"
    LEFT_OUT = "left_out"
    PRINTED = "printed"
    GIVEN_AGAIN = "given_again"
    COPIED = "copied"
    NUMBERED = "numbered"
    POSTED = "posted"
    ACKNOWLEDGED = "acknowledged"
    RETURNED = "returned"
    UNDONE = "undone"


class BatchRefusal(StrEnum):
    """Why a librarian's step with a batch of letters is refused.

    The first three are states of the batch that do not allow it. `UNKNOWN_…`: there is no such thing. `TRIAL`: its
    letters are not for the post.
    """

    DRAFT = "draft"
    PRINTED = "printed"
    ABANDONED = "abandoned"
    NOT_PRINTED = "not_printed"
    NOTHING_TO_PRINT = "nothing_to_print"
    NOTHING_LEFT = "nothing_left"
    NO_REASON = "no_reason"
    NOT_IN_DRAFT = "not_in_draft"
    NOT_IN_BATCH = "not_in_batch"
    UNKNOWN_BATCH = "unknown_batch"
    UNKNOWN_FILE = "unknown_file"
    UNKNOWN_LETTER = "unknown_letter"
    UNKNOWN_PAGE = "unknown_page"
    UNKNOWN_SLIP = "unknown_slip"
    ILS_NOT_ASKED = "ils_not_asked"
    TRIAL = "trial"


class ReturnRefusal(StrEnum):
    """Why the return of an ordinary letter cannot be noted at the desk."""

    UNKNOWN_LETTER = "unknown_letter"
    AMBIGUOUS = "ambiguous"
    REGISTERED = "registered"
    LEFT_OUT = "left_out"
    NOT_PRINTED = "not_printed"


class EnvelopeWindow(StrEnum):
    """The envelope's window: format of the envelope, height of the window in millimetres (100 wide)."""

    DL_45 = "DL-45"
    DL_35 = "DL-35"
    C65_45 = "C6/5-45"
    C65_35 = "C6/5-35"


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterLayout:
    """How a library's letters are laid out.

    `logo` is a picture below `templates/`, or empty. `recto_start` begins each letter on the front of a sheet.
    `signature` is who signs, a line each. `deadline_days` is what a formal notice grants, `rules_reference` the
    rules it rests on (empty: none named). `letters_per_file` bounds one PDF of a batch.
    """

    window: EnvelopeWindow = EnvelopeWindow.DL_45
    logo: str = ""
    recto_start: bool = True
    signature: tuple[str, ...] = ("Le service du prêt",)
    deadline_days: int = 15
    rules_reference: str = ""
    letters_per_file: int = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierReminder:
    """A reminder about a loan of this cycle that left before: which, how, on which day."""

    stage: Stage
    channel: Channel
    left_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchView:
    """A batch as the ledger holds it. `pdfs` are its files for the printer, in order, `slip` the posting slip or "".

    `letters` and `pages` count what was laid out, `left_out` the letters that were taken out since. A `trial` was made
    while messages were redirected: whatever is set afterwards, its letters are not for the post.
    """

    batch_id: int
    run_id: int
    stage: Stage
    reference_date: date
    name: str
    kind: Channel
    branch: str
    state: BatchState
    pdfs: tuple[str, ...]
    csv: str
    slip: str
    letters: int
    pages: int
    left_out: int
    at: datetime
    printed_at: datetime | None
    printed_by: str
    trial: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftLetter:
    """One letter of a draft, without anybody's name: `waiting` says that its delivery is still this run's to send."""

    delivery_id: uuid.UUID
    batch_id: int
    reference: str
    documents: int
    pages: int
    waiting: bool
    left_out: Reason | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLetter:
    """One letter of a batch: whose it is, what it is about, and its pages (from 1) in the PDF number `volume` (from 1).

    `left_out` says why it is not to be posted, None when it is. `reader_number` is the number of the reader's page,
    None when he was erased.
    """

    delivery_id: uuid.UUID
    batch_id: int
    reference: str
    patron_id: str
    patron_name: str
    reader_number: int | None
    recipient: PostalAddress
    loans: tuple[LoanKey, ...]
    position: int
    volume: int
    first_page: int
    last_page: int
    left_out: Reason | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedLetter:
    """Where a letter is in its batch: pages `first_page` to `last_page` (from 1) of the file `volume` (from 1)."""

    delivery_id: uuid.UUID
    reference: str
    recipient: PostalAddress
    first_page: int
    pages: int
    volume: int = 1

    @property
    def last_page(self) -> int:
        """The page the letter ends on, counted from 1 in its file."""
        return self.first_page + self.pages - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedBatch:
    """A batch ready for the printer: `pdfs` are its volumes in order, none when no letter could be laid out.

    `set_aside` says which letters are in none of them, and why.
    """

    pdfs: tuple[Path, ...]
    letters: tuple[PrintedLetter, ...]
    set_aside: tuple[tuple[uuid.UUID, Reason], ...]

    @property
    def pages(self) -> int:
        """Pages of all volumes, blank versos between letters included."""
        return sum({letter.volume: letter.last_page for letter in self.letters}.values())
