"""The list of readers who said yes or no to SMS: its lines, and the file that a library imports."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from loan_reminders.domain.loans import SmsChoice

MOST_LINES = 20_000
"""Lines of one file at most."""
LONGEST_NAMED = 200
"""Signs of a card or of a reader's number at most."""

_YES = frozenset({"oui", "o", "yes", "y", "1", "vrai", "true", "x"})
_NO = frozenset({"non", "n", "no", "0", "faux", "false"})


class ChoiceSource(StrEnum):
    """How a line came to be on the list."""

    LIBRARIAN = "librarian"
    IMPORT = "import"


class ReaderColumn(StrEnum):
    """By what a file names its readers: the card, or the number that the ILS gives them."""

    CARD = "carte"
    READER = "lecteur"


CHOICE_COLUMN = "sms"


class FileFault(StrEnum):
    """Why nothing of a file is taken."""

    EMPTY = "empty"
    NOT_TEXT = "not_text"
    NO_HEADER = "no_header"
    TOO_MANY_LINES = "too_many_lines"


class LineFault(StrEnum):
    """Why one line of a file is left out, and the others are taken.

    `CONTRADICTION`: another line says the contrary of the same reader; neither is taken.
    """

    NOBODY = "nobody"
    NOT_YES_OR_NO = "not_yes_or_no"
    TOO_LONG = "too_long"
    UNKNOWN_CARD = "unknown_card"
    SHARED_CARD = "shared_card"
    CONTRADICTION = "contradiction"


class UnusableFile(ValueError):
    """A file of which nothing can be taken; `fault` says why."""

    def __init__(self, fault: FileFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLine:
    """One line of a file that could be read; `number` counts from 1 with the header."""

    number: int
    reader: str
    choice: SmsChoice


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceFile:
    """What a file holds: by what it names readers, the lines that can be read, and the others with their faults."""

    column: ReaderColumn
    lines: Sequence[FileLine]
    faults: Mapping[int, LineFault]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportDone:
    """What importing a file changed: lines that are new or other than before, those that said so already, those out."""

    changed: int
    same: int
    faults: Mapping[int, LineFault]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceLine:
    """One reader on the list; `reader_number`, name and card as the ledger knows him, None and empty when it does not.

    `forgotten`: the reader was removed, and only a keyed hash of him is kept, so that his no is heard.
    """

    choice_id: int
    patron_id: str
    choice: SmsChoice
    source: ChoiceSource
    who: str
    at: datetime
    reader_number: int | None
    name: str
    card: str
    forgotten: bool


def read_choice(text: str) -> SmsChoice | None:
    """`oui`, `non` and their like in any case; None for anything else."""
    word = text.strip().casefold()
    if word in _YES:
        return SmsChoice.YES
    return SmsChoice.NO if word in _NO else None


def read_file(content: bytes) -> ChoiceFile:
    """Read a file of two columns, `carte` or `lecteur`, and `sms`, parted by `;`, `,` or tabs; others are ignored.

    UTF-8, with a mark or without, or Windows-1252. Raises UnusableFile.
    """
    if b"\x00" in content:
        raise UnusableFile(FileFault.NOT_TEXT)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")
    first = next((line for line in text.splitlines() if line.strip()), "")
    if not first:
        raise UnusableFile(FileFault.EMPTY)
    parted = max(";,\t", key=first.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=parted))
    except csv.Error:
        raise UnusableFile(FileFault.NOT_TEXT) from None
    place = next((number for number, row in enumerate(rows) if any(cell.strip() for cell in row)), None)
    if place is None:
        raise UnusableFile(FileFault.EMPTY)
    header = [cell.strip().casefold() for cell in rows[place]]
    column = next((one for one in ReaderColumn if one.value in header), None)
    if column is None or CHOICE_COLUMN not in header:
        raise UnusableFile(FileFault.NO_HEADER)
    if len(rows) - place - 1 > MOST_LINES:
        raise UnusableFile(FileFault.TOO_MANY_LINES)
    return _lines(rows, place, column, (header.index(column.value), header.index(CHOICE_COLUMN)))


def _lines(rows: Sequence[Sequence[str]], place: int, column: ReaderColumn, wanted: tuple[int, int]) -> ChoiceFile:
    lines: list[FileLine] = []
    faults: dict[int, LineFault] = {}
    for number, row in enumerate(rows[place + 1 :], start=place + 2):
        if not any(cell.strip() for cell in row):
            continue
        reader, said = (row[at].strip() if at < len(row) else "" for at in wanted)
        choice = read_choice(said)
        if not reader:
            faults[number] = LineFault.NOBODY
        elif len(reader) > LONGEST_NAMED or not reader.isprintable():
            faults[number] = LineFault.TOO_LONG
        elif choice is None:
            faults[number] = LineFault.NOT_YES_OR_NO
        else:
            lines.append(FileLine(number=number, reader=reader, choice=choice))
    return _without_contradictions(column, lines, faults)


def _without_contradictions(
    column: ReaderColumn, lines: Sequence[FileLine], faults: dict[int, LineFault]
) -> ChoiceFile:
    said: dict[str, set[SmsChoice]] = {}
    for line in lines:
        said.setdefault(line.reader, set()).add(line.choice)
    faults |= {line.number: LineFault.CONTRADICTION for line in lines if len(said[line.reader]) > 1}
    kept = tuple(line for line in lines if len(said[line.reader]) == 1)
    return ChoiceFile(column=column, lines=kept, faults=faults)
