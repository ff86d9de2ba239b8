"""The figures of the page: what is asked, and what is counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from loan_reminders.domain.stages import Channel, PatronCategory, Stage


class Grain(StrEnum):
    """By what a period is cut."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Cut(StrEnum):
    """By what messages are told apart."""

    PERIOD = "period"
    STAGE = "stage"
    CHANNEL = "channel"
    BRANCH = "branch"
    CATEGORY = "category"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A period, both days included, in a time zone, and what it is narrowed to; None: everything."""

    first: date
    last: date
    grain: Grain
    zone: str
    stage: Stage | None = None
    channel: Channel | None = None
    branch: str | None = None
    category: PatronCategory | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Messages:
    """What became of messages. `told`: taken by who carries them; `not_reached`: readers without any usable address.

    `waiting`: letters not yet printed, or not yet posted. `cost` is what the provider told for SMS, in euros; of the
    segments, it told no price for `unpriced`.
    """

    told: int = 0
    not_reached: int = 0
    failed: int = 0
    in_doubt: int = 0
    waiting: int = 0
    segments: int = 0
    cost: float = 0.0
    unpriced: int = 0

    def __add__(self, other: Messages) -> Messages:
        return Messages(
            told=self.told + other.told,
            not_reached=self.not_reached + other.not_reached,
            failed=self.failed + other.failed,
            in_doubt=self.in_doubt + other.in_doubt,
            waiting=self.waiting + other.waiting,
            segments=self.segments + other.segments,
            cost=round(self.cost + other.cost, 5),
            unpriced=self.unpriced + other.unpriced,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFigures:
    """Messages of a period, all together, by each cut, and by the periods and channels of its chart.

    The keys of a cut are codes, or the first day of a period.
    """

    total: Messages
    by: Mapping[Cut, Mapping[str, Messages]]
    chart: Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Returns:
    """What became of loans within some days after a stage told of them.

    `returned` and `known` are by number of days: of how many loans it is known what they were that day.
    """

    stage: Stage
    with_sms: bool
    loans: int
    known: Mapping[int, int]
    returned: Mapping[int, int]
    renewed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """Overdue loans of a category of readers on the last day of a month on which the ILS was asked."""

    day: date
    category: PatronCategory
    overdue: int
    long_overdue: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """How fresh the figures are: the first and last look at loans, and how many runs are not counted yet."""

    first_look: date | None
    last_look: date | None
    runs_to_count: int


def periods(asked: Asked) -> tuple[date, ...]:
    """The first day of each part of the period: the days themselves, Mondays, or firsts of months."""
    starts = [start_of(asked.first, asked.grain)]
    while (following := _next(starts[-1], asked.grain)) <= asked.last:
        starts.append(following)
    return tuple(starts)


def start_of(day: date, grain: Grain) -> date:
    """The first day of the week or month that a day is in."""
    if grain is Grain.MONTH:
        return day.replace(day=1)
    return day - timedelta(days=day.weekday()) if grain is Grain.WEEK else day


def _next(start: date, grain: Grain) -> date:
    if grain is Grain.MONTH:
        return (start + timedelta(days=31)).replace(day=1)
    return start + timedelta(days=7 if grain is Grain.WEEK else 1)
