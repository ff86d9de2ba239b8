"""What becomes of a phone field."""

from __future__ import annotations

import random

import phonenumbers
import pytest

from loan_reminders.domain.errors import RecipientError
from loan_reminders.domain.recipients import MobileNumber
from loan_reminders.domain.recipients.mobile_number import MOST_TELLING_FIRST
from loan_reminders.domain.states import Refusal
from tests.scenes.phone_fields import ONE_NUMBER, OTHER_NUMBERS, OURS, REFUSED, SEVERAL_NUMBERS


def refusal_of(text: str | None, **options: frozenset[str]) -> Refusal:
    with pytest.raises(RecipientError) as caught:
        MobileNumber.parse(text, **options)
    return caught.value.code


@pytest.mark.parametrize(("text", "code"), REFUSED)
def test_what_is_no_usable_mobile_is_refused_with_its_reason(text: str | None, code: Refusal) -> None:
    assert refusal_of(text) is code


@pytest.mark.parametrize("text", ONE_NUMBER)
def test_a_mobile_is_read_in_any_shape(text: str) -> None:
    assert MobileNumber.parse(text) == MobileNumber(value=OURS)


@pytest.mark.parametrize("text", SEVERAL_NUMBERS)
def test_the_first_mobile_of_several_numbers_is_kept(text: str) -> None:
    assert MobileNumber.parse(text).value == OURS


@pytest.mark.parametrize(("text", "value"), OTHER_NUMBERS)
def test_each_number_keeps_its_own_country_code(text: str, value: str) -> None:
    assert MobileNumber.parse(text).value == value


@pytest.mark.parametrize(
    ("prefix", "country", "code"),
    [
        ("07090", "GP", 590),
        ("07091", "MQ", 596),
        ("07092", "RE", 262),
        ("07093", "GF", 594),
        ("070935", "YT", 262),
        ("070937", "YT", 262),
    ],
)
def test_the_new_overseas_prefixes_are_read_like_the_old(prefix: str, country: str, code: int) -> None:
    national = (prefix + "0123456")[:10]
    there = phonenumbers.parse(national, country)
    assert phonenumbers.is_valid_number(there), "the metadata no longer knows this block"
    assert MobileNumber.parse(national).value == f"{code}{national[1:]}"


def test_countries_allowed_are_the_caller_s_choice() -> None:
    assert MobileNumber.parse("+393331234567", countries=frozenset({"IT"})).value == "393331234567"
    assert MobileNumber.parse("+2250701234567", countries=frozenset({"CI"})).value == "2250701234567"
    assert refusal_of("0612345678", countries=frozenset({"IT"})) is Refusal.COUNTRY_NOT_ALLOWED
    assert refusal_of("0692123456", countries=frozenset({"FR"})) is Refusal.COUNTRY_NOT_ALLOWED


@pytest.mark.parametrize("text", ["0612345", "04 93 00 00 00", "06 00 00 00 00", "+393331234567", "12ab"])
def test_no_error_repeats_the_number(text: str) -> None:
    with pytest.raises(RecipientError) as caught:
        MobileNumber.parse(text)
    assert text not in f"{caught.value!r} {caught.value}"
    assert caught.value.__context__ is None


def test_every_number_accepted_is_a_valid_mobile_and_every_valid_mobile_is_accepted() -> None:
    """libphonenumber is the oracle over the whole 06 and 07 plan; only dummies and overseas prefixes differ."""
    chance = random.Random(20260)
    for _ in range(3000):
        national = f"0{chance.choice('67')}{chance.randrange(10**8):08d}"
        oracle = phonenumbers.parse(national, "FR")
        valid = phonenumbers.number_type(oracle) == phonenumbers.PhoneNumberType.MOBILE
        written = chance.choice(["{}", "+33 {}", "{} (mère)", "0033{}", "tél {} / 0493000000"]).format(national)
        try:
            found = MobileNumber.parse(written).value
        except RecipientError:
            assert not valid, national
            continue
        assert found[-9:] == national[1:]
        assert phonenumbers.is_valid_number(phonenumbers.parse(f"+{found}"))
        assert valid == (found[:2] == "33")


def test_random_fields_never_raise_anything_but_a_code() -> None:
    chance = random.Random(7)
    codes = set()
    for _ in range(2000):
        field = "".join(chance.choice("0123456789067+() .-/;,oOxA\u00a0éE") for _ in range(chance.randrange(30)))
        try:
            number = MobileNumber.parse(field).value
        except RecipientError as error:
            codes.add(error.code)
        else:
            assert phonenumbers.is_valid_number(phonenumbers.parse(f"+{number}"))
    assert codes <= set(MOST_TELLING_FIRST)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ([], Refusal.MISSING),
        ([None, "", " "], Refusal.MISSING),
        (["", "neant"], Refusal.NOT_A_NUMBER),
        (["neant", "0493000000"], Refusal.NOT_MOBILE),
        (["0493000000", ""], Refusal.NOT_MOBILE),
        (["", "0600000000", "0493000000"], Refusal.DUMMY),
        (["0493000000", "061234567", "0600000000"], Refusal.INVALID_NUMBER),
        (["061234567", "+393331234567", "0493000000"], Refusal.COUNTRY_NOT_ALLOWED),
    ],
)
def test_without_a_mobile_the_most_telling_refusal_is_given(fields: list[str | None], code: Refusal) -> None:
    with pytest.raises(RecipientError) as caught:
        MobileNumber.first_of(fields)
    assert caught.value.code is code


@pytest.mark.parametrize(
    "fields",
    [
        ["0612345678"],
        [None, "0493000000", "0612345678", "0745678901"],
        ["neant", "0600000000", "06 12 34 56 78 (mère)"],
        ["+393331234567", "0612345678"],
    ],
)
def test_the_first_mobile_of_the_fields_is_kept_in_their_order(fields: list[str | None]) -> None:
    assert MobileNumber.first_of(fields).value == OURS


def test_fields_are_read_only_until_a_mobile_is_found() -> None:
    fields = iter(["0612345678", "0745678901"])
    MobileNumber.first_of(fields)
    assert next(fields) == "0745678901"
