"""Six lines of 38 characters: how names, streets and towns are made to fit them (NF Z10-011)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from loan_reminders.domain.errors import RecipientError
from loan_reminders.domain.recipients.communes import is_commune
from loan_reminders.domain.recipients.postal_words import BOX_LINE, abbreviate, shorten
from loan_reminders.domain.states import Refusal

MAXIMUM_LINES = 6
MAXIMUM_LENGTH = 38
_NAME_LINES = 3

_KINDS = (
    r"(?:RUE|AV|AVENUE|BD|BLD|BOULEVARD|CHEMIN|CHE|ROUTE|RTE|PLACE|PL|ALLEES?|ALL|IMPASSE|IMP|QUAI|COURS|CRS|SQUARE|SQ"
    r"|PASSAGE|PAS|PROMENADE|PROM|TRAVERSE|TRA|MONTEE|MTE|VOIE|SENTIER|SEN|FAUBOURG|FG|LOTISSEMENT|LOT)\b"
)
STARTS_WITH_STREET = re.compile(_KINDS)
STARTS_WITH_NUMBER = re.compile(r"^\d")
_STREET_INSIDE = re.compile(rf" (?=\d+(?: (?:BIS|TER|QUATER|[A-F]))? {_KINDS})")
_CUT_WORD = 3


def block(names: Sequence[str], body: Sequence[str], last: Sequence[str]) -> tuple[str, ...]:
    """Every line within 38 characters and the whole within six lines, boxes (BP, CS) just above the town.

    `names` are the reader's name and its shorter forms: the first that fits is taken, in three lines where six allow
    it, and the last one is cut when none does; a cut name still finds its reader, and the letter spells it in full.
    Raises RecipientError `line_too_long` or `too_many_lines`.
    """
    middle = [piece for line in body for piece in _fitting(line)]
    if any(BOX_LINE.match(line) for line in middle[:-1]):
        middle.sort(key=lambda line: bool(BOX_LINE.match(line)))
    if any(len(line) > MAXIMUM_LENGTH for line in last):
        raise RecipientError(Refusal.LINE_TOO_LONG)
    room = MAXIMUM_LINES - len(last)
    heads = [_wrapped(name) for name in names]
    for head in (*(head for head in heads if len(head) == 1), *heads):
        if len(head) <= _NAME_LINES and (joined := _joined(middle, room - len(head))) is not None:
            return (*head, *joined, *last)
    for lines in range(_NAME_LINES, 0, -1):
        if (joined := _joined(middle, room - lines)) is not None:
            return (*heads[-1][:lines], *joined, *last)
    raise RecipientError(Refusal.TOO_MANY_LINES)


def _joined(middle: Sequence[str], room: int) -> list[str] | None:
    """The lines in `room` lines, short ones put together from the top; a street keeps the line it begins."""
    lines = list(middle)
    while len(lines) > room:
        for index in range(len(lines) - 2):
            joined = f"{lines[index]} {lines[index + 1]}"
            if len(joined) <= MAXIMUM_LENGTH and not STARTS_WITH_NUMBER.match(lines[index + 1]):
                lines[index : index + 2] = [joined]
                break
        else:
            return None
    return lines


def _fitting(line: str) -> list[str]:
    """A line within 38 characters: as it is, with its long words abbreviated, or cut before the street's number."""
    if len(line) <= MAXIMUM_LENGTH:
        return [line]
    short = abbreviate(line)
    if len(short) <= MAXIMUM_LENGTH:
        return [short]
    pieces = [shorten(piece, MAXIMUM_LENGTH) for piece in _STREET_INSIDE.split(short, maxsplit=1)]
    if any(len(piece) > MAXIMUM_LENGTH for piece in pieces):
        raise RecipientError(Refusal.LINE_TOO_LONG)
    return pieces


def _wrapped(name: str) -> list[str]:
    lines: list[str] = []
    for word in name.split(" "):
        if len(word) > MAXIMUM_LENGTH:
            raise RecipientError(Refusal.LINE_TOO_LONG)
        if lines and len(lines[-1]) + 1 + len(word) <= MAXIMUM_LENGTH:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def town_line(code: str, town: str) -> str:
    """`06000 NICE` within 38 characters, if short forms allow it; the words of a known commune may be cut to three.

    La Poste's own labels have 32 signs (`BEAUJEU ST VAL PIER ET QUIT`): a sorting machine reads the postcode first.
    """
    length = MAXIMUM_LENGTH - len(code) - 1
    if len(town) <= length:
        return f"{code} {town}"
    label = shorten(town, length)
    if len(label) > length and is_commune(code, town):
        words = label.split(" ")
        for index in range(1, len(words) - 1):
            if len(label) > length:
                words[index] = words[index][: max(_CUT_WORD, len(words[index]) - (len(label) - length))]
                label = " ".join(words)
    return f"{code} {label}"
