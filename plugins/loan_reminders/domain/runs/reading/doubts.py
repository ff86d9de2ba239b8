"""Is what was read of the ILS as usual? A day with hardly a loan, or half the usual addresses, may be an accident.

A column renamed, a synonym gone or a view half rebuilt gives no error: it gives nothing, or a part. Days on which
nothing is ever due, such as Sundays, have an empty past of their own and ask nothing.
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
"""How long an empty day that a person accepted speaks for the empty days after it, and one with few loans for such
days: a library that is closed for weeks is asked once, and again when it lasts."""

FEWEST = 3
"""Readings that an habit needs: a library in its first weeks has none."""

FEW = 20
"""Loans with an address, or with a mobile, that would have to be usual: what is missing of less may be chance."""


class DoubtKind(StrEnum):
    """What may be wrong with a reading."""

    EMPTY_DAY = "empty_day"
    FEW_LOANS = "few_loans"
    FEW_EMAILS = "few_emails"
    FEW_MOBILES = "few_mobiles"


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """One thing that is not as usual: `found` and `usual` are loans for an empty day or one of few loans, else
    shares from 0 to 1.

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

    No loan at all, where the median of the last `weekdays` same weekdays is above `empty_day_median`; at most
    `few_loans_share` of that median, where it is `share_floor` or more; or a share of usable addresses or mobiles of at
    most `share_drop` times the median of the last `runs` readings, in a reading of `share_floor` loans or more. Of a
    day that `is_closed` no number of loans is too small.

    A fifth of the usual loans: in three simulated years of a library that is closed on holidays, at Christmas and in
    summer, no day asked when loans last two, three, four or twelve weeks. When all last four weeks, three days a year
    did (one at most with a tenth): nothing is lent on a holiday, so little is due four weeks later.
    """

    empty_day_median: int = 20
    few_loans_share: float = 0.2
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
    found = (
        None if guard.is_closed(due_date) else _small_day(reading.loans, due_date, newest, guard),
        _few(DoubtKind.FEW_EMAILS, reading.with_email, reading, [(one.with_email, one.loans) for one in newest], guard),
        _few(
            DoubtKind.FEW_MOBILES, reading.with_mobile, reading, [(one.with_mobile, one.loans) for one in newest], guard
        ),
    )
    return tuple(doubt for doubt in found if doubt is not None)


def _small_day(loans: int, due_date: date, newest: Sequence[PastReading], guard: ReadingGuard) -> Doubt | None:
    """Whether a day has no loan, or few, where its weekday has many."""
    same = [one.loans for one in newest if one.due_date.weekday() == due_date.weekday()][: guard.weekdays]
    if len(same) < FEWEST:
        return None
    usual = median(same)
    if not loans:
        kind, is_usual, most = DoubtKind.EMPTY_DAY, usual <= guard.empty_day_median, 0.0
    else:
        kind, most = DoubtKind.FEW_LOANS, guard.few_loans_share * usual
        is_usual = usual < guard.share_floor or loans > most
    if is_usual or _still_small(due_date, newest, most):
        return None
    return Doubt(kind=kind, found=loans, usual=usual, compared=len(same))


def _still_small(due_date: date, newest: Sequence[PastReading], most: float) -> bool:
    """Whether a person accepted a day of at most so many loans lately, and no day since had more."""
    for one in newest:
        if one.loans > most or due_date - one.due_date > ACCEPTED_FOR:
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
