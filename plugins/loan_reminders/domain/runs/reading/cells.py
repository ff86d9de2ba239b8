"""One value of an extraction row, whatever type a database driver gives it in."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, tzinfo
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from uuid import UUID

from loan_reminders.domain.errors import RowError
from loan_reminders.domain.runs.reading.mojibake import text_of


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
_ISO = re.compile(
    r"(?P<day>\d{4}-?\d{2}-?\d{2})"
    r"(?:[ T]+(?P<time>\d{2}(?::?\d{2}(?::?\d{2})?)?)(?:[.,]\d+)?"
    r"\s*(?P<offset>Z|UTC|GMT|[+-]\d{2}(?::?\d{2}(?::?\d{2})?)?)?(?:\[[\w/+-]+\])?)?",
    re.ASCII | re.IGNORECASE,
)
_UTC = ("Z", "UTC", "GMT")
_COUNT = re.compile(r"(\d{1,20})(?:[.,]0{1,20})?|", re.ASCII)

LONGEST_TEXT = 2000
"""Signs of a title or any other words that are kept; the rest is cut, the message leaves all the same."""

LONGEST_IDENTIFIER = 200
_LONGEST_NUMBER = 40
_BYTES = (bytes, bytearray, memoryview)
_HIGHEST = 10**12
_NON_FILING = re.compile(
    "<<([^<>]{0,200})>>|\u00ac([^\u00ac]{0,200})\u00ac|\x88([^\x88\x89]{0,200})\x89|\x98([^\x98\x9c]{0,200})\x9c"
)


def clean_text(value: object, column: str) -> str:
    """One line of clean text: no control characters, single spaces, composed accents; "" for NULL.

    A number with decimals counts as text here, as the site's column may be one: a class of Dewey, a volume.

    At most `LONGEST_TEXT` signs, `…` in place of what was cut: thousands of accents on one letter, or a file pasted
    into a title, would hold up everybody else.
    """
    text = value if isinstance(value, str) else _decimals(value) or raw_text(value, column)
    if not text:
        return ""
    if text.isalnum() and text.isascii() and len(text) <= LONGEST_TEXT:  # a code or a number, as most columns are
        return text
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
    if text and isinstance(value, _BYTES) and not (text.isascii() and text.isprintable()):
        raise RowError(RowFault.NOT_A_TEXT, column)  # a key in binary
    if text and len(text) > LONGEST_IDENTIFIER and len(text.strip()) > LONGEST_IDENTIFIER:
        raise RowError(RowFault.TOO_LONG, column)
    return clean_text(text, column)


def display_text(value: object, column: str) -> str:
    """A clean text without the signs around words that a catalogue does not sort by: `<<Les>> misérables`.

    Aleph writes `<<…>>`, German catalogues `¬…¬`, MARC 21 the controls NSB and NSE.
    """
    text = value if isinstance(value, str) else _decimals(value) or raw_text(value, column)
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

    So do bytes that are UTF-8: databases give them for columns without an encoding. Raises RowError `not_a_text`.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, _BYTES):
        found = text_of(bytes(value))
        if found is None or found[1]:
            raise RowError(RowFault.NOT_A_TEXT, column)
        return found[0]
    whole = _whole(value)
    if whole is None or abs(whole) >= 10**_LONGEST_NUMBER:
        raise RowError(RowFault.NOT_A_TEXT, column)
    return str(whole)


def amount_text(value: object, column: str) -> str:
    """A clean text that may come as a number with cents: `12.50`. Raises RowError `not_a_text`."""
    if isinstance(value, (float, Decimal)) and _decimals(value):
        return f"{Decimal(str(value)):.2f}"
    return clean_text(value, column)


def _decimals(value: object) -> str | None:
    """A number that is not whole, written out; None for anything else."""
    if not isinstance(value, (float, Decimal)) or _whole(value) is not None:
        return None
    amount = Decimal(str(value))
    written = amount.is_finite() and abs(amount) < _HIGHEST and amount.adjusted() > -_LONGEST_NUMBER
    return f"{amount.normalize():f}" if written else None


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
    that it names, whatever its hour. Raises RowError `missing` or `not_a_date`.
    """
    if isinstance(value, _BYTES):
        value = _ascii(bytes(value))
    if isinstance(value, datetime):
        found: date | None = _local(value, zone)
    elif isinstance(value, date):
        found = value
    elif isinstance(value, str):
        text = value.strip()
        if not text.strip("0-:. T"):  # 0, 00000000, 0000-00-00 00:00:00: what databases write for none
            raise RowError(RowFault.MISSING, column)
        found = _from_iso(text, zone)
    else:
        whole = _whole(value)
        if value is None or whole == 0:
            raise RowError(RowFault.MISSING, column)
        found = None if whole is None else _from_digits(whole)
    if found is None or found.year not in _YEARS:
        raise RowError(RowFault.NOT_A_DATE, column)
    return date(found.year, found.month, found.day)  # not a driver's own kind of date


def _ascii(raw: bytes) -> str:
    return raw.decode("ascii", "replace").strip("\x00")


def _local(moment: datetime, zone: tzinfo | None) -> date | None:
    try:
        return moment.date() if zone is None or moment.tzinfo is None else moment.astimezone(zone).date()
    except (OverflowError, ValueError):  # beyond what can be counted; a driver's own « not a time »
        return None


def _from_iso(text: str, zone: tzinfo | None) -> date | None:
    """The day of a text, None when any part of it is unknown to us: it might tell of an offset."""
    parts = _ISO.fullmatch(text) if len(text) < _LONGEST_NUMBER + _LONGEST_NUMBER else None
    if parts is None:
        return None
    day = _from_digits(int(parts["day"].replace("-", "")))
    if day is None or parts["time"] is None:
        return day
    time, offset = parts["time"], parts["offset"] or ""
    if time.replace(":", "") in ("24", "2400", "240000"):  # the end of that day
        time = "23:59"
    try:
        moment = datetime.fromisoformat(f"{day.isoformat()}T{time}{'+00:00' if offset.upper() in _UTC else offset}")
    except ValueError:
        return None
    return _local(moment, zone)


@lru_cache(maxsize=4096)
def _from_digits(digits: int) -> date | None:
    """The day of a number YYYYMMDD, or None when the calendar has no such day."""
    try:
        return date(digits // 10_000, digits // 100 % 100, digits % 100)
    except (ValueError, OverflowError):
        return None


def read_count(value: object, column: str) -> int:
    """A count, 0 for NULL and empty text; `2,00` is 2.

    Raises RowError `not_a_number` below zero or beyond what a count can be.
    """
    if isinstance(value, _BYTES):
        value = _ascii(bytes(value))
    if isinstance(value, str):
        digits = _COUNT.fullmatch(value.strip())
        whole = int(digits[1] or "0") if digits else None
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
    elif isinstance(value, _BYTES):
        text = bytes(value)[:LONGEST_TEXT].hex()
    else:
        text = str(value) if whole is None and isinstance(value, (float, Decimal)) else type(value).__name__
    text = text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")
