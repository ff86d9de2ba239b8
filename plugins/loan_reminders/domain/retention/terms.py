"""Until when loans and readers are kept, and what one passage removed."""

from __future__ import annotations

import calendar
from dataclasses import dataclass, field, fields
from datetime import date

LOAN_MONTHS, READER_MONTHS = 4, 12
"""The yardstick of French libraries: loans 4 months after the return, readers a year (CNIL, NS-009 of 1999, which has
had no legal force since 2018 and is still what libraries go by)."""


def months_before(day: date, months: int) -> date:
    """The same day so many months earlier; where that month is too short, its last day."""
    place = day.year * 12 + day.month - 1 - months
    year, month = divmod(place, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What has been kept long enough on one day.

    Loans that ended on `loans_until` or before, readers seen last on `readers_until` or before; `today` is the day on
    which a dispute holds or not.
    """

    today: date
    loans_until: date
    readers_until: date

    @classmethod
    def on(cls, today: date, *, loan_months: int, reader_months: int) -> Terms:
        """The terms of a library on a day of its own."""
        return cls(
            today=today,
            loans_until=months_before(today, loan_months),
            readers_until=months_before(today, reader_months),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """How much was removed, or would be. No number says of whom.

    `loans`: cycles of loans, `messages`: their e-mails, SMS and letters, `readers`: readers, `batches`: batches of
    letters with their files, `folders`: folders of files that no batch knows, `contacts`: numbers and addresses that
    are not written to, of which a keyed hash stays, `others`: answers, bounces, lines put aside and so on.
    """

    loans: int = field(default=0)
    messages: int = field(default=0)
    readers: int = field(default=0)
    batches: int = field(default=0)
    folders: int = field(default=0)
    contacts: int = field(default=0)
    others: int = field(default=0)

    def __add__(self, more: Removed) -> Removed:
        return Removed(**{one.name: getattr(self, one.name) + getattr(more, one.name) for one in fields(self)})

    def counts(self) -> dict[str, int]:
        """The numbers by their names."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What somebody removed on a day, as it is written to the journal."""

    day: date
    who: str
    removed: Removed
