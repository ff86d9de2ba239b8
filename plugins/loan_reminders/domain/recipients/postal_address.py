"""Postal addresses as La Poste wants them (NF Z10-011): six lines of 38 characters at most.

ILS addresses are two to four free lines, with the postcode in its own field, in a line, in both or nowhere. Every line
is printed in capitals without accents or punctuation, the reader's name too: the norm asks for it from the fourth line
down and La Poste advises it for the whole block, one rule for all lines is the one that no sorting machine misreads,
and the letter shows the name as it is spelt, beside its reference.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from loan_reminders.domain.errors import RecipientError
from loan_reminders.domain.recipients.countries import POSTCODE_AFTER_TOWN, country_line, names_a_country
from loan_reminders.domain.recipients.postal_words import (
    BOX_LINE,
    CIVILITIES,
    GONE_AWAY,
    HOMELESS,
    PLACEHOLDERS,
    abbreviate,
    fold,
    with_boxes,
)
from loan_reminders.domain.states import Refusal

MAXIMUM_LINES = 6
MAXIMUM_LENGTH = 38

_BREAKS = re.compile(r"[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+")
_PARTS = re.compile(r"[,;]|\s[-–—]\s")
_AFTER_HOUSE_NUMBER = re.compile(r"(^|[,;])(\s*\d+(?:\s?(?:bis|ter|quater|[a-f]))?)\s*,", re.IGNORECASE)
_FRENCH_CODE = r"(?:0[1-9]|[1-8]\d|9[0-578]) ?\d{3}"
_CODE_FIELD = re.compile(rf"(?:FR? ?)?({_FRENCH_CODE})$")
_FRANCE_BEFORE_CODE = re.compile(r"^FR? (?=\d)")
_CODE_IN_LINE = re.compile(r"\b(?:0[1-9]|[1-8]\d|9[0-578])\d{3}\b")
_CODE_AFTER_WORDS = re.compile(r"^(?:(.*\D) )?((?:0[1-9]|[1-8]\d|9[0-578])\d{3})(?: (.*))?$")
_SPACED_CODE = re.compile(r"^(0[1-9]|[1-8]\d|9[0-578]) (\d{3}) ([A-Z].*)$")
_STREET = (
    r"(?:RUE|AV|AVENUE|BD|BLD|BOULEVARD|CHEMIN|CHE|ROUTE|RTE|PLACE|PL|ALLEES?|ALL|IMPASSE|IMP|QUAI|COURS|CRS|SQUARE|SQ"
    r"|PASSAGE|PAS|PROMENADE|PROM|TRAVERSE|TRA|MONTEE|MTE|VOIE|SENTIER|SEN|FAUBOURG|FG|LOTISSEMENT|LOT)\b"
)
_STARTS_WITH_STREET = re.compile(_STREET)
_STREET_INSIDE = re.compile(rf" (?=\d+(?: (?:BIS|TER|QUATER|[A-F]))? {_STREET})")
_HAS_STREET_NUMBER = re.compile(r"^\d")
_BOX_BEFORE = re.compile(r"\b(?:BP|CS|TSA)(?: \d+)*$")
_CEDEX = re.compile(r"\bCEDEX ?(?=\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class PostalAddress:
    """The lines below the reader's window: identity first, postcode and town (or country) last."""

    lines: tuple[str, ...]
    postcode: str

    @classmethod
    def parse(
        cls,
        *,
        name: str,
        lines: Iterable[str | None],
        postcode: str | None = None,
        city: str | None = None,
        country: str | None = None,
        own: Iterable[Sequence[str]] = (),
    ) -> PostalAddress:
        """Lay out the ILS lines by the norm: capitals, the name once, postcode and town last, then a foreign country.

        `country` is a name or an ISO 3166 code; without one, a last line that names a country counts. Long words are
        abbreviated and long lines cut at their commas only where 38 characters are passed. `own` are the library's own
        addresses, each as its last two lines, street and town: a desk types them for want of another.

        Raises RecipientError: `missing` (no name, or nothing but the name), `homeless`, `dummy` (words in place of an
        address, or mail that already came back), `country_not_allowed` (a code nobody knows), `no_postcode`,
        `too_few_lines` (no street or no town), `line_too_long`, `too_many_lines`, `own_address`.
        """
        identity = _identity(name)
        found, dummy = _known_lines(lines, identity)
        town, code = _known(fold(city or "")), _known(fold(postcode or ""))
        if not identity or not (found or town or code or dummy):
            raise RecipientError(Refusal.MISSING)
        if dummy and not found:
            raise RecipientError(Refusal.DUMMY)
        abroad = _country(found, country)
        if abroad:
            body, last, code = _abroad(found, town, code, abroad)
        else:
            folded = [line for line, _ in found]
            if town and _CODE_IN_LINE.search(town):
                folded.append(town)
                town = ""
            body, code, town = _french(folded, code, town)
            last = [_fitting_town(f"{code} {_CEDEX.sub('CEDEX ', town)}")]
            body = [line for line in body if line not in (town, last[0])]
            if not body:
                raise RecipientError(Refusal.DUMMY if dummy else Refusal.TOO_FEW_LINES)
        block = _block(identity, body, last)
        if any(address and _is_at(block, address) for address in own):
            raise RecipientError(Refusal.OWN_ADDRESS)
        return cls(lines=block, postcode=code)


