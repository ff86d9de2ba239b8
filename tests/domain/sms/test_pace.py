"""How long the SMS credit lasts at the pace of the last weeks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from loan_reminders.domain.sms.pace import KnownCredit, spending

TODAY = date(2026, 11, 30)


def daily(days: int, segments: int) -> dict[date, int]:
    return {TODAY - timedelta(days=back): segments for back in range(days)}


def test_an_account_that_never_sent_has_no_pace():
    spent = spending({}, TODAY)
    assert (spent.today, spent.month, spent.a_day, spent.days_left(7000)) == (0, 0, None, None)


def test_a_few_days_say_nothing_of_the_pace():
    assert spending(daily(6, 70), TODAY).a_day is None
    assert spending(daily(7, 70), TODAY).a_day == 70


def test_four_weeks_count_and_a_month_begins_on_its_first_day():
    spent = spending(daily(45, 10) | {TODAY: 80}, TODAY)
    assert (spent.today, spent.month) == (80, 370)
    assert spent.a_day == pytest.approx(350 / 28)
    assert spent.days_left(7000) == 560


def test_days_without_an_sms_slow_the_pace_down():
    quiet = {TODAY - timedelta(days=27): 280}
    assert spending(quiet, TODAY).a_day == 10


def test_what_left_since_the_provider_was_asked_is_gone():
    said = KnownCredit(segments=100, at=datetime(2026, 11, 30, 10, tzinfo=UTC), spent_since=83)
    assert said.left == 17
    assert KnownCredit(segments=10, at=said.at, spent_since=83).left == 0
