"""Is what was read of the ILS as usual? A day without a loan, or half the usual addresses, may be an accident.

A column renamed, a synonym gone or a view rebuilt gives no error: it gives nothing. Days on which nothing is ever due,
such as Sundays, have an empty past of their own and ask nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from statistics import median

from loan_reminders.domain.runs.reading.tally import Reading

LOOKED_BACK = timedelta(weeks=26)
"""How far back earlier readings are looked at."""

ACCEPTED_FOR = timedelta(days=28)
"""How long an empty day that a person accepted speaks for the empty days after it: a library that is closed for weeks
is asked once, and again when it lasts."""

FEWEST = 3
"""Readings that an habit needs: a library in its first weeks has none."""

FEW = 20
"""Loans with an address, or with a mobile, that would have to be usual: what is missing of less may be chance."""


class DoubtKind(StrEnum):
    """What may be wrong with a reading."""

    EMPTY_DAY = "empty_day"
    FEW_EMAILS = "few_emails"
    FEW_MOBILES = "few_mobiles"


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """One thing that is not as usual: `found` and `usual` are loans for an empty day, else shares from 0 to 1.

    `compared` is how many earlier readings were looked at.
    """

    kind: DoubtKind
    found: float
    usual: float
    compared: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PastReading:
    """An earlier reading of the stage; how many can be written to is None where it was not counted yet.

    `accepted`: a person was asked about it and said that it is right.
    """

    due_date: date
    loans: int
    with_email: int | None = None
    with_mobile: int | None = None
    accepted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingGuard:
    """When a person is asked about a reading.

    No loan at all, where the median of the last `weekdays` same weekdays is above `empty_day_median`; or a share of
    usable addresses or mobiles of at most `share_drop` times the median of the last `runs` readings, in a reading of
    `share_floor` loans or more. Nothing is due on a day that `is_closed`.
    """

    empty_day_median: int = 20
    weekdays: int = 8
    share_drop: float = 0.5
    share_floor: int = 40
    runs: int = 10
    is_closed: Callable[[date], bool] = lambda _: False


def doubts(reading: Reading, due_date: date, past: Sequence[PastReading], guard: ReadingGuard) -> tuple[Doubt, ...]:
    """What is not as usual in the reading of one due date. `past` are those of the stage; later days are not looked at.

    Of several readings of a day the fullest counts.
    """
    days: dict[date, PastReading] = {}
    for one in past:
        known = days.get(one.due_date)
        if one.due_date < due_date and (known is None or (one.loans, one.accepted) > (known.loans, known.accepted)):
            days[one.due_date] = one
    newest = [days[day] for day in sorted(days, reverse=True)]
    if not reading.loans:
        empty = None if guard.is_closed(due_date) else _empty_day(due_date, newest, guard)
        return () if empty is None else (empty,)
    shares = (
        _few(DoubtKind.FEW_EMAILS, reading.with_email, reading, [(one.with_email, one.loans) for one in newest], guard),
        _few(
            DoubtKind.FEW_MOBILES, reading.with_mobile, reading, [(one.with_mobile, one.loans) for one in newest], guard
        ),
    )
    return tuple(doubt for doubt in shares if doubt is not None)


def _empty_day(due_date: date, newest: Sequence[PastReading], guard: ReadingGuard) -> Doubt | None:
    same = [one.loans for one in newest if one.due_date.weekday() == due_date.weekday()][: guard.weekdays]
    if len(same) < FEWEST or median(same) <= guard.empty_day_median or _still_empty(due_date, newest):
        return None
    return Doubt(kind=DoubtKind.EMPTY_DAY, found=0, usual=median(same), compared=len(same))


def _still_empty(due_date: date, newest: Sequence[PastReading]) -> bool:
    """Whether a person accepted an empty day lately, and no day since had a loan."""
    for one in newest:
        if one.loans or due_date - one.due_date > ACCEPTED_FOR:
            return False
        if one.accepted:
            return True
    return False


def _few(
    kind: DoubtKind, number: int, reading: Reading, newest: Sequence[tuple[int | None, int]], guard: ReadingGuard
) -> Doubt | None:
    shares = [
        reached / loans for reached, loans in newest if reached is not None and loans >= max(1, guard.share_floor)
    ][: guard.runs]
    if len(shares) < FEWEST or reading.loans < guard.share_floor:
        return None
    usual, found = median(shares), number / reading.loans
    if usual * reading.loans < FEW or found > guard.share_drop * usual:
        return None
    return Doubt(kind=kind, found=found, usual=usual, compared=len(shares))
