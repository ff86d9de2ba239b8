"""Before a batch that has waited is printed, the ILS is asked again about its loans: how far that is, what it said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

SILENT_FOR = timedelta(seconds=60)
"""A check of which nothing was heard for so long has died with its process: it may be started again."""

GOOD_FOR = timedelta(minutes=10)
"""For so long after the ILS answered, or was asked for the layout of a batch, one may print without asking it again."""


class CheckState(StrEnum):
    """How far the ILS has been asked about a batch."""

    RUNNING = "running"
    ANSWERED = "answered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintCheck:
    """The last time that the ILS was asked about a batch before its printing, and by whom.

    `asked` of `loans` loans are known so far; `seen_at` is when that was last said. `returned` and `renewed` count the
    letters left out, `partly` are the references of those that name a document brought back beside others still out.
    `held` counts the letters left out because librarians said not to write, `held_with_others` are the references of
    those of them that named other documents too. `superseded` counts the letters left out because a later stage tells,
    `dead_address` those whose address turned out to be a dead one. `problem` says, in words, why it failed.
    """

    batch_id: int
    who: str
    state: CheckState
    asked: int
    loans: int
    started_at: datetime
    seen_at: datetime
    returned: int = 0
    renewed: int = 0
    partly: tuple[str, ...] = ()
    held: int = 0
    held_with_others: tuple[str, ...] = ()
    superseded: int = 0
    dead_address: int = 0
    problem: str = ""

    def is_running(self, now: datetime) -> bool:
        """Whether it is still at work, and not left by a process that died."""
        return self.state is CheckState.RUNNING and now - self.seen_at < SILENT_FOR

    def has_died(self, now: datetime) -> bool:
        """Whether it stopped before it had an answer."""
        return self.state is CheckState.RUNNING and not self.is_running(now)

    def is_good(self, now: datetime, *, who: str) -> bool:
        """Whether the ILS answered this person so lately that the batch may be printed by it."""
        return self.state is CheckState.ANSWERED and self.who == who and now - self.seen_at <= GOOD_FOR
