"""Single values of a row, in the types that different database drivers give them in."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from loan_reminders.domain.errors import RowError
from loan_reminders.domain.runs.extraction import CodeMapping, loan_id_of, loan_key_and_number, parse_row, reject

CODES = CodeMapping()
ROW = {"loan_key": "K", "patron_id": "P", "loan_date": 20260210, "due_date": 20260303}


def row(**changes):
    return {**ROW, **changes}


@pytest.mark.parametrize(
    ("price", "text"),
    [
        (Decimal("12.50"), "12.50"),
        (Decimal("12.500000"), "12.50"),
        (12.5, "12.50"),
        (Decimal("35.00"), "35"),
        ("12,50 EUR", "12,50 EUR"),
        (None, ""),
    ],
)
def test_a_price_may_be_a_number_with_cents(price, text):
    assert parse_row(row(price_text=price), CODES).price_text == text


@pytest.mark.parametrize("price", [Decimal("NaN"), float("inf"), Decimal("1E+40"), Decimal("1E+13") + Decimal("0.5")])
def test_a_price_that_is_no_amount_sets_its_row_aside(price):
    with pytest.raises(RowError, match="not_a_text"):
        parse_row(row(price_text=price), CODES)


PARIS = CodeMapping(zone=ZoneInfo("Europe/Paris"))


@pytest.mark.parametrize(
    ("due", "day"),
    [
        (datetime(2026, 3, 2, 23, 30, tzinfo=UTC), date(2026, 3, 3)),
        ("2026-03-02T23:30:00Z", date(2026, 3, 3)),
        ("2026-03-02 23:30:00+00:00", date(2026, 3, 3)),
        ("2026-03-02 23:30:00.000000 +00:00", date(2026, 3, 3)),  # Oracle's own writing
        ("2026-03-02T23:30Z", date(2026, 3, 3)),
        ("2026-03-02T23:30:00.000+0000", date(2026, 3, 3)),
        ("2026-03-03T04:00:00+05:00", date(2026, 3, 3)),
        ("2026-03-03T04:00:00+10:00", date(2026, 3, 2)),
        ("2026-07-01T22:59:59Z", date(2026, 7, 2)),  # summer time
        ("2026-03-02T23:30:00Z[UTC]", date(2026, 3, 3)),
        ("2026-03-02T23:30:00,123456789Z", date(2026, 3, 3)),
        ("2026-03-02 23:30:00+00", date(2026, 3, 3)),  # PostgreSQL's own writing
        ("2026-03-02 23:30:00 UTC", date(2026, 3, 3)),
        ("2026-03-02T23Z", date(2026, 3, 3)),
        ("20260302T233000Z", date(2026, 3, 3)),
        ("2026-03-03T00:30:00+01:00:00", date(2026, 3, 3)),
        (b"2026-03-02 23:30:00+00", date(2026, 3, 3)),
        (b"20260303", date(2026, 3, 3)),
        ("2026-03-03 24:00:00", date(2026, 3, 3)),
        ("2026-10-25T00:30:00+02:00", date(2026, 10, 25)),  # the night that has an hour twice
        ("2026-03-02T23:30:00", date(2026, 3, 2)),
        ("2026-03-02", date(2026, 3, 2)),
        (datetime(2026, 3, 2, 23, 30), date(2026, 3, 2)),
    ],
)
def test_a_moment_with_an_offset_is_of_the_librarys_day(due, day):
    assert parse_row(row(due_date=due), PARIS).due_date == day


def test_the_loan_date_is_read_the_same_way():
    loan = parse_row(row(loan_date="2026-02-09T23:30:00Z", due_date="2026-03-02T23:30:00+0000"), PARIS)
    assert (loan.loan_date, loan.due_date, loan.length_days) == (date(2026, 2, 10), date(2026, 3, 3), 21)


@pytest.mark.parametrize(
    "due",
    ["2026-03-02 hier", "2026-03-02T23:30 CET", "2026-03-02 11:30 PM", "2026-03-02T23:3", "2026-03-02T2330:00x",
     "2026-03-02 23:30:00+", "2026-03-02T23:30:00" + "0" * 300],
)  # fmt: skip
def test_a_day_with_something_unknown_after_it_is_not_guessed_at(due):
    """What cannot be read may be an offset, and the day another one."""
    with pytest.raises(RowError, match="not_a_date"):
        parse_row(row(due_date=due), PARIS)


@pytest.mark.parametrize(("count", "number"), [("2,00", 2), ("2.0", 2), (" 3 ", 3), (b"4", 4), ("", 0)])
def test_renewals_in_text(count, number):
    assert parse_row(row(renewal_count=count), CODES).renewal_count == number


@pytest.mark.parametrize("count", ["2,50", "1e3", "2,", ",0", "1 000", "٣", "2,00,00"])
def test_renewals_that_are_no_count(count):
    with pytest.raises(RowError, match="not_a_number"):
        parse_row(row(renewal_count=count), CODES)


@pytest.mark.parametrize("due", ["2026-03-02T25:00:00Z", "2026-03-02T23:30:00+99:00", "0001-01-01T00:00:00+14:00"])
def test_a_moment_that_does_not_exist_sets_its_row_aside(due):
    with pytest.raises(RowError, match="not_a_date"):
        parse_row(row(due_date=due), PARIS)


def test_keys_with_dashes_are_told_apart_from_their_number():
    key = UUID("6fa459ea-ee8a-3ca4-894e-db77e160355e")
    without, with_number = row(loan_key=key, loan_number=None), row(loan_key=str(key), loan_number=2)
    for one, halves in ((without, (str(key), "")), (with_number, (str(key), "2"))):
        loan_id = parse_row(one, CODES).loan_id
        assert loan_id == loan_id_of(one) == reject(one, RowError("missing", "title")).loan_id
        assert loan_key_and_number(loan_id) == halves
    assert loan_key_and_number(parse_row(row(loan_number=""), CODES).loan_id) == ("K", "")
