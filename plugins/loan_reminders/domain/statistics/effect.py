"""What SMS do: the counts that are kept, how they are compared, and when nothing can be concluded.

Three questions, each with figures of its own (`docs/bibliothecaires/effet_des_sms.md` fixes how they are worked out):

* `Change`: since a day, has the share of long overdues changed otherwise for students, who get SMS, than for staff, few
  of whom may get any? One figure a month, months before against months after.
* `Comparison`: are loans told of by SMS besides returned sooner than comparable ones (same month, stage, category,
  length) told of without?
* the same of a `Trial`, in which chance decided who got no SMS: the only one that tells a cause.

All figures are in points of per cent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from loan_reminders.domain.holdback import Holdback
from loan_reminders.domain.stages import PatronCategory, Stage

BUCKETS = 64
"""Groups of readers. Enough that an interval is hardly wider than with each reader by himself."""

DECIDES = 7
"""Returns within so many days decide; those within fewer are shown, and say nothing by themselves."""

MONTHS_NEEDED = 6
"""Months on each side: fewer say nothing of how much months differ by themselves."""

OVERDUES_NEEDED = 10
"""Overdue loans of each group in a month that counts."""

LOANS_NEEDED = 40
"""Comparable loans on each side, of which…"""

OUTCOMES_NEEDED = 10
"""… so many at least returned in time, and so many not."""

BUCKETS_NEEDED = 20
"""Groups of readers on each side."""

MOST_ALONE = 0.5
"""The largest share of loans with SMS that may have no loan without SMS to be compared with."""

ALREADY_APART = 0.05
"""Below this probability by chance alone, the two groups were moving apart before the day already."""

MOST_STAFF_TOLD = 0.1
"""The largest share of staff's loans that may be told of by SMS: the same share of what SMS do is missing from the
difference then, half a point of five, which is less than the interval of a year's months."""

WAITED = timedelta(days=DECIDES)
"""How long after the end of a trial its loans are still followed before it is read."""


class Length(StrEnum):
    """How long a loan was for: below 14 days, below 28, or more."""

    SHORT = "short"
    MEDIUM = "medium"
    LONG = "long"


MEDIUM_FROM, LONG_FROM = 14, 28
"""The first day of each of the two longer ones."""


class Age(StrEnum):
    """For how many days a loan is overdue."""

    WEEK = "week"
    FORTNIGHT = "fortnight"
    MONTH = "month"
    QUARTER = "quarter"
    LONGER = "longer"


AGES_FROM = {Age.WEEK: 1, Age.FORTNIGHT: 8, Age.MONTH: 15, Age.QUARTER: 31, Age.LONGER: 91}
"""The first day of each."""


class ToldBy(StrEnum):
    """How a stage told of a loan: by an SMS, alone or besides; otherwise; or by nothing that left."""

    SMS = "sms"
    OTHERWISE = "otherwise"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class OverdueCount:
    """Of the loans that fell due in a month and were not returned then: how many, and how many for 15 days and more."""

    month: date
    category: PatronCategory
    bucket: int
    overdue: int
    long_overdue: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnCount:
    """Of the loans a stage told of in a month: how many, known what they were after some days, returned by then."""

    month: date
    stage: Stage
    category: PatronCategory
    length: Length
    bucket: int
    told_by: ToldBy
    holdback_id: int
    control: bool
    loans: int
    known: Mapping[int, int]
    returned: Mapping[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldCount:
    """Of the loans of a category that a stage told of in a month, how many it told of by SMS, alone or besides."""

    month: date
    stage: Stage
    category: PatronCategory
    loans: int
    by_sms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeCount:
    """Loans of a category that were overdue for so long on the last look of a month."""

    month: date
    day: date
    category: PatronCategory
    age: Age
    loans: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A period of random holding back, as the planner met it; `ended_on`: the evening it was found given up."""

    holdback_id: int
    holdback: Holdback
    ended_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """All that is kept of a library's months."""

    overdues: tuple[OverdueCount, ...] = ()
    returns: tuple[ReturnCount, ...] = ()
    told: tuple[ToldCount, ...] = ()
    ages: tuple[AgeCount, ...] = ()
    holdbacks: tuple[Kept, ...] = ()
    first_sms: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A figure in points, its interval at 95 %, and the wider one at 99 % outside of which nothing is called sure."""

    value: float
    low: float
    high: float
    surely_low: float
    surely_high: float


class Verdict(StrEnum):
    """What may be concluded. `SURE`: 0 is outside the interval at 99 %; `HINT`: outside that at 95 % alone."""

    SURE = "sure"
    HINT = "hint"
    NOTHING = "nothing"
    TOO_FEW = "too_few"
    NOT_COMPARABLE = "not_comparable"
    NO_DAY = "no_day"
    UNDER_WAY = "under_way"
    CHANGED = "changed"


def verdict(estimate: Estimate) -> Verdict:
    """What an estimate allows to conclude, the loans being comparable and many enough.

    The page is looked at again each month, and whoever looks often enough finds a difference at 95 %: so 99 % decides.
    """
    if estimate.surely_low > 0 or estimate.surely_high < 0:
        return Verdict.SURE
    return Verdict.HINT if estimate.low > 0 or estimate.high < 0 else Verdict.NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthShares:
    """Of a month's overdue loans, how many became long ones, students and staff; `counts`: it is compared.

    `by_sms`: of the loans told of in the month, the share (0 to 1) told of by SMS; of the stages that send any.
    """

    month: date
    overdue: Mapping[PatronCategory, int]
    long_overdue: Mapping[PatronCategory, int]
    counts: bool
    by_sms: Mapping[PatronCategory, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Difference of differences: how much more the students' share changed than the staff's, from before to after.

    `before` and `after` are the shares on which the estimate rests, students and staff, in per cent: means over months.
    `staff_told` is the share (0 to 1) of staff's loans since that day that were told of by SMS too; None in findings of
    nights on which it was not counted yet.
    """

    verdict: Verdict
    since: date | None = None
    months_before: int = 0
    months_after: int = 0
    shares: Mapping[str, float] | None = None
    estimate: Estimate | None = None
    staff_told: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One side of a comparison: its loans, and by number of days the share returned, with its interval."""

    loans: int
    shares: Mapping[int, Estimate | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """With SMS against without, by number of days; the one of `DECIDES` days has the verdict.

    `with_sms` and `without` are of all loans, the `differences` of the comparable ones; `alone` is the share of loans
    with SMS (0 to 1) that had no comparable one.
    """

    stage: Stage
    verdict: Verdict
    with_sms: Arm
    without: Arm
    alone: float = 0.0
    differences: Mapping[int, Estimate | None] | None = None

    @property
    def decides(self) -> Estimate | None:
        """The difference that the verdict is about."""
        return (self.differences or {}).get(DECIDES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A period in which chance decided who got no SMS; its `comparison` is there once it may be read."""

    first: date
    last: date
    share: float
    read_on: date
    verdict: Verdict
    comparison: Comparison | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """All that the page says, as it was on a day."""

    day: date
    months: tuple[MonthShares, ...] = ()
    change: Change
    comparisons: tuple[Comparison, ...] = ()
    trials: tuple[Trial, ...] = ()
    ages: tuple[AgeCount, ...] = ()


def month_of(day: date) -> date:
    """The first of the month a day is in."""
    return day.replace(day=1)
