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
from loan_reminders.domain.recipients.abroad import abroad_lines, seems_abroad
from loan_reminders.domain.recipients.communes import is_commune, is_known_town
from loan_reminders.domain.recipients.destination import Destination, destination, postcode_alone
from loan_reminders.domain.recipients.names import name_forms
from loan_reminders.domain.recipients.postal_block import (
    MAXIMUM_LENGTH,
    STARTS_WITH_NUMBER,
    STARTS_WITH_STREET,
    block,
    town_line,
)
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

_LONGEST_FIELD = 300
_MOST_LINES = 20
_BREAKS = re.compile(r"[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+")
_PARTS = re.compile(r"[,;]|\s[-–—]\s")
_AFTER_HOUSE_NUMBER = re.compile(r"(^|[,;])(\s*\d+(?:\s?(?:bis|ter|quater|[a-f]))?)\s*,", re.IGNORECASE)
_FRENCH_CODE = r"(?:0[1-9]|[1-8]\d|9[0-578]) ?\d{3}"
_CODE_FIELD = re.compile(rf"(?:FR? ?)?({_FRENCH_CODE})$")
_FRANCE_BEFORE_CODE = re.compile(r"^FR? ?(?=\d{5}\b)")
_CODE_IN_LINE = re.compile(r"\b(?:0[1-9]|[1-8]\d|9[0-578])\d{3}\b")
_CODE_AFTER_WORDS = re.compile(r"^(?:(.*\D) )?((?:0[1-9]|[1-8]\d|9[0-578])\d{3})(?: (.*))?$")
_SPACED_CODE = re.compile(r"^(0[1-9]|[1-8]\d|9[0-578]) (\d{3}) ([A-Z].*)$")
_BOX_BEFORE = re.compile(r"\b(?:BP|CS|TSA|SP)(?: \d+)*$")
_CEDEX = re.compile(r"\bCEDEX ?(?=\d)")
_FRANCE = frozenset({"FRANCE", "FRANCE METROPOLITAINE", "EUROPE"})
_FRANCE_AFTER = re.compile(r"(?<! DE)(?<! EN)(?<!^DE)(?<!^EN) FRANCE$")
_ARMY = re.compile(r"^(?:(.*) )?(00) ?(\d{3})(?: (ARMEES?\b.*))?$")
_FRENCH_LAST_LINE = re.compile(r"\d{5} ")
_TOWN_AT_THE_END = re.compile(r"^(?:(.+) )?(\d{5}) ([A-Z].*)$")
_DEPARTMENT_AFTER = re.compile(r"\s*\((?:\d{2,3}|2[AB])\)\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostalAddress:
    """The lines below the reader's window: identity first, postcode and town (or country) last."""

    lines: tuple[str, ...]
    postcode: str

    @property
    def country(self) -> str:
        """The country line, empty in France, overseas and in Monaco, where a postcode and a town come last."""
        return "" if _FRENCH_LAST_LINE.match(self.lines[-1]) else self.lines[-1]

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
        given: str = "",
    ) -> PostalAddress:
        """Lay out the ILS lines by the norm: capitals, the name once, postcode and town last, then a foreign country.

        `country` is a name or an ISO 3166 code; what the lines say of a country outranks it, and without any word of a
        country an address must look French to be printed. Long words are abbreviated and long lines cut at their
        commas only where 38 characters are passed. `own` are the library's own addresses, each as its last two lines,
        street and town: a desk types them for want of another. `given` are the given names at the start of `name`, as
        far as they are known: initials stand for them in a name that three lines do not hold.

        Raises RecipientError: `missing` (no name, or nothing but the name), `homeless`, `dummy` (words in place of an
        address, or mail that already came back), `country_not_allowed` (a code nobody knows), `country_unsure` (abroad
        as it seems, without a country; or two countries), `no_postcode`, `too_few_lines` (no street or no town),
        `line_too_long` (also a field that is no address), `too_many_lines`, `own_address`.
        """
        name, given = name[:_LONGEST_FIELD], given[:_LONGEST_FIELD]
        fields = [field for field in lines if field]
        if any(len(text or "") > _LONGEST_FIELD for text in (postcode, city, country)) or any(
            len(line) > _LONGEST_FIELD for field in fields[:_MOST_LINES] for line in _BREAKS.split(field[:10_000])
        ):
            raise RecipientError(Refusal.LINE_TOO_LONG)
        if len(fields) > _MOST_LINES or sum(map(len, fields)) > _MOST_LINES * _LONGEST_FIELD:
            raise RecipientError(Refusal.TOO_MANY_LINES)
        names = name_forms(name, given)
        raw_code, raw_town = postcode or "", _DEPARTMENT_AFTER.sub("", city or "")
        found, dummy = _known_lines(fields, names[0], postcode_alone(fields, raw_code))
        if not _town_or_nothing(fold(raw_town), postcode_alone((), raw_code)):
            raw_town = ""
        code = _known(fold(raw_code))
        if not names[0] or not (found or raw_town or code or dummy):
            raise RecipientError(Refusal.MISSING)
        if dummy and not found:
            raise RecipientError(Refusal.DUMMY)
        army = _army([fold(raw) for raw in found], code, fold(raw_town))
        if army:
            body, last, code = army
        else:
            target = destination(found, raw_code if code else "", raw_town, country or "")
            abroad = bool(target.country)
            code, town = _known(fold(target.postcode, abroad=abroad)), fold(target.town, abroad=abroad)
            if target.country:
                body, last = abroad_lines(target.lines, town, code, target.country)
            else:
                body, last, code = _home(target, code, town, dummy)
        if not body:
            raise RecipientError(Refusal.DUMMY if dummy else Refusal.TOO_FEW_LINES)
        laid_out = block(names, body, last)
        if any(address and _is_at(laid_out, address) for address in own):
            raise RecipientError(Refusal.OWN_ADDRESS)
        return cls(lines=laid_out, postcode=code)


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


