"""Months counted back by the calendar, and what one passage removed."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loan_reminders.domain.retention.disputes import DisputeRefused, check_dispute
from loan_reminders.domain.retention.terms import Removed, Terms, months_before


@pytest.mark.parametrize(
    ("day", "months", "before"),
    [
        (date(2026, 11, 29), 4, date(2026, 7, 29)),
        (date(2027, 3, 31), 1, date(2027, 2, 28)),
        (date(2028, 3, 31), 1, date(2028, 2, 29)),
        (date(2027, 1, 15), 1, date(2026, 12, 15)),
        (date(2027, 1, 31), 12, date(2026, 1, 31)),
        (date(2028, 2, 29), 12, date(2027, 2, 28)),
    ],
)
def test_the_same_day_so_many_months_earlier(day, months, before):
    assert months_before(day, months) == before


@given(day=st.dates(date(2000, 1, 1), date(2100, 1, 1)), months=st.integers(1, 120))
def test_a_later_day_never_has_an_earlier_term(day, months):
    assert months_before(day, months) <= months_before(day + timedelta(days=1), months) < day


def test_a_library_has_its_own_terms():
    terms = Terms.on(date(2026, 11, 29), loan_months=6, reader_months=24)
    assert (terms.loans_until, terms.readers_until) == (date(2026, 5, 29), date(2024, 11, 29))


def test_what_was_removed_adds_up():
    assert Removed(loans=1, others=2) + Removed(loans=3, readers=1) == Removed(loans=4, others=2, readers=1)
    assert Removed(loans=1).counts()["loans"] == 1


@pytest.mark.parametrize(
    ("days", "reason", "code"),
    [(10, "  ", "no_reason"), (-1, "conteste", "past"), (800, "conteste", "too_far")],
)
def test_a_dispute_has_a_reason_and_an_end(days, reason, code):
    today = date(2026, 11, 29)
    with pytest.raises(DisputeRefused) as refused:
        check_dispute(until=today + timedelta(days=days), reason=reason, today=today)
    assert str(refused.value.code) == code


@pytest.mark.parametrize("days", [0, 700])
def test_a_dispute_may_end_today_or_in_two_years(days):
    today = date(2026, 11, 29)
    check_dispute(until=today + timedelta(days=days), reason="conteste", today=today)
