"""What the removal of what was kept long enough needs of the ledger and of the store of letters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from loan_reminders.domain.ports.outside import LetterStore
from loan_reminders.domain.retention.terms import Removed, Terms, Told

Place = Mapping[str, Any] | None
"""Where a page begins: what the last one gave; None: at the beginning, or, given back, that there is no further one."""


class Retention(Protocol):
    """The ledger. Each call is one short transaction, undone with `rehearse`. Raises LedgerUnavailable."""

    @property
    def kinds(self) -> Sequence[str]:
        """What is removed, page by page, in this order."""
        ...

    def remove(self, kind: str, terms: Terms, *, after: Place, rehearse: bool, who: str) -> tuple[Removed, Place]:
        """Remove the next page of one kind, and count it with the day and who does it in the same transaction."""
        ...

    def empty_batches(self, terms: Terms, *, after: int) -> Sequence[tuple[int, str]]:
        """The next batches of letters of which no letter is left: their number and the folder of their files."""
        ...

    def forget_batch(self, batch_id: int, terms: Terms, *, who: str) -> None:
        """Remove the rows of a batch whose files are gone, and count it."""
        ...

    def unknown_folders(self, terms: Terms, runs: Mapping[str, int]) -> Sequence[str]:
        """Those of these folders, each with the number of its run, old and of no batch, or of an abandoned draft."""
        ...

    def count_folder(self, terms: Terms, *, who: str) -> None:
        """Count such a folder that was removed."""
        ...

    def tell(self) -> Sequence[Told]:
        """Write what was removed, and not told yet, to the journal: a line a day and person, each told once."""
        ...


class OldFiles(LetterStore, Protocol):
    """The store of letters, as the removal needs it."""

    def folders(self, name: str = "") -> Sequence[str]:
        """The folders right below `name`, the root when it is empty. Raises LetterStoreUnavailable."""
        ...
