"""Every column of the contract and every kind of value that a driver gives: a loan, or a reason; never a crash."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from loan_reminders.domain.errors import RowError
from loan_reminders.domain.loans import Loan
from loan_reminders.domain.runs.extraction import (
    ADDRESS_COLUMNS,
    COLUMNS,
    PHONE_COLUMNS,
    WORDS,
    CodeMapping,
    parse_row,
    reject,
)
from loan_reminders.domain.runs.reading.cells import RowFault

CODES = CodeMapping(zone=ZoneInfo("Europe/Paris"))
ROW = {
    **dict.fromkeys(COLUMNS, ""),
    "loan_key": "K",
    "loan_number": "1",
    "patron_id": "P",
    "loan_date": 20260210,
    "due_date": 20260303,
}
DAYS = ("loan_date", "due_date")
IDS = ("loan_key", "loan_number", "patron_id")
CONTACTS = ("email", *PHONE_COLUMNS, "postcode")
TEXTS = tuple(name for name in COLUMNS if name not in (*DAYS, *IDS, *CONTACTS, "renewal_count"))
FREE = (*TEXTS, *CONTACTS)


class Timestamp(datetime):
    """A driver's own kind of moment."""


class NotATime(datetime):
    """A driver's own « no date », such as pandas' NaT: a datetime that has no day."""

    def date(self):
        raise ValueError("NaTType does not support date")


VALUES = {
    "None": None,
    "blank": " \t",
    "padded": "12        ",
    "text": "abc",
    "comma": "2,00",
    "number": 12,
    "zero": 0,
    "negative": -3,
    "huge": 10**60,
    "float": 12.0,
    "cents": 12.5,
    "nan": float("nan"),
    "inf": float("-inf"),
    "Decimal": Decimal("12"),
    "Decimal cents": Decimal("12.50"),
    "sNaN": Decimal("sNaN"),
    "far Decimal": Decimal("1E+999999"),
    "tiny Decimal": Decimal("1E-999999"),
    "bytes": b"12",
    "latin-1 bytes": "Hélène".encode("latin-1"),
    "binary": uuid.UUID(int=0x00010203_04050607_88898A8B_8C8D8E8F).bytes,
    "bytearray": bytearray(b"12"),
    "memoryview": memoryview(b"12"),
    "UUID": uuid.UUID(int=1),
    "bool": True,
    "timedelta": timedelta(hours=14),
    "time": time(14),
    "date": date(2026, 3, 3),
    "datetime": datetime(2026, 3, 3, 14),
    "aware": datetime(2026, 3, 3, 14, tzinfo=UTC),
    "datetime.max": datetime.max.replace(tzinfo=timezone(timedelta(hours=-14))),
    "datetime.min": datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
    "Timestamp": Timestamp(2026, 3, 3, 14),
    "NotATime": NotATime(2026, 3, 3),
    "99991231": 99991231,
    "99991231 text": "99991231",
    "9999-12-31 23:59:59": "9999-12-31 23:59:59",
    "9999 aware": "9999-12-31T23:59:59-12:00",
    "20260231": 20260231,
    "0000-00-00": "0000-00-00",
    "0000-00-00 00:00:00": "0000-00-00 00:00:00",
    "mojibake": "HÃ©lÃ¨ne",
    "lost": "H\ufffdl\ufffdne",
    "half a character": "a\ud83d",
    "NUL": "a\x00b",
    "long": "x" * 5000,
    "list": ["a"],
    "dict": {"a": 1},
    "object": object(),
}
READ = {
    **dict.fromkeys(("date", "datetime", "aware", "Timestamp"), "day"),
    **dict.fromkeys(("padded", "number", "float", "Decimal", "bytes", "bytearray", "memoryview"), "12"),
}


def read(row):
    """The loan, or the row put aside; whatever else is raised fails the test."""
    try:
        return parse_row(row, CODES)
    except RowError as error:
        return reject(row, error)


@pytest.mark.parametrize("column", COLUMNS)
def test_a_loan_or_a_reason(column):
    for name, value in VALUES.items():
        found = read({**ROW, column: value})
        if isinstance(found, Loan):
            assert (type(found.due_date), type(found.loan_date)) == (date, date)
        else:
            assert (name, found.column) == (name, column)
            assert found.code in set(RowFault)


@pytest.mark.parametrize("column", DAYS)
@pytest.mark.parametrize("name", VALUES)
def test_what_is_a_day(column, name):
    missing = ("None", "blank", "zero", "0000-00-00", "0000-00-00 00:00:00")
    if READ.get(name) == "day":
        loan = parse_row({**ROW, column: VALUES[name]}, CODES)
        assert getattr(loan, column) == date(2026, 3, 3)
        return
    with pytest.raises(RowError) as error:
        parse_row({**ROW, column: VALUES[name]}, CODES)
    assert (error.value.code, error.value.column) == ("missing" if name in missing else "not_a_date", column)


