"""Once a night, after the look at loans: count the months, compare, and keep what may be concluded.

Nothing here is computed while somebody waits for a page: the package of statistics takes a second and a hundred
megabytes to load, which a task has and a web server should not spend.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from loan_reminders.domain.holdback import Holdback
from loan_reminders.domain.ports.statistics import Cell, EffectCounts, Statistics
from loan_reminders.domain.stages import Stage
from loan_reminders.domain.statistics.effect import (
    BUCKETS_NEEDED,
    DECIDES,
    LOANS_NEEDED,
    MOST_ALONE,
    OUTCOMES_NEEDED,
    WAITED,
    Arm,
    Comparison,
    Counts,
    Estimate,
    Findings,
    Kept,
    ReturnCount,
    ToldBy,
    Trial,
    Verdict,
    verdict,
)
from loan_reminders.domain.statistics.loan_ends import WITHIN_DAYS
from loan_reminders.services.statistics.long_overdues import change, month_shares

log = logging.getLogger(__name__)

COMPARED_MONTHS = 12
"""How many months of returns are compared, the present one besides."""


def measure_effect(
    counts: EffectCounts,
    statistics: Statistics,
    *,
    today: date,
    zone: str,
    compare_from: date | None,
    current: Holdback | None,
) -> Findings:
    """Count, compare and keep; a second time on the same day replaces the first.

    Args:
        counts: The ledger's counts.
        statistics: What works intervals out.
        today: The library's day.
        zone: Its time zone.
        compare_from: The day before and after which long overdues are compared; None: that of the first SMS.
        current: The period of random holding back that the settings say now.
    """
    counts.count(today=today, current=current)
    findings = conclude(counts.counts(since=_months_ago(today), zone=zone), statistics, today=today, day=compare_from)
    counts.keep(findings)
    log.info("Effet des SMS : %d mois de retards, %d comparaisons", len(findings.months), len(findings.comparisons))
    return findings


def conclude(found: Counts, statistics: Statistics, *, today: date, day: date | None) -> Findings:
    """What may be concluded from the counts on a day; `day` divides before from after."""
    months = month_shares(found.overdues, today, found.told)
    since = day or found.first_sms
    return Findings(
        day=today,
        months=months,
        change=change(months, statistics, since=since, told=found.told),
        comparisons=tuple(_comparisons([one for one in found.returns if one.month >= _months_ago(today)], statistics)),
        trials=tuple(_trials(found, statistics, today)),
        ages=found.ages,
    )


def _comparisons(returns: Sequence[ReturnCount], statistics: Statistics) -> Iterable[Comparison]:
    told = [one for one in returns if one.told_by is not ToldBy.NOTHING and not one.control]
    for stage in Stage:
        ours = [one for one in told if one.stage is stage]
        if ours:
            yield compare(ours, statistics, stage=stage, treated=lambda one: one.told_by is ToldBy.SMS)


def compare(
    counts: Sequence[ReturnCount], statistics: Statistics, *, stage: Stage, treated: Callable[[ReturnCount], bool]
) -> Comparison:
    """Loans on two sides, those of the same month, category and length compared with each other."""
    cells = {days: _cells(counts, days, treated) for days in WITHIN_DAYS}
    pairs = {days: _comparable(cells[days]) for days in WITHIN_DAYS}
    sides = {side: [one for one in counts if treated(one) is side] for side in (True, False)}
    arms = {
        side: Arm(
            loans=sum(one.loans for one in sides[side]),
            shares={days: _share([cell for cell in cells[days] if cell.treated is side], statistics) for days in cells},
        )
        for side in (True, False)
    }
    with_sms = sum(cell.loans for cell in cells[DECIDES] if cell.treated)
    paired = sum(cell.loans for cell in pairs[DECIDES] if cell.treated)
    alone = 1 - paired / with_sms if with_sms else 0.0
    enough = _enough(pairs[DECIDES])
    differences = {
        days: statistics.difference(found) if enough and _enough(found) else None for days, found in pairs.items()
    }
    decides = differences[DECIDES]
    said = Verdict.TOO_FEW
    if decides is not None:
        said = Verdict.NOT_COMPARABLE if alone > MOST_ALONE else verdict(decides)
    return Comparison(
        stage=stage, verdict=said, with_sms=arms[True], without=arms[False], alone=alone, differences=differences
    )


def _cells(counts: Iterable[ReturnCount], days: int, treated: Callable[[ReturnCount], bool]) -> list[Cell]:
    """Those of which it is known what they were after so many days."""
    sums: dict[tuple[str, int, bool], list[int]] = defaultdict(lambda: [0, 0])
    for one in counts:
        if one.known[days]:
            here = sums[f"{one.month} {one.category} {one.length}", one.bucket, treated(one)]
            here[0] += one.known[days]
            here[1] += one.returned[days]
    return [
        Cell(stratum=stratum, group=group, treated=side, loans=loans, returned=returned)
        for (stratum, group, side), (loans, returned) in sorted(sums.items())
    ]


def _comparable(cells: Sequence[Cell]) -> list[Cell]:
    """Those of strata that have loans on both sides."""
    sides: dict[str, set[bool]] = defaultdict(set)
    for cell in cells:
        sides[cell.stratum].add(cell.treated)
    return [cell for cell in cells if len(sides[cell.stratum]) == 2]


def _enough(cells: Sequence[Cell]) -> bool:
    """Whether each side has loans, outcomes of both kinds and readers enough for an interval to mean something."""
    for side in (True, False):
        ours = [cell for cell in cells if cell.treated is side]
        loans, returned = sum(cell.loans for cell in ours), sum(cell.returned for cell in ours)
        if loans < LOANS_NEEDED or min(returned, loans - returned) < OUTCOMES_NEEDED:
            return False
        if len({cell.group for cell in ours}) < BUCKETS_NEEDED:
            return False
    return True


def _share(cells: Sequence[Cell], statistics: Statistics) -> Estimate | None:
    """None of so few loans that an interval would mean nothing."""
    loans, returned = sum(cell.loans for cell in cells), sum(cell.returned for cell in cells)
    few = min(returned, loans - returned) < OUTCOMES_NEEDED or len({cell.group for cell in cells}) < BUCKETS_NEEDED
    return None if few else statistics.share(cells)


def _trials(found: Counts, statistics: Statistics, today: date) -> Iterable[Trial]:
    """Each period of holding back, read from some days after its end on; one whose rules changed meanwhile never."""
    for first, again in _periods(found.holdbacks):
        last = _last(again[-1])
        made: dict[str, Any] = {
            "first": first.holdback.first,
            "last": last,
            "share": first.holdback.share,
            "read_on": last + WAITED,
        }
        if _changed(first, again, found.holdbacks):
            yield Trial(verdict=Verdict.CHANGED, **made)
        elif today <= last + WAITED:
            yield Trial(verdict=Verdict.UNDER_WAY, **made)
        else:
            ids = {one.holdback_id for one in again}
            ours = [one for one in found.returns if one.holdback_id in ids]
            stage = _stage(ours)
            compared = compare(
                [one for one in ours if one.stage is stage],
                statistics,
                stage=stage,
                treated=lambda one: not one.control,
            )
            yield Trial(verdict=compared.verdict, comparison=compared, **made)


def _periods(holdbacks: Sequence[Kept]) -> Iterable[tuple[Kept, list[Kept]]]:
    """Those with the same first day, share and seed are one: an earlier last day is how a trial is stopped."""
    same: dict[tuple[date, float, str], list[Kept]] = defaultdict(list)
    for one in holdbacks:
        same[one.holdback.first, one.holdback.share, one.holdback.seed].append(one)
    for again in same.values():
        yield again[0], again


def _last(kept: Kept) -> date:
    """The last day on which SMS were held back, as far as is known."""
    return kept.holdback.last if kept.ended_on is None else min(kept.holdback.last, kept.ended_on - timedelta(days=1))


def _taken_up_again(kept: Kept) -> bool:
    return kept.ended_on is not None and kept.ended_on <= kept.holdback.first


def _changed(first: Kept, again: Sequence[Kept], everything: Sequence[Kept]) -> bool:
    """Whether it was made longer or taken up again, or another one with other rules was in force at the same time."""
    if any(one.holdback.last > first.holdback.last or _taken_up_again(one) for one in again):
        return True
    return any(
        other.holdback.first <= _last(again[-1]) and _last(other) >= first.holdback.first
        for other in everything
        if other not in again
    )


def _stage(counts: Sequence[ReturnCount]) -> Stage:
    """The stage whose SMS were held back the most: one alone unless the library sends SMS at several."""
    held_back = Counter({Stage.OVERDUE_NOTICE: 0})
    for one in counts:
        held_back[one.stage] += one.loans * one.control
    return held_back.most_common(1)[0][0]


def _months_ago(today: date) -> date:
    """The first day of the months that are compared."""
    month = today.year * 12 + today.month - 1 - COMPARED_MONTHS
    return date(month // 12, month % 12 + 1, 1)
