"""What the nightly look at loans, and the figures made of it, need from the ledger and from a package of statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from loan_reminders.domain.holdback import Holdback
from loan_reminders.domain.notices import LoanKey
from loan_reminders.domain.statistics.effect import Counts, Estimate, Findings
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


class EffectCounts(Protocol):
    """The monthly counts of what SMS do. Raises LedgerUnavailable."""

    def count(self, *, today: date, current: Holdback | None) -> None:
        """Count anew the months that still change; `current` is the period of holding back that the settings say."""
        ...

    def counts(self, *, since: date, zone: str) -> Counts:
        """All that is kept, but returns outside of trials from the month of a day on; `zone` is the library's."""
        ...

    def keep(self, findings: Findings) -> None:
        """Keep what was concluded on a day."""
        ...

    def newest(self) -> Findings | None:
        """What was concluded last; None before the first time."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Loans that are alike: so many, of which so many returned in time. `group`: the readers they are of."""

    stratum: str
    group: int
    treated: bool
    loans: int
    returned: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthGap:
    """By how many points the students' share is above the staff's in a month, and how much that month weighs."""

    place: int
    after: bool
    points: float
    weight: float


class Statistics(Protocol):
    """What a package of statistics works out of counts. Every figure is in points of per cent."""

    def share(self, cells: Sequence[Cell]) -> Estimate:
        """The share returned, all cells together; groups of readers are independent of each other, loans are not."""
        ...

    def difference(self, cells: Sequence[Cell]) -> Estimate:
        """By how much the share of the treated is above the others' within each stratum."""
        ...

    def change(self, gaps: Sequence[MonthGap]) -> Estimate:
        """By how much the gap is larger afterwards than before."""
        ...

    def drift(self, gaps: Sequence[MonthGap]) -> float:
        """The probability by chance alone of a slope like that of these months, one after the other."""
        ...
