"""Lists of batches, and of the letters of one, as a librarian asks for them: which, in which order, which page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from loan_reminders.domain.letters.batches import BatchState, BatchView
from loan_reminders.domain.stages import Stage


class BatchColumn(StrEnum):
    """What the list of batches may be ordered by, as it stands in the address of the page."""

    NUMBER = "lot"
    DAY = "jour"
    LETTERS = "lettres"
    PAGES = "pages"
    LEFT_OUT = "retirees"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchQuery:
    """Which batches are wanted: None is every stage, branch or day; the branch "" is a batch of all branches.

    The state None is every one but abandoned: a draft that was approved goes on as the batch that was made of it.
    """

    stage: Stage | None = None
    branch: str | None = None
    state: BatchState | None = None
    day: date | None = None
    column: BatchColumn = BatchColumn.NUMBER
    descending: bool = True
    limit: int = 50
    offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPage:
    """One page of the list, and how many batches the whole list has."""

    batches: tuple[BatchView, ...]
    total: int


class LetterColumn(StrEnum):
    """What the letters of a batch may be ordered by, as it stands in the address of the page."""

    PLACE = "place"
    REFERENCE = "reference"
    READER = "lecteur"
    TOWN = "ville"
    DOCUMENTS = "documents"
    PAGES = "pages"


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterQuery:
    """Which letters of a batch are wanted; `staying` None is all, True those to be posted, False those left out."""

    staying: bool | None = None
    column: LetterColumn = LetterColumn.PLACE
    descending: bool = False
    limit: int = 50
    offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterPlace:
    """Where a letter is in its batch: its place, its PDF and its pages there, each from 1; `left_out` is not posted."""

    position: int
    volume: int
    first_page: int
    last_page: int
    left_out: bool
