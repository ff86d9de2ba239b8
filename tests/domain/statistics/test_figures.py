"""Periods of figures."""

from __future__ import annotations

from datetime import date

from loan_reminders.domain.statistics.figures import Asked, Grain, Messages, periods


def _starts(grain: Grain, first: date, last: date) -> tuple[date, ...]:
    return periods(Asked(first=first, last=last, grain=grain, zone="Europe/Paris"))


def test_weeks_begin_on_mondays_and_months_on_their_first_even_when_the_period_does_not():
    assert _starts(Grain.WEEK, date(2026, 11, 26), date(2026, 12, 1)) == (date(2026, 11, 23), date(2026, 11, 30))
    assert _starts(Grain.MONTH, date(2026, 12, 31), date(2027, 2, 1)) == (
        date(2026, 12, 1), date(2027, 1, 1), date(2027, 2, 1),
    )  # fmt: skip
    assert _starts(Grain.DAY, date(2028, 2, 28), date(2028, 3, 1)) == (
        date(2028, 2, 28), date(2028, 2, 29), date(2028, 3, 1),
    )  # fmt: skip


def test_messages_add_up():
    one, other = Messages(told=1, cost=0.1, unpriced=2), Messages(told=2, failed=1, cost=0.2, unpriced=3)
    assert one + other == Messages(told=3, failed=1, cost=0.3, unpriced=5)
