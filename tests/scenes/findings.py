"""What was concluded about SMS on a night, of each kind, for the page and the sheet."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from loan_reminders.domain.stages import PatronCategory, Stage
from loan_reminders.domain.statistics.effect import (
    Age,
    AgeCount,
    Arm,
    Change,
    Comparison,
    Estimate,
    Findings,
    MonthShares,
    Trial,
    Verdict,
)

DAY = date(2027, 6, 1)
STUDENT, STAFF = PatronCategory.STUDENT, PatronCategory.STAFF


def an_estimate(value: float, half: float = 3.0) -> Estimate:
    return Estimate(
        value=value, low=value - half, high=value + half, surely_low=value - 1.4 * half, surely_high=value + 1.4 * half
    )


def an_arm(share: float, loans: int = 900) -> Arm:
    return Arm(loans=loans, shares={1: an_estimate(share / 5), 3: an_estimate(share / 2), 7: an_estimate(share)})


def a_change(**changes: Any) -> Change:
    values: dict[str, Any] = {
        "verdict": Verdict.SURE,
        "since": date(2026, 9, 1),
        "months_before": 8,
        "months_after": 9,
        "estimate": an_estimate(-6.2),
        "staff_told": 0.0,
        "shares": {"student_before": 48.0, "student_after": 40.0, "staff_before": 42.0, "staff_after": 40.2},
    }
    return Change(**{**values, **changes})


def a_comparison(**changes: Any) -> Comparison:
    values: dict[str, Any] = {
        "stage": Stage.OVERDUE_NOTICE,
        "verdict": Verdict.SURE,
        "with_sms": an_arm(56),
        "without": an_arm(48, 700),
        "alone": 0.1,
        "differences": {1: an_estimate(2.0), 3: None, 7: an_estimate(7.4)},
    }
    return Comparison(**{**values, **changes})


def a_trial(**changes: Any) -> Trial:
    values: dict[str, Any] = {
        "first": date(2027, 1, 11),
        "last": date(2027, 4, 11),
        "share": 0.3,
        "read_on": date(2027, 4, 18),
        "verdict": Verdict.SURE,
        "comparison": a_comparison(),
    }
    return Trial(**{**values, **changes})


def some_findings(**changes: Any) -> Findings:
    """Eighteen months, every stage, a trial: as full as a page may be."""
    months = [date(2025 + (place + 11) // 12, (place + 11) % 12 + 1, 1) for place in range(18)]
    without = a_comparison(with_sms=Arm(loans=0, shares={}), verdict=Verdict.TOO_FEW, differences={})
    values: dict[str, Any] = {
        "day": DAY,
        "months": tuple(
            MonthShares(
                month=month,
                overdue={STUDENT: 160 + place, STAFF: 60},
                long_overdue={STUDENT: 70 - place, STAFF: 27},
                counts=True,
            )
            for place, month in enumerate(months)
        ),
        "change": a_change(),
        "comparisons": tuple(
            a_comparison() if stage is Stage.OVERDUE_NOTICE else replace(without, stage=stage) for stage in Stage
        ),
        "trials": (a_trial(),),
        "ages": tuple(
            AgeCount(month=month, day=month + timedelta(days=27), category=category, age=age, loans=10 + place)
            for month in months[-3:]
            for category in (STUDENT, STAFF)
            for place, age in enumerate(Age)
        ),
    }
    return Findings(**{**values, **changes})
