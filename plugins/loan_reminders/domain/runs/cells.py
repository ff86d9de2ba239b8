"""One value of an extraction row, whatever type a database driver gives it in."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, tzinfo
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from math import isfinite
from uuid import UUID

from loan_reminders.domain.errors import RowError


class RowFault(StrEnum):
    """Why a row of the extraction cannot be read."""

    MISSING = "missing"
    NOT_A_DATE = "not_a_date"
    NOT_A_NUMBER = "not_a_number"
    NOT_A_TEXT = "not_a_text"
    TOO_LONG = "too_long"


_SPACES = (0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x1C, 0x1D, 0x1E, 0x1F, 0x85)
_HIDDEN: dict[int, str | None] = {
    **dict.fromkeys(range(0x20)),  # C0 controls
    **dict.fromkeys(range(0x7F, 0xA0)),  # delete and C1 controls
    **dict.fromkeys(range(0x202A, 0x202F)),  # overrides that reverse what is printed
    **dict.fromkeys(range(0x2066, 0x206A)),  # isolates, likewise
    **dict.fromkeys((0x200B, 0x2060, 0xFEFF, 0xFFFE, 0xFFFF)),  # invisible or not a character
    **dict.fromkeys(range(0xD800, 0xE000)),  # half a character: no encoding can write it
    **dict.fromkeys(_SPACES, " "),
}
_YEARS = range(1900, 3000)
_COMPACT_OR_ISO = re.compile(r"\d{8}|\d{4}-\d{2}-\d{2}(?:[ T].*)?", re.ASCII)
_WITH_OFFSET = re.compile(r":\d{2}(?:\.\d+)?(\s*)(?:Z|[+-]\d{2}(?::?\d{2})?)\Z", re.ASCII | re.IGNORECASE)


LONGEST_TEXT = 2000
"""Signs of a title or any other words that are kept; the rest is cut, the message leaves all the same."""

LONGEST_IDENTIFIER = 200
_LONGEST_NUMBER = 40
_HIGHEST = 10**12
_LONGEST_COUNT = 20
_NON_FILING = re.compile(
    "<<([^<>]{0,200})>>|\u00ac([^\u00ac]{0,200})\u00ac|\x88([^\x88\x89]{0,200})\x89|\x98([^\x98\x9c]{0,200})\x9c"
)


def clean_text(value: object, column: str) -> str:
    """One line of clean text: no control characters, single spaces, composed accents; "" for NULL.

    At most `LONGEST_TEXT` signs, `…` in place of what was cut: thousands of accents on one letter, or a file pasted
    into a title, would hold up everybody else.
    """
    text = raw_text(value, column)
    if not text:
        return ""
    if len(text) > LONGEST_TEXT:
        text = f"{text[: LONGEST_TEXT - 1]}…"
    if not text.isprintable():
        text = text.translate(_HIDDEN)
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    return " ".join(text.split())


def identifier(value: object, column: str) -> str:
    """A clean text that names something. Raises RowError `too_long`: cut, it would name something else."""
    text = raw_text(value, column)
    if text and len(text) > LONGEST_IDENTIFIER and len(text.strip()) > LONGEST_IDENTIFIER:
        raise RowError(RowFault.TOO_LONG, column)
    return clean_text(text, column)


def display_text(value: object, column: str) -> str:
    """A clean text without the signs around words that a catalogue does not sort by: `<<Les>> misérables`.

    Aleph writes `<<…>>`, German catalogues `¬…¬`, MARC 21 the controls NSB and NSE.
    """
    text = raw_text(value, column)
    if text and any(sign in text for sign in ("<<", "\u00ac", "\x88", "\x98")):
        text = _NON_FILING.sub(_spaced, text[: LONGEST_TEXT + 1])
        text = text.removeprefix("<<").replace(">> ", " ") if text.startswith("<<") else text
    return clean_text(text, column)


def _spaced(found: re.Match[str]) -> str:
    """The words between the signs, parted from the next one unless an apostrophe or a hyphen links them."""
    words = next((group for group in found.groups() if group is not None), "")
    after = found.string[found.end() : found.end() + 1]
    return f"{words} " if words[-1:].isalnum() and after.isalnum() else words


def raw_text(value: object, column: str) -> str | None:
    """A text as the ILS holds it; whole numbers count as text, since some sites keep codes as numbers, and UUIDs.

    Raises RowError `not_a_text`.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, UUID):
        return str(value)
    whole = _whole(value)
    if whole is None or abs(whole) >= 10**_LONGEST_NUMBER:
        raise RowError(RowFault.NOT_A_TEXT, column)
    return str(whole)


