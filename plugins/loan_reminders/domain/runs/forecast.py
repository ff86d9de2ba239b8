"""About how many readers each stage will tell tomorrow, and how: figures out of the last weeks' runs, no promise.

A later stage tells those whom the stage before told and who brought nothing back: the share of them that was left is
taken from the last weeks. The first stage has no stage before it: the same days of the last weeks speak for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from statistics import median

from loan_reminders.domain.stages import Channel, Policy, Stage

KNOWN_DAYS = 45
"""How many days back runs are worth looking at: three weeks between the first stage and the last, and three more."""

ENOUGH = 3
"""From fewer days nothing is concluded."""

WEEKS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """One stage and day whose books balance: which due date, how many readers had a notice, and by which channels."""

    stage: Stage
    day: date
    due_date: date
    notices: int
    by_channel: Mapping[Channel, int] = field(default_factory=dict)


def forecast(past: Sequence[PastRun], policy: Policy, day: date) -> Mapping[Stage, int | None]:
    """About how many readers each stage tells on `day`; None where too few days are known."""
    told: dict[Stage, dict[date, int]] = {}
    for run in past:
        dates = told.setdefault(run.stage, {})
        dates[run.due_date] = dates.get(run.due_date, 0) + run.notices
    found: dict[Stage, int | None] = {}
    rules = sorted(policy.rules, key=lambda rule: rule.offset_days)
    for place, rule in enumerate(rules):
        ours, due_date = told.get(rule.stage, {}), rule.due_date_on(day)
        before = told.get(rules[place - 1].stage, {}) if place else {}
        found[rule.stage] = _share_of(before, ours, due_date) if due_date in before else None
        if found[rule.stage] is None:
            found[rule.stage] = _same_days(ours, due_date)
    return found


def by_channel(past: Sequence[PastRun], stage: Stage, readers: int) -> Mapping[Channel, int]:
    """By which channels so many readers of a stage are told, as in its runs of the last weeks; most of them first."""
    ours = [run for run in past if run.stage is stage]
    notices = sum(run.notices for run in ours)
    if not notices:
        return {}
    sent: Counter[Channel] = Counter()
    for run in ours:
        sent.update(run.by_channel)
    about = {channel: round(readers * number / notices) for channel, number in sent.most_common()}
    return {channel: number for channel, number in about.items() if number}


def _share_of(before: Mapping[date, int], ours: Mapping[date, int], due_date: date) -> int | None:
    """Those told before about this due date, times the share that was left on other days."""
    both = [other for other in ours if before.get(other)]
    if len(both) < ENOUGH:
        return None
    return round(before[due_date] * sum(ours[other] for other in both) / sum(before[other] for other in both))


def _same_days(ours: Mapping[date, int], due_date: date) -> int | None:
    """The median of the same day of the last weeks; loans fall due on the same days of the week."""
    weeks = [ours[day] for week in range(1, WEEKS + 1) if (day := due_date - timedelta(weeks=week)) in ours]
    return round(median(weeks)) if len(weeks) >= ENOUGH else None