def _known(text: str) -> str:
    return "" if text in PLACEHOLDERS else text


def _town_or_nothing(town: str, code: str) -> str:
    """A town, save one that stands for nothing; Rue and Ville are communes, at their postcodes."""
    return town if town not in PLACEHOLDERS or is_commune(code, town) else ""


def _known_lines(fields: Iterable[str], identity: str, code: str) -> tuple[list[str], bool]:
    """The lines that say something, as they came, each once; and whether some only stood for nothing."""
    found: dict[str, str] = {}
    dummy = False
    words = sorted(word for word in identity.split() if word not in CIVILITIES)
    for field in fields:
        for raw in _BREAKS.split(field):
            line = fold(raw)
            if not line:
                continue
            if HOMELESS.search(line):
                raise RecipientError(Refusal.HOMELESS)
            if GONE_AWAY.search(line):
                raise RecipientError(Refusal.DUMMY)
            if not _town_or_nothing(line, code):
                dummy = True
            elif sorted(word for word in line.split() if word not in CIVILITIES) != words:
                found.setdefault(line, raw)
    return list(found.values()), dummy


def _army(lines: list[str], code: str, town: str) -> tuple[list[str], list[str], str] | None:
    """The lines of the army's post, which has its own postcodes: `SP 85212` above `00862 ARMEES`."""
    for index in range(len(lines) - 1, -1, -1):
        match = _ARMY.match(lines[index])
        if match and (match[4] or (index + 1 < len(lines) and lines[index + 1].startswith("ARMEE"))):
            rest = lines[:index] + ([match[1]] if match[1] else []) + lines[index + (1 if match[4] else 2) :]
            own = f"{match[2]}{match[3]}"
            return [line for line in rest if line not in ("FRANCE", "ARMEES")], [f"{own} ARMEES"], own
    match = _ARMY.match(code)
    if match and not match[1] and ("ARMEES" in (town, *lines) or any(line.startswith("SP ") for line in lines)):
        return [line for line in lines if line not in ("FRANCE", "ARMEES")], [f"{match[2]}{match[3]} ARMEES"], code
    return None


