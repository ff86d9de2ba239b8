"""Lists in pages: how they are ordered, filtered and paged is in the address, so that a link leads back to them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Annotated
from urllib.parse import parse_qsl, urlencode

from fastapi import Response
from pydantic import BeforeValidator, Field

LINES = 50
"""Lines of a page of a list."""

Number = Annotated[int, BeforeValidator(lambda value: value or 0), Field(ge=0, lt=2**63)]
"""A number in an address; a choice that was left empty, or is missing, is 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """By which column a list is ordered; `asked` are the other parts of the address, its filters, which stay."""

    column: str
    descending: bool = False
    asked: Mapping[str, str] = field(default_factory=dict)

    def address(self, column: str) -> str:
        """The address of the list ordered by a column: the other way round when it is ordered by it already."""
        turned = column == self.column and not self.descending
        return address({**self.asked, "tri": column, "sens": "desc" if turned else ""})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """Which page of a list is shown, out of how many lines; `asked` are the other parts of the address.

    `name` is the part that says the page. `goes_on`: there are more lines, nobody counted how many.
    """

    number: int
    lines: int
    size: int = LINES
    asked: Mapping[str, str] = field(default_factory=dict)
    name: str = "page"
    goes_on: bool = False

    @classmethod
    def uncounted(cls, number: int, found: int, *, asked: Mapping[str, str], name: str = "page") -> Pages:
        """A page of a list whose lines are counted nowhere: `found` are those from its first one on, up to one more."""
        lines = (number - 1) * LINES + found
        return cls(number=number, lines=lines, asked=asked, name=name, goes_on=found > LINES)

    @property
    def last(self) -> int:
        """The number of the last page; an empty list has one."""
        return max(1, ceil(self.lines / self.size))

    @property
    def offset(self) -> int:
        """How many lines come before this page."""
        return (self.number - 1) * self.size

    def address(self, number: int) -> str:
        """The address of another page of the same list."""
        return address({**self.asked, self.name: str(number)})


def address(asked: Mapping[str, str]) -> str:
    """The part of an address that says what is asked of a list; what is empty is left out."""
    return "?" + urlencode({name: value for name, value in asked.items() if value})


def asked_at(place: str) -> dict[str, str]:
    """What is asked of a list where a form of it stands; `place` is its field of that name. {} where it is spoilt."""
    try:
        asked = dict(parse_qsl(place.partition("#")[0], max_num_fields=20))
    except ValueError:
        return {}
    return {name: words for name, words in asked.items() if "\0" not in name + words}


def number_asked(asked: Mapping[str, str]) -> int:
    """The page of a list that is asked for; the first where none is, or where it is no number."""
    number = asked.get("page", "")
    return int(number) if number.isascii() and number.isdigit() and len(number) < 10 else 1


_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def spreadsheet(name: str, header: Sequence[str], lines: Iterable[Sequence[object]]) -> Response:
    """A list as a file to save, `name.csv`, that a French spreadsheet opens without a question.

    UTF-8 with a byte order mark, `;`, CRLF. A cell that a spreadsheet would run as a formula starts with an apostrophe.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([_cell(value) for value in line] for line in lines)
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(out.getvalue().encode("utf-8-sig"), media_type="text/csv; charset=utf-8", headers=headers)


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_STARTS) else value
