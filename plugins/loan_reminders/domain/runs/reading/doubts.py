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
days: a library that is closed for weeks is asked once, and again when it lasts. Days that nobody answered
for do too."""

UNANSWERED = 3
"""Days of few loans without an answer after which nobody is asked: whoever is away in summer misses three days of
reminders, not all of them. What was read leaves, and it is little."""

AS_USUAL = 0.5
"""A day of more than this part of the usual loans ends weeks of few: one a little above the few that are asked about
does not, else each good day of a summer would be followed by a question."""

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

    `accepted`: a person was asked about it and said that it is right. `unanswered`: nobody answered in time, and it is
    no example of what is usual.
    """

    due_date: date
    loans: int
    with_email: int | None = None
    with_mobile: int | None = None
    accepted: bool = False
    unanswered: bool = False


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
        if one.due_date < due_date and (known is None or _rank(one) > _rank(known)):
            days[one.due_date] = one
    newest = [days[day] for day in sorted(days, reverse=True)]
    usual = [one for one in newest if not one.unanswered]
    found = (
        None if guard.is_closed(due_date) else _small_day(reading.loans, due_date, newest, guard),
        _few(DoubtKind.FEW_EMAILS, reading.with_email, reading, [(one.with_email, one.loans) for one in usual], guard),
        _few(
            DoubtKind.FEW_MOBILES, reading.with_mobile, reading, [(one.with_mobile, one.loans) for one in usual], guard
        ),
    )
    return tuple(doubt for doubt in found if doubt is not None)


def _rank(one: PastReading) -> tuple[bool, int, bool]:
    return not one.unanswered, one.loans, one.accepted


def _same_weekday(day: date, newest: Sequence[PastReading], guard: ReadingGuard) -> list[int]:
    """The loans of the last same weekdays among these days; empty where they are too few for a habit."""
    same = [one.loans for one in newest if one.due_date.weekday() == day.weekday() and not one.unanswered]
    return same[: guard.weekdays] if len(same) >= FEWEST else []


def _small_day(loans: int, due_date: date, newest: Sequence[PastReading], guard: ReadingGuard) -> Doubt | None:
    """Whether a day has no loan, or few, where its weekday has many."""
    same = _same_weekday(due_date, newest, guard)
    if not same:
        return None
    usual = median(same)
    if not loans:
        kind, is_usual = DoubtKind.EMPTY_DAY, usual <= guard.empty_day_median
    else:
        kind, is_usual = DoubtKind.FEW_LOANS, usual < guard.share_floor or loans > guard.few_loans_share * usual
    if is_usual or _still_small(kind, due_date, newest, guard):
        return None
    return Doubt(kind=kind, found=loans, usual=usual, compared=len(same))


def _still_small(kind: DoubtKind, due_date: date, newest: Sequence[PastReading], guard: ReadingGuard) -> bool:
    """Whether a person accepted such a day lately, or nobody answered for some, and no day since was as usual.

    Days without a loan that nobody answered for speak for none: an ILS may give nothing for as long.
    """
    unanswered = 0
    for place, one in enumerate(newest):
        if due_date - one.due_date > ACCEPTED_FOR:
            return False
        unanswered += kind is DoubtKind.FEW_LOANS and one.unanswered and one.loans > 0
        if one.accepted or unanswered == UNANSWERED:
            before = newest[place + 1 :]
            return all(_is_small(kind, day, before, guard) for day in newest[: place + 1])
    return False


def _is_small(kind: DoubtKind, day: PastReading, before: Sequence[PastReading], guard: ReadingGuard) -> bool:
    """Whether a day is a small one by what its own weekday was before; a weekday of always few loans ends nothing."""
    if kind is DoubtKind.EMPTY_DAY:
        return not day.loans
    usual = median(_same_weekday(day.due_date, before, guard) or [0])
    if usual < guard.share_floor:
        return day.loans < guard.share_floor
    return day.loans <= max(AS_USUAL, guard.few_loans_share) * usual


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
