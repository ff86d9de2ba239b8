"""How fast the SMS credit is spent, and how long it will last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

PACE_DAYS = 28
"""Over how many days the pace is taken: whole weeks, since no SMS leaves on Sundays."""

ENOUGH_DAYS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCredit:
    """What the provider said was left, in segments, at a moment; `spent_since` are segments that left after it."""

    segments: int
    at: datetime
    spent_since: int = 0

    @property
    def left(self) -> int:
        """What must be left now."""
        return max(0, self.segments - self.spent_since)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """Segments of today and of this month, and how many a day on average; None when too few days are known."""

    today: int
    month: int
    a_day: float | None

    def days_left(self, credit: int) -> int | None:
        """How many days a credit lasts at this pace; None when nothing is spent, or the pace is not known."""
        return int(credit / self.a_day) if self.a_day else None


def spending(by_day: Mapping[date, int], today: date) -> Spending:
    """What is spent, out of the segments of each day of the last weeks and of this month."""
    first = min((day for day, segments in by_day.items() if segments), default=today)
    known = min(PACE_DAYS, (today - first).days + 1)
    counted = sum(by_day.get(today - timedelta(days=back), 0) for back in range(known))
    return Spending(
        today=by_day.get(today, 0),
        month=sum(segments for day, segments in by_day.items() if (day.year, day.month) == (today.year, today.month)),
        a_day=counted / known if known >= ENOUGH_DAYS else None,
    )
