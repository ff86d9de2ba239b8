"""Mobile numbers as an ILS holds them: in any phone field, in any shape.

Numbers are judged by the metadata of Google's libphonenumber (package `phonenumbers`). Around it stand the rules it
lacks: the French overseas prefixes written in national form, dummies, the letter O typed for a zero, spreadsheet
forms, and several numbers or words in one field.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from phonenumbers import (
    NumberParseException,
    PhoneNumber,
    PhoneNumberMatcher,
    PhoneNumberType,
    national_significant_number,
    number_type,
    parse,
    region_code_for_number,
)

from loan_reminders.domain.errors import RecipientError
from loan_reminders.domain.states import Refusal

FRENCH_COUNTRIES = frozenset({"FR", "GP", "MQ", "GF", "RE", "YT", "BL", "MF", "PM"})
"""Where SMS may go by default: France and its overseas departments and islands (ISO 3166-1 codes)."""

MOST_TELLING_FIRST = (
    Refusal.COUNTRY_NOT_ALLOWED,
    Refusal.INVALID_NUMBER,
    Refusal.DUMMY,
    Refusal.NOT_MOBILE,
    Refusal.NOT_A_NUMBER,
    Refusal.MISSING,
)
"""Of several refusals the first of these is given: the nearer to a mobile that works, the more the desk can mend."""

_MOBILE = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
_COUNTRY_CODE = {"GP": "590", "GF": "594", "MQ": "596", "RE": "262", "YT": "262"}
_OVERSEAS = re.compile(
    r"(?P<GP>590|690|691|7090)|(?P<RE>262|692|693|7092)|(?P<YT>269|639|7093[5-7])|(?P<GF>594|694|7093[0-3])"
    r"|(?P<MQ>596|696|697|7091)"
)
"""Overseas numbers in national form, without the zero: libphonenumber knows them only under their own country code."""

_DIAL = r"(?:\(?(?:\+|00)[ .\-]?33\)?[ .\-]?(?:\(0\)[ .\-]?|0(?=[1-9]))?|33[ .\-]?|0[ .\-]?)"
_GAP = r" ?[.\-/_,' ] ?"
_SIGNIFICANT = (
    r"(?P<significant>[1-9]"
    rf"(?:(?P<pairs>{_GAP}|)\d\d(?:(?P=pairs)\d\d){{3}}"
    rf"|\d\d(?P<more>{_GAP})(?:\d\d(?P=more)\d\d(?P=more)\d\d|\d{{3}}(?P=more)\d{{3}})"
    rf"|(?P<halves>{_GAP})\d{{4}}(?P=halves)\d{{4}}))"
)
_WHOLE = re.compile(_DIAL + "?" + _SIGNIFICANT)
_NATIONAL = re.compile(_DIAL + _SIGNIFICANT + r"(?!\d)")
"""A number of the French plan, overseas included, in one piece or in groups parted alike, wherever it stands."""

_LONGEST_FIELD = 500
"""More than any phone column holds: to search a page of text for a number takes minutes, and it is nobody's number."""

_GLUE = " .-()"
_DUMMY = re.compile(r"(\d)\1{5,}|0(\d)\2{7,}|0?[67](\d)\3{7}|(\d\d)\4{4}")
_OVERSEAS_DUMMY = re.compile(r"0\d{3}(\d)\1{5}")
_FLOAT = re.compile(r"(?P<digits>\d{9,14})[.,]0+")
_SCIENTIFIC = re.compile(r"(?P<unit>\d)[.,](?P<rest>\d{8,12})E\+?(?P<power>\d{1,2})", re.IGNORECASE)
_ZERO_IN_GROUP = re.compile(r"(?<![^\W\d_])[oO\d]*\d[oO\d]*(?![^\W\d_])")
_ZERO_GROUP = re.compile(r"(?<=[\doO][ .\-/])[oO]{2}(?=[ .\-/][\doO]|$)|^[oO](?=[ .\-/]?[67])")


@dataclass(frozen=True, slots=True, kw_only=True)
class MobileNumber:
    """A mobile number in E.164 without the plus, as allmysms takes it: `33612345678`."""

    value: str

    @classmethod
    def parse(cls, text: str | None, *, countries: frozenset[str] = FRENCH_COUNTRIES) -> MobileNumber:
        """Read one ILS phone field; of several numbers in it, the first mobile is kept.

        `countries` are the ISO codes where SMS may go. Raises RecipientError with `missing` (empty), `not_a_number`
        (words, too few digits for a phone, or a text too long to be a phone field), `invalid_number`, `not_mobile` (a
        landline, a special number), `dummy` (06 00 00 00 00 and the like), or `country_not_allowed`.
        """
        if text and len(text) > _LONGEST_FIELD:
            raise RecipientError(Refusal.NOT_A_NUMBER)
        field = _clean(text)
        if not field:
            raise RecipientError(Refusal.MISSING)
        digits = "".join(filter(str.isdecimal, field))
        if len(digits) < 6:
            raise RecipientError(Refusal.NOT_A_NUMBER)
        if _DUMMY.fullmatch(digits):
            raise RecipientError(Refusal.DUMMY)
        refusals: set[Refusal] = set()
        for number, kind in _numbers(field):
            refusal = _refusal(number, kind, countries)
            if refusal is None:
                return cls(value=f"{number.country_code}{national_significant_number(number)}")
            refusals.add(refusal)
        raise RecipientError(_most_telling(refusals or {Refusal.INVALID_NUMBER}))

    @classmethod
    def first_of(cls, fields: Iterable[str | None], *, countries: frozenset[str] = FRENCH_COUNTRIES) -> MobileNumber:
        """The first mobile found in the fields, in their order; raises the most telling refusal when none has one."""
        refusals = {Refusal.MISSING}
        for field in fields:
            try:
                return cls.parse(field, countries=countries)
            except RecipientError as error:
                refusals.add(error.code)
        raise RecipientError(_most_telling(refusals))


