"""What a row says of a reader and SMS; of a birth date nothing stays."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from loan_reminders.domain.errors import RowError
from loan_reminders.domain.loans import CodeKind, SmsChoice
from loan_reminders.domain.runs.extraction import CodeMapping, parse_row, reject
from loan_reminders.domain.runs.reading.consent import ConsentCodes
from loan_reminders.ledger.json_codecs import decode_loan, encode_loan

YES, NO = SmsChoice.YES, SmsChoice.NO
ROW = {"loan_key": "K1", "patron_id": "P1", "loan_date": 20261001, "due_date": 20261126, "patron_status": "10"}


def loan(codes: ConsentCodes, **row: object):
    return parse_row({**ROW, **row}, CodeMapping(consent=codes, zone=ZoneInfo("Europe/Paris")))


CODES = ConsentCodes(yes=frozenset({"O", "1"}), no=frozenset({"N"}))


@pytest.mark.parametrize(
    ("cell", "choice", "unknown"),
    [("O", YES, ()), (1, YES, ()), ("N", NO, ()), (None, None, ()), ("", None, ()),
     ("Z", None, ((CodeKind.SMS_CONSENT, "Z"),)), (b"\xff", None, ())],
)  # fmt: skip
def test_the_codes_of_the_column(cell, choice, unknown):
    found = loan(CODES, sms_consent=cell)
    assert found.patron.sms_choice is choice
    if cell != b"\xff":
        assert found.remarks.unknown == unknown


def test_a_statement_without_the_column_says_nothing():
    assert loan(CODES).patron.sms_choice is None
    assert loan(ConsentCodes(), sms_consent="Z").remarks.unknown == ()


def test_the_status_of_the_reader_may_say_it_and_its_other_codes_are_not_unknown():
    codes = ConsentCodes(column="patron_status", yes=frozenset({"10"}))
    assert loan(codes).patron.sms_choice is YES
    assert loan(codes, patron_status="11").patron.sms_choice is None
    assert loan(codes, patron_status="11").remarks.unknown == ()


@pytest.mark.parametrize(
    ("born", "minor"),
    [
        (20081127, True), (20081126, False), ("2008-11-27", True), (date(2026, 1, 1), True),
        (datetime(2000, 1, 1), False),
        (None, False), ("0000-00-00", False), (0, False), ("hier", False), (20301231, False), ("1850-01-01", False),
        (20100230, False), ("2010-02-30", False), (20261231, False), (b"20081127", True), (b"\xff", False),
        (1.5, False), (datetime(2008, 11, 26, 23, 30, tzinfo=UTC), True),
    ],
)  # fmt: skip
def test_who_is_a_minor_on_the_due_date(born, minor):
    assert loan(ConsentCodes(minor_under=18), birth_date=born).patron.minor is minor
    assert loan(ConsentCodes(), birth_date=born).patron.minor is False


@pytest.mark.parametrize(
    ("year", "minor"),
    [(2007, False), (2008, True), (2026, True), (2027, False), ("2008 ", True), (Decimal(2008), True), (0, False),
     ("0000", False), (8, False), (1808, False)],
)  # fmt: skip
def test_of_a_year_alone_the_reader_is_as_young_as_may_be(year, minor):
    assert loan(ConsentCodes(minor_under=18), birth_date=year).patron.minor is minor


def test_on_the_last_day_of_the_year_all_who_were_born_in_it_are_of_age():
    grown, codes = {"due_date": 20261231, "birth_date": 2008}, ConsentCodes(minor_under=18)
    assert not loan(codes, **grown).patron.minor
    assert loan(codes, **{**grown, "due_date": 20261230}).patron.minor


def test_of_a_birth_date_nothing_is_kept_but_one_word():
    kept = encode_loan(loan(ConsentCodes(minor_under=18), birth_date=20081127))
    assert "2008" not in kept
    assert "20081127" not in str(
        reject({**ROW, "birth_date": 20081127, "due_date": "x"}, RowError("missing", "due_date")).raw
    )


@pytest.mark.parametrize(
    ("more", "words"), [({}, ()), ({"sms_consent": "O", "birth_date": 20200101}, ("sms_choice", "minor"))]
)
def test_the_ledger_keeps_what_was_said_and_nothing_where_nothing_was(more, words):
    import json

    found = loan(ConsentCodes(yes=frozenset({"O"}), minor_under=18), **more)
    record = json.loads(encode_loan(found))
    assert {name for name in ("sms_choice", "minor") if name in record["patron"]} == set(words)
    assert decode_loan(record) == found


def test_the_columns_that_must_be_there_are_those_that_the_settings_ask_for():
    assert ConsentCodes().columns == ConsentCodes(column="patron_status", no=frozenset({"10"})).columns == ()
    assert CODES.columns == ("sms_consent",)
    assert ConsentCodes(minor_under=18).columns == ("birth_date",)
