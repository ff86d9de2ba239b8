"""What the guard against a restored ledger needs: the ledger's marks, and their file."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from loan_reminders.domain.marks.high_water import BrokenStep, Gap, Mark, MarkedRun, RememberedRun
from loan_reminders.domain.stages import Channel


class MarkFile(Protocol):
    """The file of the newest mark, outside of the ledger. Raises LetterStoreUnavailable."""

    def read(self) -> Mark | None:
        """What it says; None when there is none. Raises MarkUnreadable when it is there and cannot be understood."""
        ...

    def write(self, mark: Mark) -> None:
        """Put a mark in the place of the one there, whole or not at all."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenGap:
    """A gap that a person was asked about. `refused`: somebody said that nothing is to leave."""

    gap: Gap
    found_at: datetime
    refused: bool = False
    who: str = ""
    answered_at: datetime | None = None


class Marks(Protocol):
    """The part of the ledger that knows its marks. Raises LedgerUnavailable."""

    def make(self, *, run_id: int | None, channel: Channel | None, ends: uuid.UUID | None = None) -> Mark:
        """Make a mark, committed on return: a step begins or, with the mark that began it, `ends`."""
        ...

    def knows(self, mark_id: uuid.UUID) -> bool:
        """Whether the ledger has this mark."""
        ...

    def runs(self, run_ids: Sequence[int]) -> Mapping[int, MarkedRun]:
        """These runs as the ledger knows them, by number; those it lacks are not among them."""
        ...

    def broken_steps(self) -> Sequence[BrokenStep]:
        """Steps that began on another server and never ended, unless a person accepted that.

        They are those of the last two days or, while a person is asked, of the two days before the question.
        """
        ...

    def lacks(self, run: RememberedRun) -> bool:
        """Whether the ledger lacks a run that Airflow remembers, or its end, and no person accepted that since."""
        ...

    def find(self, gap: Gap) -> None:
        """Keep that a gap was found, for a person to be asked; once, however often it is found again."""
        ...

    def settle(self) -> None:
        """There is no gap any more: nobody is to be asked."""
        ...

    def open_gap(self) -> OpenGap | None:
        """The gap that a person is asked about."""
        ...

    def accept(self, *, who: str, mark_id: uuid.UUID | None) -> bool:
        """A person accepts the gap: messages may leave. `mark_id` is the file's. False when none is open."""
        ...

    def refuse(self, *, who: str) -> int | None:
        """A person says that nothing is to leave: what a sender would be offered is cancelled, or stays in doubt.

        Returns how many deliveries are cancelled, None when no gap is open.
        """
        ...