def _is_at(block: tuple[str, ...], address: Sequence[str]) -> bool:
    """Whether every line of an address ends a line of the block; a CEDEX town counts as the town itself."""
    *lines, town = map(_place, address)
    if not f" {_place(block[-1])}".endswith(f" {town}"):
        return False
    here = [f" {_place(line)}" for line in block]
    return all(any(line.endswith(f" {wanted}") for line in here) for wanted in lines)


@lru_cache(maxsize=4096)
def _place(line: str) -> str:
    return abbreviate(fold(line).partition(" CEDEX")[0])


def _identity(name: str) -> str:
    """`DUPONT, Élise` → `ELISE DUPONT`."""
    last, comma, first = name.partition(",")
    if comma and "," not in first:
        name = f"{first} {last}"
    return fold(name)


def _known(text: str) -> str:
    return "" if text in PLACEHOLDERS else text


def _known_lines(lines: Iterable[str | None], identity: str) -> tuple[list[tuple[str, str]], bool]:
    """The lines that say something, folded and as they came, each once; and whether some only stood for nothing."""
    found: dict[str, str] = {}
    dummy = False
    words = sorted(word for word in identity.split() if word not in CIVILITIES)
    for field in lines:
        if not field:
            continue
        for raw in _BREAKS.split(field):
            line = fold(raw)
            if not line:
                continue
            if HOMELESS.search(line):
                raise RecipientError(Refusal.HOMELESS)
            if GONE_AWAY.search(line):
                raise RecipientError(Refusal.DUMMY)
            if line in PLACEHOLDERS:
                dummy = True
            elif sorted(word for word in line.split() if word not in CIVILITIES) != words:
                for part, raw_part in _parts(line, raw):
                    found.setdefault(part, raw_part)
    return list(found.items()), dummy


def _parts(line: str, raw: str) -> list[tuple[str, str]]:
    """A line, cut at its commas when it is too long; not after the number of a house."""
    line = with_boxes(line)
    if len(line) <= MAXIMUM_LENGTH:
        return [(line, raw)]
    pieces = [(with_boxes(fold(piece)), piece) for piece in _PARTS.split(_AFTER_HOUSE_NUMBER.sub(r"\1\2 ", raw))]
    return [(piece, raw_piece) for piece, raw_piece in pieces if piece]


def _country(found: list[tuple[str, str]], country: str | None) -> str:
    """The country line, or HOME; a last line that names a country is taken off `found` and has the last word."""
    field = fold(country or "")
    if field in PLACEHOLDERS or field.isdigit():
        field = ""
    answer = country_line(field)
    if found and names_a_country(found[-1][0]):
        answer = country_line(found.pop()[0])
    elif found and len(found) > 1 and field and found[-1][0] == field:
        found.pop()
    if answer is None:
        raise RecipientError(Refusal.COUNTRY_NOT_ALLOWED)
    return answer


def _french(lines: list[str], code_field: str, town: str) -> tuple[list[str], str, str]:
    """The lines above the last one, the postcode and the town."""
    in_field = _CODE_FIELD.match(code_field)
    wanted = in_field.group(1).replace(" ", "") if in_field else ""
    for index in range(len(lines) - 1, -1, -1):
        line = _FRANCE_BEFORE_CODE.sub("", lines[index])
        spaced = _SPACED_CODE.match(line)
        if spaced and (not wanted or spaced.group(1) + spaced.group(2) == wanted):
            line = "{}{} {}".format(*spaced.groups())
        split = _CODE_AFTER_WORDS.match(line)
        if not split:
            continue
        before, code, after = split.group(1) or "", split.group(2), split.group(3) or ""
        if _BOX_BEFORE.search(before) or (code != wanted and _STARTS_WITH_STREET.match(after)):
            continue
        rest = lines[:index] + lines[index + 1 :]
        if after:
            return ([*lines[:index], before, *lines[index + 1 :]] if before else rest), code, _without_france(after)
        if before and not any(character.isdigit() for character in before):
            return rest, code, before
        if before:
            rest.insert(index, before)
        return _with_town_line(rest, code, town, index if not before else None)
    if not wanted:
        raise RecipientError(Refusal.NO_POSTCODE)
    return _with_town_line(lines, wanted, town, None)


