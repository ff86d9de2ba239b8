"""The list of batches as a librarian asks for it: which of them, in which order, which page."""

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
    """Which batches are wanted: None is every stage, branch, state or day; the branch "" is a batch of all branches."""

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
