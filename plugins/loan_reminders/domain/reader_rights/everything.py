"""All that the ledger holds about one reader, table by table, as it is given to him."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from loan_reminders.domain.dispute.loan_file import Dispute
from loan_reminders.domain.loans import Patron
from loan_reminders.domain.readers.reader import Reader

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Everything:
    """One reader. `rows` are those of each table that names him, without the names of the library's own people.

    `patron` is how the ILS described him last, None when no loan of his is kept; `loans` tell of each loan what left,
    what was answered and what was left out.
    """

    reader: Reader
    patron: Patron | None
    rows: Mapping[str, Sequence[Row]]
    loans: Sequence[Dispute]

    @property
    def counts(self) -> Mapping[str, int]:
        """How many rows of each table, the empty ones left out."""
        return {table: len(rows) for table, rows in self.rows.items() if rows}


class ReaderData(Protocol):
    """The part of the ledger that gathers what it holds about a reader. Raises LedgerUnavailable."""

    def gather(self, patron_id: str) -> Everything | None:
        """All of it, read in one transaction; None when the ledger does not know the reader, or no more."""
        ...

    def note_given(self, patron_id: str, *, who: str, form: str) -> None:
        """Keep in the journal that somebody was given a reader's data, and in which form."""
        ...
