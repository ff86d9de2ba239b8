"""Lists in pages: how they are ordered, filtered and paged is in the address, so that a link leads back to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from urllib.parse import urlencode

LINES = 50
"""Lines of a page of a list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """By which column a list is ordered; `asked` are the other parts of the address, its filters, which stay."""

    column: str
    descending: bool = False
    asked: Mapping[str, str] = field(default_factory=dict)

    def address(self, column: str) -> str:
        """The address of the list ordered by a column: the other way round when it is ordered by it already."""
        turned = column == self.column and not self.descending
        return _address({**self.asked, "tri": column, "sens": "desc" if turned else ""})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """Which page of a list is shown, out of how many lines; `asked` are the other parts of the address."""

    number: int
    lines: int
    size: int = LINES
    asked: Mapping[str, str] = field(default_factory=dict)

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
        return _address({**self.asked, "page": str(number)})


def _address(asked: Mapping[str, str]) -> str:
    return "?" + urlencode({name: value for name, value in asked.items() if value})
