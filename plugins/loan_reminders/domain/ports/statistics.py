"""What the nightly look at loans needs from the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Protocol

from loan_reminders.domain.notices import LoanKey
from loan_reminders.domain.statistics.loan_ends import LoanEnd


class LoanEnds(Protocol):
    """Until when loans were open. Raises LedgerUnavailable."""

    def learn(self) -> int:
        """Count the runs that never were, with what they say of their loans; returns how many."""
        ...

    def give_up(self, *, before: date, today: date) -> int:
        """Follow no more the loans that were due before a day; returns how many."""
        ...

    def how_many(self) -> int:
        """How many loans are followed."""
        ...

    def followed(self, *, after: LoanKey | None, page: int) -> Sequence[LoanKey]:
        """Loans not known to have ended, by their number, `page` at most, after one of them."""
        ...

    def record(self, *, today: date, still_open: Sequence[LoanKey], ended: Mapping[LoanKey, LoanEnd]) -> None:
        """Keep what the ILS says of some loans, in one transaction."""
        ...

    def looked(self, *, today: date, since: date, asked: int, ended: int) -> None:
        """Keep that all loans were asked about, and count anew what that changes, from the day `since` on."""
        ...
