"""When SMS may leave: by day, by hour, not on public holidays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

MIDNIGHT = "24:00"


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingWindow:
    """From `opens` (included) to `closes` (excluded, None is midnight), on `weekdays` (ISO: 1 is Monday)."""

    opens: time
    closes: time | None
    weekdays: frozenset[int]
    is_holiday: Callable[[date], bool]

    def is_open(self, moment: datetime) -> bool:
        """Whether an SMS may leave at this moment of the library's own clock."""
        within = self.opens <= moment.time() and (self.closes is None or moment.time() < self.closes)
        return within and self._is_working_day(moment.date())

    def next_opening(self, moment: datetime) -> datetime:
        """The moment itself when the window is open, else the next time it opens; aware moments stay aware.

        Raises ValueError when no day of the coming year is a working day.
        """
        if self.is_open(moment):
            return moment
        for days in range(367):
            day = moment.date() + timedelta(days=days)
            opening = datetime.combine(day, self.opens, moment.tzinfo)
            if opening > moment and self._is_working_day(day):
                return opening
        raise ValueError("the window never opens")

    def _is_working_day(self, day: date) -> bool:
        return day.isoweekday() in self.weekdays and not self.is_holiday(day)
