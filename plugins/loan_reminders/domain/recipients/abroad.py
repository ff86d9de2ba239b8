"""The lines of an address abroad, and whether an address without a country seems to be one."""

from __future__ import annotations

import re
from collections.abc import Sequence

from loan_reminders.domain.errors import RecipientError
from loan_reminders.domain.recipients.communes import is_known_town, is_postcode
from loan_reminders.domain.recipients.countries import POSTCODE_AFTER_TOWN
from loan_reminders.domain.recipients.foreign_words import (
    ends_with_state,
    is_foreign_city,
    is_foreign_street,
    looks_foreign,
    looks_french,
)
from loan_reminders.domain.recipients.postal_block import MAXIMUM_LENGTH
from loan_reminders.domain.recipients.postal_words import fold
from loan_reminders.domain.states import Refusal

_MOST_LINES = 4
_COMMAS = re.compile(r"[,;]")
_CODE_ONLY = re.compile(r"(?:[A-Z]{2,3} )?[A-Z]{0,2}\d[A-Z\d]*(?:[ -][A-Z\d]{1,4})?$")
_BARE_POSTCODE = re.compile(r"(?:\d{3,7}|AD ?\d{3})$")
_BEFORE_POSTCODE = re.compile(r"(?<=[A-Z\d]) (?=\d{4,6} [A-Z])")
_HOUSE_NUMBER = re.compile(r"\d{1,5}[A-Z]?$")


def abroad_lines(raw_lines: Sequence[str], town: str, code: str, country: str) -> tuple[list[str], list[str]]:
    """The destination's own lines, kept as written, and the last two; the postcode joins its town.

    Raises RecipientError `too_few_lines` when there is no street or no town.
    """
    lines = [line for raw in raw_lines for line in _fitting(raw)]
    if not town and len(raw_lines) == 1:
        lines = _pieces(raw_lines[0])
    if town and not any(f" {fold(town)} " in f" {fold(line)} " for line in lines[1:]):
        lines.append(town)
    for index in range(len(lines) - 2, 0, -1):
        if _BARE_POSTCODE.match(lines[index]):
            after = country in POSTCODE_AFTER_TOWN
            pair = (lines[index + 1], lines[index]) if after else (lines[index], lines[index + 1])
            lines[index : index + 2] = [" ".join(pair)]
    if code and not any(code.replace(" ", "") in line.replace(" ", "") for line in lines):
        if not lines:
            raise RecipientError(Refusal.TOO_FEW_LINES)
        lines[-1] = f"{lines[-1]} {code}" if country in POSTCODE_AFTER_TOWN else f"{code} {lines[-1]}"
    if len(lines) > _MOST_LINES and _CODE_ONLY.match(lines[-1]) and not lines[-2][:1].isdigit():
        lines[-2:] = [f"{lines[-2]} {lines[-1]}"]
    if len(lines) < 2:
        raise RecipientError(Refusal.TOO_FEW_LINES)
    return lines[:-1], [lines[-1], country]


def _fitting(raw: str) -> list[str]:
    """A line as it is written there, cut at its commas where it is too long for the envelope."""
    line = fold(raw, abroad=True)
    if len(line) <= MAXIMUM_LENGTH:
        return [line] if line else []
    return [piece for piece in (fold(part, abroad=True) for part in _COMMAS.split(raw)) if piece]


def _pieces(raw: str) -> list[str]:
    """A whole address in one line, cut at its commas, a postcode or a state left with its town."""
    lines: list[str] = []
    for piece in _COMMAS.split(raw):
        line = fold(piece, abroad=True)
        if not line:
            continue
        first = len(lines) == 1
        of_the_town = not first and _CODE_ONLY.match(line)
        of_the_house = lines and ((first and _HOUSE_NUMBER.match(line)) or _HOUSE_NUMBER.match(lines[-1]))
        if lines and (of_the_town or of_the_house):
            lines[-1] += f" {line}"
        else:
            lines.append(line)
    if len(lines) == 1:
        lines = _BEFORE_POSTCODE.split(lines[0], maxsplit=1)
    return lines


def seems_abroad(body: Sequence[str], code: str, town: str, *, france_is_named: bool) -> bool:
    """Whether an address with five digits, and no country abroad, may be one abroad all the same.

    A commune at its postcode, or in its department, settles it. Otherwise a large city abroad, a street as others
    write it, or nothing French at all makes it doubtful. Half of Europe, the Maghreb and the United States write five
    digits too, and a lost letter costs more than one that is refused.
    """
    if is_known_town(code, town):
        return False
    if is_foreign_city(town) or ends_with_state(f"{town} {code}"):
        return True
    if any(map(is_foreign_street, (*body, town))):
        return True
    french = any(map(looks_french, body))
    if any(map(looks_foreign, body)) and not french:
        return True
    return not (
        french or france_is_named or (" CEDEX" in f" {town}") or (is_postcode(code) and not _ends_with_number(body))
    )


def _ends_with_number(body: Sequence[str]) -> bool:
    """Whether a line is a street with its number behind, as from Berlin to Rome."""
    return any(line[-1:].isdigit() and line[:1].isalpha() for line in body)
