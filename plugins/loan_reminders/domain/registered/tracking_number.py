"""The number of a registered letter, typed, scanned or imported: read, never invented."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from loan_reminders.domain.errors import TrackingNumberError

LENGTH = 13
_DOMESTIC = re.compile(r"[0-9][A-Z][0-9]{11}")
_S10 = re.compile(r"[A-Z]{2}[0-9]{9}[A-Z]{2}")
_SERVICE_LETTERS = re.compile(r"R[A-Z]")
_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)
_ODD_CHECKS = {10: 0, 11: 5}
_LOOK_LIKE_DIGITS = str.maketrans("OQISBZ", "001582")


class TrackingRefusal(StrEnum):
    """Why a text is no number of a registered letter."""

    MISSING = "missing"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    WRONG_SHAPE = "wrong_shape"
    LETTER_FOR_DIGIT = "letter_for_digit"
    NOT_REGISTERED = "not_registered"
    WRONG_CHECK_DIGIT = "wrong_check_digit"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingNumber:
    """A number of 13 signs without spaces: La Poste's own (`1A23456789012`) or the UPU's S10 (`RK123456785FR`)."""

    value: str

    @classmethod
    def parse(cls, text: str) -> TrackingNumber:
        """Read a number, in capitals or not, with any spaces, and with what a scanner adds: `*…*`, `%0` before it.

        La Poste's own is a digit, a letter and eleven digits; its check digit is not public and is not checked. The
        other is the UPU's standard S10 with its check digit, from RA to RZ: the indicators of registered items.

        Raises TrackingNumberError with a code of `TrackingRefusal`; it never repeats what was read.
        """
        number = "".join(text.upper().split()).strip("*").removeprefix("%0")
        number = "".join(sign for sign in number if sign.isprintable())
        if _DOMESTIC.fullmatch(number):
            return cls(value=number)
        if _S10.fullmatch(number):
            _check_s10(number)
            return cls(value=number)
        raise _refused(number)

    @property
    def printed(self) -> str:
        """As it is printed: `1A 234 567 8901 2`, `RK 123 456 785 FR`."""
        cuts = (0, 2, 5, 8, 11, 13) if self.value[0].isalpha() else (0, 2, 5, 8, 12, 13)
        return " ".join(self.value[start:end] for start, end in pairwise(cuts))


def _check_s10(number: str) -> None:
    if not _SERVICE_LETTERS.match(number):
        raise TrackingNumberError(TrackingRefusal.NOT_REGISTERED)
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number[2:10], strict=True))
    check = 11 - total % 11
    if int(number[10]) != _ODD_CHECKS.get(check, check):
        raise TrackingNumberError(TrackingRefusal.WRONG_CHECK_DIGIT)


def _refused(number: str) -> TrackingNumberError:
    """Why a text is no number, as precisely as a person needs to mend it."""
    if not number:
        return TrackingNumberError(TrackingRefusal.MISSING)
    if len(number) != LENGTH:
        short = len(number) < LENGTH
        return TrackingNumberError(
            TrackingRefusal.TOO_SHORT if short else TrackingRefusal.TOO_LONG, length=LENGTH, signs=len(number)
        )
    digits = number.translate(_LOOK_LIKE_DIGITS)
    for mended in (digits[0] + number[1] + digits[2:], number[:2] + digits[2:11] + number[11:]):
        if _DOMESTIC.fullmatch(mended) or _S10.fullmatch(mended):
            return TrackingNumberError(TrackingRefusal.LETTER_FOR_DIGIT)
    return TrackingNumberError(TrackingRefusal.WRONG_SHAPE)


def clean_reference(text: str) -> str:
    """A letter's reference as it is printed, `R3-261217-7ZK3QD`, out of what was typed, scanned or imported."""
    return "".join(sign for sign in "".join(text.upper().split()).strip("*'") if sign.isprintable())
