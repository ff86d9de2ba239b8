"""What is typed in the one box, read as all that it may be, in any writing."""

from __future__ import annotations

from datetime import date

import pytest

from loan_reminders.domain.readers.reader import Reader
from loan_reminders.domain.readers.search import LONGEST_SEARCH, FoundBy, ReaderFound, ReaderSearch, ReadersFound
from loan_reminders.domain.states import Refusal

read = ReaderSearch.parse
B = FoundBy


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "\u00a0"])
def test_nothing_is_nothing(text):
    asked = read(text)
    assert (asked.code, asked.codes, asked.email, asked.mobile, asked.words) == ("", (), "", "", ())


@pytest.mark.parametrize("text", ["\x00", "@", "@@@", "'", "%", "_", "\\", "٣", "💶", "-" * 5000, "0" * 5000])
def test_nothing_that_is_typed_raises_and_nothing_is_longer_than_the_box(text):
    asked = read(text)
    assert len(asked.code) <= LONGEST_SEARCH


@pytest.mark.parametrize(
    "text",
    [
        "0612345678", "06 12 34 56 78", "06.12.34.56.78", "06-12-34-56-78", "06/12/34/56/78", "+33612345678",
        "+33 6 12 34 56 78", "+33 (0)6 12 34 56 78", "0033 6 12 34 56 78", "tél. 06 12 34 56 78",
        " 06 12\u00a034 56 78 ",
    ],
)  # fmt: skip
def test_a_mobile_in_any_writing_is_one_number(text):
    assert read(text).mobile == "33612345678"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("04 93 12 34 56", Refusal.NOT_MOBILE),
        ("06 00 00 00 00", Refusal.DUMMY),
        ("+32 470 12 34 56", Refusal.COUNTRY_NOT_ALLOWED),
    ],
)
def test_a_phone_that_no_sms_can_have_gone_to_says_why(text, why):
    asked = read(text)
    assert (asked.mobile, asked.phone_refused) == ("", why)


def test_a_mobile_of_a_country_where_sms_go_is_one():
    asked = read("+32 470 12 34 56", countries=frozenset({"FR", "BE"}))
    assert (asked.mobile, asked.phone_refused) == ("32470123456", None)


@pytest.mark.parametrize("text", ["12345", "L1", "martin", "R1-7ZK3QD4M"])
def test_what_has_too_few_digits_is_no_phone_and_is_not_said_to_be_a_bad_one(text):
    asked = read(text)
    assert (asked.mobile, asked.phone_refused) == ("", None)


@pytest.mark.parametrize("text", ["1A23456789012", "1a 234 567 8901 2", "1A 234 567 8901 2"])
def test_a_registered_number_with_or_without_its_spaces(text):
    assert read(text).tracking_number == "1A23456789012"


@pytest.mark.parametrize("text", ["Camille.Martin@Etu.example.fr", "<camille.martin@etu.example.fr>"])
def test_an_email_is_that_alone_whatever_its_capitals(text):
    asked = read(text)
    assert asked.email == "camille.martin@etu.example.fr"
    assert (asked.mobile, asked.tracking_number, asked.words) == ("", "", ())


def test_half_an_email_is_looked_for_as_it_is():
    assert read("Camille@").email == "camille@"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Élise DUPUIS", ("ELISE", "DUPUIS")),
        ("o'brien", ("O", "BRIEN")),
        ("2100000000017", ()),
        ("06 12 34 56 78", ()),
        ("un deux trois quatre cinq six sept", ("UN", "DEUX", "TROIS", "QUATRE", "CINQ", "SIX")),
    ],
)
def test_a_name_is_words_and_a_number_is_none(text, words):
    assert read(text).words == words


@pytest.mark.parametrize(
    ("text", "writing"),
    [
        ("2100 0000 000 17", "2100000000017"),
        (" p1\n", "P1"),
        ("r1-7zk3qd4m", "R1-7ZK3QD4M"),
        ("ABC 12", "abc12"),
        ("Prêt 12", "Prêt 12"),
    ],
)
def test_a_number_is_looked_for_in_the_writings_that_it_may_have(text, writing):
    assert writing in read(text).codes


def found(number: int, *by: FoundBy) -> ReaderFound:
    reader = Reader(
        number=number, patron_id=f"P{number}", card="", name="", email="", mobile="", category="student", branch="",
        last_seen_on=date(2026, 11, 1),
    )  # fmt: skip
    return ReaderFound(reader=reader, by=by)


@pytest.mark.parametrize("by", FoundBy)
def test_one_reader_opens_when_what_was_typed_is_their_own(by):
    only = ReadersFound(readers=(found(1, by),)).only
    assert (only is not None) is (by not in (B.PART_OF_NAME, B.NEAR_NAME))


def test_two_to_whom_it_belongs_are_a_list_and_parts_beside_one_are_not():
    assert ReadersFound(readers=(found(1, B.NAME), found(2, B.NAME))).only is None
    assert ReadersFound(readers=(found(1, B.CARD), found(2, B.LOAN))).only is None
    only = ReadersFound(readers=(found(1, B.NAME), found(2, B.PART_OF_NAME))).only
    assert only is not None
    assert only.number == 1
    assert ReadersFound(readers=(found(1, B.NAME),), more=True).only is None
    assert ReadersFound(readers=()).only is None