def _home(target: Destination, code: str, town: str, dummy: bool) -> tuple[list[str], list[str], str]:
    """The lines above the last one, the last one and the postcode of an address in France."""
    parts = (part for raw in target.lines for part in _parts(_DEPARTMENT_AFTER.sub("", raw)))
    folded = [part for part in dict.fromkeys(parts) if part not in _FRANCE]
    if town and _CODE_IN_LINE.search(town):
        folded.append(town)
        town = ""
    body, code, town = _french(folded, code, town)
    if not body and dummy:
        raise RecipientError(Refusal.DUMMY)
    if seems_abroad(body, code, town, france_is_named=target.is_named):
        raise RecipientError(Refusal.COUNTRY_UNSURE)
    last = town_line(code, _CEDEX.sub("CEDEX ", town))
    return [line for line in body if line not in (town, last)], [last], code


def _parts(raw: str) -> list[str]:
    """A line, cut at its commas when it is too long; not after the number of a house."""
    line = with_boxes(fold(raw))
    if len(line) <= MAXIMUM_LENGTH:
        return [line] if line else []
    town = _TOWN_AT_THE_END.match(line)
    if town and is_commune(town[2], _without_france(town[3])):
        cut = raw.rfind(town[2])
        return [*_parts(raw[:cut].rstrip(" ,;-–—")), f"{town[2]} {town[3]}"] if town[1] and cut > 0 else [line]
    pieces = (with_boxes(fold(piece)) for piece in _PARTS.split(_AFTER_HOUSE_NUMBER.sub(r"\1\2 ", raw)))
    return [piece for piece in pieces if piece]


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
        if not split and (ending := _TOWN_AT_THE_END.match(line)) and is_known_town(ending[2], ending[3]):
            split = ending
        if not split:
            continue
        before, code, after = split.group(1) or "", split.group(2), split.group(3) or ""
        if _BOX_BEFORE.search(before) or not (code == wanted or _may_be_a_town(code, after)):
            continue
        rest = lines[:index] + lines[index + 1 :]
        if after:
            return ([*lines[:index], before, *lines[index + 1 :]] if before else rest), code, _without_france(after)
        if before and (is_commune(code, before) or not any(character.isdigit() for character in before)):
            return rest, code, _without_france(before)
        if before:
            rest.insert(index, before)
        return _with_town_line(rest, code, town, index if not before else None)
    if not wanted:
        raise RecipientError(Refusal.NO_POSTCODE)
    return _with_town_line(lines, wanted, town, None)


def _may_be_a_town(code: str, after: str) -> bool:
    """Whether the words after five digits are a town; `10500 ROUTE DE GRASSE` is a house, `39120 CHEMIN` a commune."""
    return not STARTS_WITH_STREET.match(after) or is_commune(code, _without_france(after))


def _with_town_line(lines: list[str], code: str, town: str, beside: int | None) -> tuple[list[str], str, str]:
    """The postcode stands alone: the town is in its own field, or the line beside it, or the last line."""
    if town:
        return lines, code, _without_france(town)
    for index in dict.fromkeys((beside if beside is not None else len(lines) - 1, len(lines) - 1)):
        if 0 <= index < len(lines):
            line = _without_france(lines[index])
            doubtful = STARTS_WITH_NUMBER.match(line) or STARTS_WITH_STREET.match(line) or BOX_LINE.match(line)
            if not doubtful or is_commune(code, line):
                return lines[:index] + lines[index + 1 :], code, line
    raise RecipientError(Refusal.TOO_FEW_LINES)


def _without_france(town: str) -> str:
    """`NICE FRANCE` → `NICE`; Fort-de-France and Tremblay-en-France keep theirs."""
    return _FRANCE_AFTER.sub("", town)
