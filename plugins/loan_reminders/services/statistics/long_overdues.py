"""Long overdues month by month: students, who get SMS, against staff, before and after a day.

Staff get none unless a library sends them some (`[sms.populations]`, the conditions of a stage): how many did is found
out, and above `MOST_STAFF_TOLD` nothing is concluded.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from loan_reminders.domain.ports.statistics import MonthGap, Statistics
from loan_reminders.domain.stages import PatronCategory
from loan_reminders.domain.statistics.effect import (
    ALREADY_APART,
    MONTHS_NEEDED,
    MOST_STAFF_TOLD,
    OVERDUES_NEEDED,
    Change,
    MonthShares,
    OverdueCount,
    ToldCount,
    Verdict,
    month_of,
    verdict,
)
from loan_reminders.domain.statistics.loan_ends import LONG_OVERDUE_DAYS

STUDENT, STAFF = PatronCategory.STUDENT, PatronCategory.STAFF
BEFORE, AFTER = "before", "after"


def month_shares(
    overdues: Iterable[OverdueCount], today: date, told: Iterable[ToldCount] = ()
) -> tuple[MonthShares, ...]:
    """The months whose overdues are all known to be long or not, with their counts."""
    sums: dict[date, dict[PatronCategory, list[int]]] = defaultdict(lambda: {STUDENT: [0, 0], STAFF: [0, 0]})
    for one in overdues:
        if one.category in (STUDENT, STAFF) and _is_known(one.month, today):
            here = sums[one.month][one.category]
            here[0] += one.overdue
            here[1] += one.long_overdue
    by_month: dict[date, list[ToldCount]] = defaultdict(list)
    for each in _where_sms_leave(told):
        by_month[each.month].append(each)
    return tuple(
        MonthShares(
            month=month,
            overdue={category: both[0] for category, both in groups.items()},
            long_overdue={category: both[1] for category, both in groups.items()},
            counts=all(both[0] >= OVERDUES_NEEDED for both in groups.values()),
            by_sms={
                category: share
                for category in (STUDENT, STAFF)
                if (share := _share_by_sms(by_month[month], category)) is not None
            },
        )
        for month, groups in sorted(sums.items())
    )


def _is_known(month: date, today: date) -> bool:
    """Whether a loan of the last day of a month has had the time to become a long overdue."""
    following = (month.replace(day=28) + timedelta(days=4)).replace(day=1)
    return (today - following).days >= LONG_OVERDUE_DAYS


def _where_sms_leave(told: Iterable[ToldCount]) -> list[ToldCount]:
    """The counts of the stages that told anybody by SMS: whoever is told by another one could not have got any."""
    counts = list(told)
    stages = {one.stage for one in counts if one.by_sms}
    return [one for one in counts if one.stage in stages]


def _share_by_sms(told: Iterable[ToldCount], category: PatronCategory) -> float | None:
    """The share of a group's loans told of by SMS; None when it was told of none."""
    ours = [one for one in told if one.category is category]
    loans = sum(one.loans for one in ours)
    return sum(one.by_sms for one in ours) / loans if loans else None


def change(
    months: Sequence[MonthShares], statistics: Statistics, *, since: date | None, told: Iterable[ToldCount] = ()
) -> Change:
    """Students against staff, before and after a day; the month in which the day falls counts on neither side."""
    if since is None:
        return Change(verdict=Verdict.NO_DAY)
    counted = [one for one in months if one.counts and (one.month != month_of(since) or since.day == 1)]
    first = counted[0].month if counted else since
    gaps = [_gap(one, first, after=one.month >= since) for one in counted]
    before, after = (
        [pair for pair in zip(counted, gaps, strict=True) if pair[1].after is side] for side in (False, True)
    )
    made: dict[str, Any] = {"since": since, "months_before": len(before), "months_after": len(after)}
    if min(len(before), len(after)) < MONTHS_NEEDED:
        return Change(verdict=Verdict.TOO_FEW, **made)
    estimate = statistics.change(gaps)
    apart = statistics.drift([gap for _, gap in before]) < ALREADY_APART
    shares = {
        f"{category}_{when}": _mean(category, side)
        for when, side in ((BEFORE, before), (AFTER, after))
        for category in (STUDENT, STAFF)
    }
    staff_told = _share_by_sms([one for one in _where_sms_leave(told) if one.month >= since], STAFF) or 0.0
    alike = not apart and staff_told <= MOST_STAFF_TOLD
    found = verdict(estimate) if alike else Verdict.NOT_COMPARABLE
    return Change(verdict=found, shares=shares, estimate=estimate, staff_told=staff_told, **made)


def _gap(one: MonthShares, first: date, *, after: bool) -> MonthGap:
    shares = {category: 100 * one.long_overdue[category] / one.overdue[category] for category in (STUDENT, STAFF)}
    return MonthGap(
        place=12 * (one.month.year - first.year) + one.month.month - first.month,
        after=after,
        points=shares[STUDENT] - shares[STAFF],
        weight=1 / sum(1 / one.overdue[category] for category in (STUDENT, STAFF)),
    )


def _mean(category: PatronCategory, side: Sequence[tuple[MonthShares, MonthGap]]) -> float:
    """The mean of a group's shares over months, each with the weight it has in the comparison."""
    weights = sum(gap.weight for _, gap in side)
    return sum(100 * one.long_overdue[category] / one.overdue[category] * gap.weight for one, gap in side) / weights