def amount_text(value: object, column: str) -> str:
    """A clean text that may come as a number with cents: `12.50`. Raises RowError `not_a_text`."""
    if isinstance(value, (float, Decimal)) and isfinite(value) and _whole(value) is None:
        amount = Decimal(str(value))
        if abs(amount) < _HIGHEST:
            return f"{amount:.2f}"
    return clean_text(value, column)


def _whole(value: object) -> int | None:
    """A whole number in any type a database driver gives it, else None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Decimal) and value.is_finite() and value.adjusted() < 2 * _LONGEST_NUMBER:
        return int(value) if value == value.to_integral_value() else None
    return None


def read_day(value: object, column: str, *, zone: tzinfo | None = None) -> date:
    """A date given as a number or text YYYYMMDD (0: none), as ISO text, or as a date with or without time.

    A moment that says how far it is from UTC is of the day it is in `zone`, the library's; without one, of the day
    that it names. Raises RowError `missing` or `not_a_date`.
    """
    if isinstance(value, datetime):
        found: date | None = _local(value, zone)
    elif isinstance(value, date):
        found = value
    elif isinstance(value, str):
        text = value.strip()
        if not text or not text.strip("0"):
            raise RowError(RowFault.MISSING, column)
        found = _from_digits(int(text[:10].replace("-", ""))) if _COMPACT_OR_ISO.fullmatch(text) else None
        if found is not None and (moment := _WITH_OFFSET.search(text)):
            found = _local_of_text(text[: moment.start(1)] + text[moment.end(1) :], zone)
    else:
        whole = _whole(value)
        if value is None or whole == 0:
            raise RowError(RowFault.MISSING, column)
        found = None if whole is None else _from_digits(whole)
    if found is None or found.year not in _YEARS:
        raise RowError(RowFault.NOT_A_DATE, column)
    return found


def _local(moment: datetime, zone: tzinfo | None) -> date | None:
    try:
        return moment.date() if zone is None or moment.tzinfo is None else moment.astimezone(zone).date()
    except OverflowError:
        return None


def _local_of_text(text: str, zone: tzinfo | None) -> date | None:
    try:
        return _local(datetime.fromisoformat(text), zone)
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def _from_digits(digits: int) -> date | None:
    """The day of a number YYYYMMDD, or None when the calendar has no such day."""
    try:
        return date(digits // 10_000, digits // 100 % 100, digits % 100)
    except (ValueError, OverflowError):
        return None


def read_count(value: object, column: str) -> int:
    """A count, 0 for NULL and empty text. Raises RowError `not_a_number` below zero or beyond what a count can be."""
    if isinstance(value, str):
        text = value.strip()
        digits = len(text) <= _LONGEST_COUNT and text.isascii() and (text.isdigit() or not text)
        whole = int(text or "0") if digits else None
    else:
        whole = 0 if value is None else _whole(value)
    if whole is None or not 0 <= whole < 2**31:
        raise RowError(RowFault.NOT_A_NUMBER, column)
    return whole


def json_value(value: object) -> str | int | float | None:
    """The value as any JSON store takes it: no NUL, no half character, no infinity; bytes as hexadecimal.

    A text of more than `LONGEST_TEXT` signs is cut, a number of more than forty digits only named.
    """
    whole = _whole(value)
    if whole is not None and abs(whole) < 10**_LONGEST_NUMBER:
        return whole if abs(whole) < 2**53 else str(whole)
    if value is None:
        return None
    if isinstance(value, str):
        text = value
    elif isinstance(value, date):
        text = value.isoformat()
    elif isinstance(value, UUID):
        text = str(value)
    elif isinstance(value, bytes):
        text = value[:LONGEST_TEXT].hex()
    else:
        text = str(value) if whole is None and isinstance(value, (float, Decimal)) else type(value).__name__
    text = text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")