@pytest.mark.parametrize("name", VALUES)
def test_what_is_a_count(name):
    counts = {"None": 0, "blank": 0, "zero": 0, "comma": 2, "99991231": 99991231, "99991231 text": 99991231,
              "20260231": 20260231, **{one: 12 for one, kind in READ.items() if kind == "12"}}  # fmt: skip
    row = {**ROW, "renewal_count": VALUES[name]}
    if name in counts:
        assert parse_row(row, CODES).renewal_count == counts[name]
        return
    with pytest.raises(RowError, match="not_a_number"):
        parse_row(row, CODES)


@pytest.mark.parametrize("name", ["bool", "timedelta", "time", "date", "datetime", "list", "dict", "object", "binary",
                                  "nan", "inf", "sNaN", "huge", "far Decimal"])  # fmt: skip
def test_what_is_no_text_in_any_column(name):
    for column in (*IDS, *FREE):
        with pytest.raises(RowError) as error:
            parse_row({**ROW, column: VALUES[name]}, CODES)
        assert (error.value.code, error.value.column) == ("not_a_text", column)


@pytest.mark.parametrize("name", ["padded", "number", "float", "Decimal", "bytes", "bytearray", "memoryview"])
def test_a_text_in_any_type_names_the_same(name):
    loan = parse_row({**ROW, **dict.fromkeys(("loan_key", "patron_id", "title", "branch"), VALUES[name])}, CODES)
    assert (loan.loan_id, loan.patron.patron_id, loan.title, loan.branch) == ("12-1", "12", "12", "12")


def test_a_call_number_may_be_a_number_with_decimals_but_a_key_or_a_phone_may_not():
    loan = parse_row({**ROW, "call_number": Decimal("843.910"), "volume": 1.5, "price_text": 12.5}, CODES)
    assert (loan.call_number, loan.volume, loan.price_text) == ("843.91", "1.5", "12.50")
    for column in (*IDS, *CONTACTS):
        with pytest.raises(RowError, match="not_a_text"):
            parse_row({**ROW, column: Decimal("843.910")}, CODES)


def test_an_address_or_a_name_in_the_wrong_encoding_is_mended_and_counted():
    spoilt = {
        "last_name": "LefÃ¨vre", "first_name": "ZoÃ©", "title": "Lâ€™Ã‰tranger", "author": "CamÃ©lia",
        "address_1": "3 alle\u0301e", "address_2": "12 rue dâ€™AlÃ©sia", "postcode": "75014", "city": "OrlÃ©ans",
    }  # fmt: skip
    loan = parse_row({**ROW, **spoilt}, CODES)
    assert (loan.patron.name, loan.title, loan.author) == ("Zoé Lefèvre", "L’Étranger", "Camélia")
    assert "ALESIA" in " ".join(loan.patron.address.lines)
    assert "ORLEANS" in " ".join(loan.patron.address.lines)
    assert (loan.remarks.repaired, loan.remarks.lost) == (6, 0)


def test_what_is_not_for_people_is_not_mended():
    """A code is compared, an e-mail address is written to: neither is guessed at."""
    for column in sorted(set(FREE) - set(WORDS)):
        assert parse_row({**ROW, column: "HÃ©lÃ¨ne"}, CODES).remarks.repaired == 0
    loan = parse_row({**ROW, "branch": "HÃ©lÃ¨ne"}, CODES)
    assert loan.branch == "HÃ©lÃ¨ne"


def test_latin_1_bytes_are_mended_in_words_alone():
    raw = "Hélène".encode("latin-1")
    for column in FREE:
        if column in WORDS:
            assert parse_row({**ROW, column: raw}, CODES).remarks.repaired == 1
        else:
            with pytest.raises(RowError, match="not_a_text"):
                parse_row({**ROW, column: raw}, CODES)
    for column in IDS:
        with pytest.raises(RowError, match="not_a_text"):
            parse_row({**ROW, column: raw}, CODES)


def test_signs_that_were_lost_before_are_counted():
    loan = parse_row({**ROW, "title": "L\ufffd\ufffdt\ufffd", "author": "Élise"}, CODES)
    assert (loan.remarks.repaired, loan.remarks.lost) == (0, 1)


def test_a_row_without_remarks_is_equal_to_the_same_loan_read_from_the_ledger():
    """Remarks are no part of the loan."""
    spoilt, right = ({**ROW, "title": title} for title in ("Ã‰tÃ©", "Été"))
    assert parse_row(spoilt, CODES) == parse_row(right, CODES)


def test_every_column_is_of_a_kind():
    assert set(COLUMNS) == {*DAYS, *IDS, *CONTACTS, *TEXTS, "renewal_count"}
    assert set(WORDS) <= set(TEXTS)
    assert set(ADDRESS_COLUMNS) <= set(WORDS)
