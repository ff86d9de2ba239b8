"""Which country an address is in, from whatever says so: its field, a last line, a word after the town, a prefix.

An ILS often gives no country at all, and often `FR` to everybody: what is written in the address outranks the field.
Where two countries are named, or a foreign one beside a French commune, nobody can tell and the address is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from loan_reminders.domain.errors import RecipientError
from loan_reminders.domain.recipients.communes import is_commune
from loan_reminders.domain.recipients.countries import (
    CITY_STATES,
    HOME,
    KEPT_PREFIXES,
    country_line,
    country_name,
    country_of_prefix,
    named_country,
    postcode_of,
)
from loan_reminders.domain.recipients.foreign_words import STREET_WORD
from loan_reminders.domain.recipients.postal_words import PLACEHOLDERS, fold
from loan_reminders.domain.states import Refusal

_WORDS = re.compile(r"[^\s/-]+")
_APART = re.compile(r"\s*[,;(\[–—-]\s*([^,;()\[\]]{1,60})[)\]]?\s*$")
_PREFIX = re.compile(r"(?:(?<=^)|(?<=\s))([A-Z]{1,3})(-| ?)(?=[A-Z\d])")
_LINKS = frozenset(
    {"DE", "DU", "D", "DES", "LA", "LE", "L", "EN", "AU", "AUX", "A", "NEW", "NOUVEAU", "NOUVELLE", "ET", "SAINT"}
)
_ITALIAN_PROVINCES = frozenset({"BA", "FR", "KR", "LT", "MC", "ME", "PE", "SA", "TR", "VA"})
"""Codes of a country with five digits that also follow an Italian town: `70121 Bari (BA)` is not in Bosnia."""

_STATE = re.compile(
    r"^(?:.* )?(?:REPUBLIC|REPUBLIK|BUNDESREPUBLIK|REPUBLIQUE|REPUBLICA|REPUBBLICA|KINGDOM|ROYAUME|REINO)"
    r"(?: (?:OF|DE|DU|D|DES|DI|DA|DO|LA|L|THE))* "
)
_LONGEST_NAME = 7
_SPACE_AFTER = frozenset(
    {"D", "CH", "DE", "AT", "BE", "LU", "LUX", "IT", "ES", "NL", "PT", "PL", "FIN", "AD", "FR", "F"}
)
_ONE_LETTER = frozenset({"A", "B", "L", "E", "I"})
_POSTCODE_ALONE = re.compile(r"(?:FR? ?)?(\d\d) ?(\d{3})$")
_POSTCODE_INSIDE = re.compile(r"\d{4}")
_TOWN_IN_LINE = re.compile(r"\d{4,6} [A-Z]{3}")
_POSTCODE_BEFORE_TOWN = re.compile(r"(?<!\d)(\d{5}) ([A-Z].*)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """An address without its country: the lines as they came, its postcode and town fields, and the country line.

    `country` is HOME in France; `is_named` says that the address or its field names France or another country.
    """

    lines: tuple[str, ...]
    postcode: str
    town: str
    country: str
    is_named: bool


def destination(lines: Sequence[str], postcode: str, town: str, country: str) -> Destination:
    """Read the country of an address and take it out of its lines.

    Raises RecipientError: `country_not_allowed` (a code nobody knows), `country_unsure` (two countries, or a foreign
    one beside a French commune).
    """
    field = fold(country)
    if field in PLACEHOLDERS or field.isdigit():
        field = ""
    found = Destination(lines=tuple(lines), postcode=postcode, town=town, country=HOME, is_named=False)
    found, last_lines = _without_last_lines(found, field)
    french = _is_french(found)
    found, inside = (found, set()) if french else _without_words(found)
    prefixed: set[str] = set()
    if not french:
        found, prefixed = _without_prefix(found)
    if not (french or last_lines or inside or prefixed):
        found, inside = _without_lone_line(found)
    written = last_lines | inside | prefixed
    foreign = written - {HOME}
    answer = country_line(field)
    if answer is None and not foreign:
        raise RecipientError(Refusal.COUNTRY_NOT_ALLOWED)
    if not foreign and answer and HOME not in written and not (french and field and _is_odd(field)):
        foreign = {answer}
    if len(foreign) > 1 or (foreign and HOME in written) or (foreign and (french or _is_french(found))):
        raise RecipientError(Refusal.COUNTRY_UNSURE)
    name = next(iter(foreign), HOME)
    if name in CITY_STATES and not found.town and not _holds_a_town(found.lines):
        found = replace(found, town=name)
    return replace(found, country=name, is_named=bool(name or field or written))


def postcode_alone(lines: Sequence[str], field: str) -> str:
    """The French postcode of a field, or of a line that holds nothing else; empty when there is none."""
    for text in (field, *lines):
        if len(text) < 12 and (match := _POSTCODE_ALONE.match(fold(text))):
            return match[1] + match[2]
    return ""


def _is_odd(field: str) -> bool:
    """Whether a country field is a word that names no country: it stands for nothing beside a French commune."""
    answer = country_line(field)
    return answer == field and named_country(field, apart=True, around="") is None


def _holds_a_town(lines: Sequence[str]) -> bool:
    if len(lines) == 1:
        return bool(_TOWN_IN_LINE.search(fold(lines[0])))
    return any(map(_has_a_town, lines[1:]))


def _has_a_town(line: str) -> bool:
    return any(len(word) > 2 for word in _WORDS.findall(fold(line)) if not any(map(str.isdigit, word)))


def _is_french(found: Destination) -> bool:
    """Whether a postcode and its commune stand together in a line, or in the fields, or one here and one there."""
    code = postcode_alone(found.lines, found.postcode)
    towns = [fold(found.town)]
    for line in map(fold, found.lines):
        pair = _POSTCODE_BEFORE_TOWN.search(line)
        if pair and is_commune(pair[1], pair[2].removesuffix(" FRANCE")):
            return True
        towns.append(line)
    return bool(code) and any(is_commune(code, name) for name in towns)


def _without_last_lines(found: Destination, field: str) -> tuple[Destination, set[str]]:
    """Take off the last lines that are nothing but a country, or that repeat the field."""
    names: set[str] = set()
    lines, code = list(found.lines), postcode_alone(found.lines, found.postcode)
    while lines:
        last = fold(lines[-1])
        if is_commune(code, last):
            break
        name = named_country(last, apart=True, around=_around(lines[:-1], found))
        if name is None and "DEMO" not in last and _STATE.match(last):
            name = named_country(_STATE.sub("", last), apart=False, around="")
        if name is None and len(lines) > 1 and field and last == field:
            name = country_line(field)
        if name is None:
            break
        names.add(name)
        lines.pop()
    town = found.town
    if town and not is_commune(code, fold(town)) and (lines or found.lines):
        name = named_country(fold(town), apart=True, around="")
        if name is not None and name not in CITY_STATES and lines[1:]:
            names.add(name)
            town = ""
        elif name is not None and name in CITY_STATES:
            names.add(name)
    return (replace(found, lines=tuple(lines), town=town) if names else found), names


def _without_lone_line(found: Destination) -> tuple[Destination, set[str]]:
    """Take out a country that stands alone in a line above the town."""
    for index, line in enumerate(found.lines):
        name = named_country(fold(line), apart=False, around="")
        if name is not None:
            return replace(found, lines=found.lines[:index] + found.lines[index + 1 :]), {name}
    return found, set()


def _around(lines: Sequence[str], found: Destination) -> str:
    return " ".join([*(fold(line, abroad=True) for line in lines), fold(found.postcode, abroad=True)])


def _without_words(found: Destination) -> tuple[Destination, set[str]]:
    """Take a country off the end of the last line and of the town: `77694 Kehl (Allemagne)`, `London, UK`."""
    names: set[str] = set()
    lines = list(found.lines)
    for index in range(len(lines) - 1, -1, -1):
        if index < len(lines) - 1 and not _POSTCODE_INSIDE.search(lines[index]):
            continue
        head, name = _split_end(lines[index], _around([*lines[:index], lines[index]], found))
        if name is not None and head:
            lines[index] = head
            names.add(name)
            break
    head, name = _split_end(found.town, _around(lines, found)) if found.town else (found.town, None)
    if name is not None:
        names.add(name)
    town = head if name is not None and head else found.town
    return (replace(found, lines=tuple(lines), town=town) if names else found), names


def _split_end(raw: str, around: str) -> tuple[str, str | None]:
    """A line without the country at its end, and that country; a street's name is no country."""
    part = _APART.search(raw)
    if part:
        text = fold(part[1])
        name = None if text in _ITALIAN_PROVINCES else named_country(text, apart=True, around=around)
        if name is not None:
            return raw[: part.start()].rstrip(), name
    folded = fold(raw, abroad=True)
    words = list(_WORDS.finditer(folded))
    for count in range(min(_LONGEST_NAME, len(words) - 1), 0, -1):
        text = " ".join(word.group() for word in words[-count:])
        name = named_country(text, apart=False, around="")
        if name is None:
            continue
        before = words[-count - 1].group()
        head = folded[: words[-count].start()].rstrip(" -/")
        if before in _LINKS or STREET_WORD.search(_after_number(head)):
            return raw, None
        if name in CITY_STATES and not _has_a_town(head):
            return raw, name
        return (_raw_head(raw, text) or head), name
    return raw, None