def _most_telling(refusals: Iterable[Refusal]) -> Refusal:
    return min(refusals, key=MOST_TELLING_FIRST.index)


def _clean(text: str | None) -> str:
    """The field in plain characters: one kind of space and dash, no invisible marks, zeros that are zeros."""
    if not text:
        return ""
    field = text
    if not field.isascii():
        field = unicodedata.normalize("NFKC", field).translate(_PLAIN)
        field = "".join(character for character in field if unicodedata.category(character) != "Cf")
    field = " ".join(field.split()).strip(" '\"=`")
    if "o" in field or "O" in field:
        field = _ZERO_IN_GROUP.sub(lambda group: group[0].replace("o", "0").replace("O", "0"), field)
        field = _ZERO_GROUP.sub(lambda group: "0" * len(group[0]), field)
    if found := _FLOAT.fullmatch(field):
        return found["digits"]
    found = _SCIENTIFIC.fullmatch(field)
    if found and int(found["power"]) == len(found["rest"]):
        return found["unit"] + found["rest"]
    return field


_PLAIN = str.maketrans("‐‑‒–—―−•·’", "-------..'")


_Found = tuple[PhoneNumber, int]
"""A valid number and its type. To ask for the type is to ask whether it is valid, and takes as long: once is enough."""


def _numbers(field: str) -> Iterator[_Found]:
    """The valid numbers of a field: the field itself when it is one, else those found inside, in their order."""
    whole = _whole(field)
    if whole is not None:
        yield whole
        return
    found = dict(_national_numbers(field))
    for match in PhoneNumberMatcher(field, "FR") if "+" in field or "00" in field else ():
        abroad = match.raw_string.lstrip("(").startswith(("+", "00"))
        if abroad and not _digits_before(field, match.start, 0) and not _digits_after(field, match.end):
            found.setdefault(match.start, (match.number, number_type(match.number)))
    for position in sorted(found):
        yield found[position]


def _valid(number: PhoneNumber) -> _Found | None:
    kind = number_type(number)
    return None if kind == PhoneNumberType.UNKNOWN else (number, kind)


def _whole(field: str) -> _Found | None:
    national = _WHOLE.fullmatch(field)
    if national:
        return _from_significant(national["significant"])
    if any(character.isalpha() for character in field):
        return None
    try:
        number = parse(field, "FR")
    except NumberParseException:
        return None
    return None if number.extension else _valid(number)


def _national_numbers(field: str) -> Iterator[tuple[int, _Found]]:
    end = 0
    for match in _NATIONAL.finditer(field):
        if _digits_before(field, match.start(), end) or _digits_after(field, match.end()):
            continue
        end = match.end()
        number = _from_significant(match["significant"])
        if number is not None:
            yield match.start(), number


def _digits_before(field: str, start: int, end_of_last: int) -> bool:
    """Whether digits run into this place that are no number of their own: a country code, half of something longer."""
    before = field[:start].rstrip(_GLUE)
    return before[-1:].isdigit() and len(before) > end_of_last


def _digits_after(field: str, end: int) -> bool:
    """Whether digits run on from this place that are no number of their own."""
    after = field[end:].lstrip(_GLUE)
    return after[:1].isdigit() and not _NATIONAL.match(after)


def _from_significant(text: str) -> _Found | None:
    """A number from its nine digits, under the country code that its prefix belongs to."""
    significant = "".join(filter(str.isdecimal, text))
    overseas = _OVERSEAS.match(significant)
    code = _COUNTRY_CODE[overseas.lastgroup] if overseas and overseas.lastgroup else "33"
    return _valid(PhoneNumber(country_code=int(code), national_number=int(significant)))


def _refusal(number: PhoneNumber, kind: int, countries: frozenset[str]) -> Refusal | None:
    if kind not in _MOBILE:
        return Refusal.NOT_MOBILE
    national = f"0{national_significant_number(number)}"
    if _DUMMY.fullmatch(national) or (number.country_code != 33 and _OVERSEAS_DUMMY.fullmatch(national)):
        return Refusal.DUMMY
    return None if region_code_for_number(number) in countries else Refusal.COUNTRY_NOT_ALLOWED
