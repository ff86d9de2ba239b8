"""No field of an ILS row, however long or odd, stops a run or holds it up; and what is printed always fits."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loan_reminders.domain.errors import RecipientError, RowError
from loan_reminders.domain.recipients import EmailAddress, MobileNumber, PostalAddress
from loan_reminders.domain.runs.extraction import COLUMNS, CodeMapping, loan_id_of, parse_row, reject
from loan_reminders.domain.runs.reading.cells import LONGEST_TEXT
from loan_reminders.domain.states import Refusal
from loan_reminders.rendering.letters.text import price_words, title_words, total_words

SIZE = 300_000
SECONDS = 1.0
"""Many times what any of these takes: a parser of quadratic cost needs minutes."""

HOSTILE = {
    "digits": "0" * SIZE,
    "numbers": "06 12 34 56 78 " * (SIZE // 15),
    "half numbers": "+33 6 " * (SIZE // 6),
    "accents": "e" + "\u0301\u0323" * (SIZE // 2),
    "spaces": "a" + " " * SIZE + "b",
    "no-break spaces": "\u00a0" * SIZE,
    "commas": "," * SIZE,
    "brackets": "(" * SIZE,
    "angle brackets": "<" * SIZE,
    "at signs": "@" * SIZE,
    "addresses": "a@b.fr/" * (SIZE // 7),
    "hyphens": "-" * SIZE,
    "lines": "a\n" * (SIZE // 2),
    "streets": "12 rue A " * (SIZE // 9),
    "countries": "FRANCE " * (SIZE // 7),
    "prefixes": "D-7769 " * (SIZE // 7),
    "quotes": "'\"" * (SIZE // 2),
    "capital Os": "O0" * (SIZE // 2),
    "non-filing": "<<" * (SIZE // 2),
    "negations": "\u00ac" * SIZE,
    "subfields": "$$a" * (SIZE // 3),
    "thousands": "1 234 " * (SIZE // 6),
    "one letter": "A" * SIZE,
    "nothing": "\x00" * SIZE,
    "half characters": "\ud800" * SIZE,
}

ROW = {
    **dict.fromkeys(COLUMNS),
    "loan_key": "000400123000010", "loan_number": 77, "loan_date": 20260210, "due_date": 20260303, "patron_id": "M1",
    "last_name": "Dupont", "first_name": "Élise", "address_1": "12 rue des Lilas", "address_2": "06000 Nice",
}  # fmt: skip


def a_row(**changes: object) -> dict[str, object]:
    return {**ROW, **changes}


def taking(call: Callable[[], object]) -> float:
    begin = time.process_time()
    with suppress(RecipientError, RowError):
        call()
    return time.process_time() - begin


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_every_parser_is_quick_whatever_it_reads(text: str) -> None:
    short = text[:1000]
    calls: dict[str, Callable[[], object]] = {
        "email": lambda: EmailAddress.parse(text),
        "phone": lambda: MobileNumber.parse(text),
        "phone of its longest": lambda: MobileNumber.parse(text[:500]),
        "email of its longest": lambda: EmailAddress.parse(short),
        "price": lambda: price_words(text),
        "prices": lambda: total_words([text, "12,50"]),
        "title": lambda: title_words(text[:LONGEST_TEXT], text[:LONGEST_TEXT]),
        **{
            f"address {field} of {length}": lambda field=field, length=length: PostalAddress.parse(
                **{"name": "Élise Dupont", "lines": ["12 rue A"], "postcode": "06000", "city": "Nice"}
                | {field: [text[:length]] * 4 if field == "lines" else text[:length]}
            )
            for field in ("name", "lines", "postcode", "city", "country", "given")
            for length in (300, SIZE)
        },
        **{
            f"row {column}": lambda column=column: parse_row(a_row(**{column: text}), CodeMapping())
            for column in COLUMNS
        },
    }
    slow = {name: seconds for name, call in calls.items() if (seconds := taking(call)) > SECONDS}
    assert not slow


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("text", [HOSTILE["accents"], HOSTILE["one letter"], HOSTILE["digits"]], ids=["é", "A", "0"])
def test_a_row_with_a_huge_field_is_read_or_set_aside_with_its_column(column: str, text: str) -> None:
    row = a_row(**{column: text})
    try:
        loan = parse_row(row, CodeMapping())
    except RowError as error:
        rejected = reject(row, error)
        assert (rejected.column, bool(rejected.code)) == (column, True)
        assert len(rejected.loan_id) <= 401
        assert len(rejected.patron_id) <= 200
        assert sum(len(str(value)) for value in rejected.raw.values()) < 5000
        assert loan_id_of(row) == rejected.loan_id
        return
    assert loan_id_of(row) == loan.loan_id
    kept = (loan.title, loan.author, loan.call_number, loan.volume, loan.branch, loan.price_text, loan.patron.name)
    assert max(map(len, kept)) <= LONGEST_TEXT


def test_a_contact_that_is_too_long_has_its_reason_and_the_others_stay() -> None:
    patron = parse_row(a_row(email=HOSTILE["one letter"], phone_1=HOSTILE["digits"]), CodeMapping()).patron
    assert patron.email is Refusal.NOT_AN_ADDRESS
    assert isinstance(patron.address, PostalAddress)
    assert parse_row(a_row(address_1=HOSTILE["one letter"]), CodeMapping()).patron.address is Refusal.LINE_TOO_LONG


def test_two_long_identifiers_stay_two() -> None:
    first, second = ("9" * 5000 + end for end in "12")
    assert loan_id_of({"loan_key": first, "loan_number": "1"}) != loan_id_of({"loan_key": second, "loan_number": "1"})


@pytest.mark.parametrize(
    "value", [10**100_000, Decimal("1E+100000"), Decimal("1E+999999"), 1e308, Decimal("NaN")], ids=list("abcde")
)
@pytest.mark.parametrize("column", ["loan_key", "title", "patron_id", "price_text", "renewal_count", "due_date"])
def test_a_number_of_thousands_of_digits_is_one_bad_row(column: str, value: object) -> None:
    row = a_row(**{column: value})
    with pytest.raises(RowError) as caught:
        parse_row(row, CodeMapping())
    assert caught.value.column == column
    assert loan_id_of(row) == reject(row, caught.value).loan_id


def test_a_count_of_thousands_of_digits_is_one_bad_row() -> None:
    with pytest.raises(RowError):
        parse_row(a_row(renewal_count="9" * 100_000), CodeMapping())


@pytest.mark.parametrize(
    "held",
    ["9" * 100_000, "1 " * 50_000, "12,50" + " " * 100_000, "9" * 10, "1" * 5000 + ",50 EUR"],
    ids=["digits", "groups", "spaces", "ten digits", "an amount"],
)
def test_a_price_of_thousands_of_digits_is_no_price(held: str) -> None:
    assert price_words(held) == ""
    assert total_words([held, "12,50"]) == "12,50\u00a0€"


WORDS = st.sampled_from([
    "12", "rue", "des", "Lilas", "06000", "Nice", "77694", "Kehl", "(Allemagne)", "D-77694", "USA", "IL", "62704",
    "CEDEX", "BP 12", "00862 ARMEES", "SP 85212", "Fort-de-France", "97200", "Belgique", "1000", "Bruxelles", ",",
    "\n", "Rue", "FR", "France", "AD500", "Luxembourg", "L-1855", "x" * 39, "é" * 20,
    "Saint-Rémy-en-Bouzemont-Saint-Genest-et-Isson",
])  # fmt: skip
LINE = st.text(max_size=60) | st.lists(WORDS, max_size=9).map(" ".join)


@settings(max_examples=400, deadline=None)
@given(
    name=LINE, lines=st.lists(LINE | st.none(), max_size=6), postcode=LINE | st.none(), city=LINE | st.none(),
    country=LINE | st.none(), given=LINE,
)  # fmt: skip
def test_whatever_comes_in_what_comes_out_fits_the_envelope(**fields: object) -> None:
    try:
        address = PostalAddress.parse(**fields)  # type: ignore[arg-type]
    except RecipientError:
        return
    assert 3 <= len(address.lines) <= 6
    for line in address.lines:
        assert 0 < len(line) <= 38
        assert line == " ".join(line.split())
        assert line == line.upper()