def _raw_head(raw: str, name: str) -> str:
    """The line as it came, without the name at its end, when the cut is plain to see; its commas are wanted later."""
    for cut in range(len(raw) - 1, max(-1, len(raw) - 80), -1):
        if fold(raw[cut:]) == name:
            head = raw[:cut].rstrip(" ,;-–—(/[")
            if fold(raw) == f"{fold(head)} {name}":
                return head
    return ""


def _after_number(folded: str) -> str:
    """What follows the last number of three signs or more: the town, where a line holds a whole address."""
    words = folded.split(" ")
    for index in range(len(words) - 1, 0, -1):
        if len(words[index]) > 2 and any(map(str.isdigit, words[index])):
            return " ".join(words[index + 1 :])
    return folded


def _without_prefix(found: Destination) -> tuple[Destination, set[str]]:
    """Take the letters of a country off its postcode: `D-77694 Kehl`, `CH-1201`, `AD500`."""
    names: set[str] = set()
    lines = list(found.lines)
    for index, line in enumerate(lines):
        lines[index], name = _split_prefix(line)
        names |= {name} if name is not None else set()
    postcode, name = _split_prefix(found.postcode)
    names |= {name} if name is not None else set()
    town, name = _split_prefix(found.town)
    names |= {name} if name is not None else set()
    return (replace(found, lines=tuple(lines), postcode=postcode, town=town) if names else found), names