def _with_town_line(lines: list[str], code: str, town: str, beside: int | None) -> tuple[list[str], str, str]:
    """The postcode stands alone: the town is in its own field, or the line beside it, or the last line."""
    if town:
        return lines, code, _without_france(town)
    for index in dict.fromkeys((beside if beside is not None else len(lines) - 1, len(lines) - 1)):
        if 0 <= index < len(lines) and not _HAS_STREET_NUMBER.match(lines[index]):
            if _STARTS_WITH_STREET.match(lines[index]) or BOX_LINE.match(lines[index]):
                continue
            return lines[:index] + lines[index + 1 :], code, _without_france(lines[index])
    raise RecipientError(Refusal.TOO_FEW_LINES)


def _without_france(town: str) -> str:
    return town.removesuffix(" FRANCE")


def _abroad(found: list[tuple[str, str]], town: str, code: str, country: str) -> tuple[list[str], list[str], str]:
    """The destination's own lines, kept as written; the postcode joins its town unless a line already holds it."""
    lines = [fold(raw, abroad=True) for _, raw in found]
    if town and not any(town in fold(line) for line in lines):
        lines.append(town)
    if code and not any(code.replace(" ", "") in fold(line).replace(" ", "") for line in lines):
        if not lines:
            raise RecipientError(Refusal.TOO_FEW_LINES)
        lines[-1] = f"{lines[-1]} {code}" if country in POSTCODE_AFTER_TOWN else f"{code} {lines[-1]}"
    if len(lines) < 2:
        raise RecipientError(Refusal.TOO_FEW_LINES)
    return lines[:-1], [lines[-1], country], code


def _block(identity: str, body: list[str], last: list[str]) -> tuple[str, ...]:
    """Every line within 38 characters and the whole within six lines, boxes (BP, CS) just above the town."""
    middle = [piece for line in body for piece in _fitting(line)]
    if any(BOX_LINE.match(line) for line in middle[:-1]):
        middle.sort(key=lambda line: bool(BOX_LINE.match(line)))
    head = _fitting_identity(identity)
    for line in last:
        if len(line) > MAXIMUM_LENGTH:
            raise RecipientError(Refusal.LINE_TOO_LONG)
    while len(head) + len(middle) + len(last) > MAXIMUM_LINES:
        for index in range(len(middle) - 2):
            joined = f"{middle[index]} {middle[index + 1]}"
            if len(joined) <= MAXIMUM_LENGTH and not _HAS_STREET_NUMBER.match(middle[index + 1]):
                middle[index : index + 2] = [joined]
                break
        else:
            raise RecipientError(Refusal.TOO_MANY_LINES)
    return (*head, *middle, *last)


def _fitting(line: str) -> list[str]:
    """A line within 38 characters: as it is, with its long words abbreviated, or cut before the street's number."""
    if len(line) <= MAXIMUM_LENGTH:
        return [line]
    short = abbreviate(line)
    if len(short) <= MAXIMUM_LENGTH:
        return [short]
    pieces = _STREET_INSIDE.split(short, maxsplit=1)
    if any(len(piece) > MAXIMUM_LENGTH for piece in pieces):
        raise RecipientError(Refusal.LINE_TOO_LONG)
    return pieces


def _fitting_identity(identity: str) -> list[str]:
    """A name within 38 characters; a longer one goes on in the second line, cut between words."""
    if len(identity) <= MAXIMUM_LENGTH:
        return [identity]
    short = abbreviate(identity)
    if len(short) <= MAXIMUM_LENGTH:
        return [short]
    cut = short.rfind(" ", 0, MAXIMUM_LENGTH + 1)
    if cut <= 0 or len(short) - cut - 1 > MAXIMUM_LENGTH:
        raise RecipientError(Refusal.LINE_TOO_LONG)
    return [short[:cut], short[cut + 1 :]]


def _fitting_town(line: str) -> str:
    return line if len(line) <= MAXIMUM_LENGTH else abbreviate(line)