def _split_prefix(raw: str) -> tuple[str, str | None]:
    folded = fold(raw, abroad=True)
    for match in _PREFIX.finditer(folded):
        letters, sign = match[1], match[2]
        code = country_of_prefix(letters)
        shape = postcode_of(code) if code else None
        rest = folded[match.end() :]
        postcode = shape.match(rest) if shape else None
        if postcode is None:
            continue
        after = rest[postcode.end() :].strip()
        if sign != "-" and not _is_town_line(letters, match.start(), after):
            continue
        if STREET_WORD.match(after) or (
            code != "AD" and len(letters) > 1 and code == letters and sign == "" and not after
        ):
            continue
        name = country_name(code)
        if code in KEPT_PREFIXES:
            return raw, name
        cut = re.search(rf"(?<![^\W\d_]){letters}\s?[-‐‑–]?\s?(?={postcode[0][0]})", raw, re.IGNORECASE)
        return (raw[: cut.start()] + raw[cut.end() :] if cut else folded[: match.start()] + rest), name
    return raw, None


def _is_town_line(letters: str, start: int, after: str) -> bool:
    """Without a hyphen the letters are a country's only at the start of a line that holds a postcode and a town."""
    if start or not (letters in _SPACE_AFTER or letters in _ONE_LETTER):
        return False
    if not after:
        return letters not in _ONE_LETTER
    return after[0].isalpha()
