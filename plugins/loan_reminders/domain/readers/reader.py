"""A reader as the ledger knows one: how the ILS last described them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A reader. `number` is the neutral one of the pages' addresses; `patron_id` the ILS's own.

    `email` and `mobile` are empty when there is none that can be used; `branch` is that of the loan seen last;
    `last_seen_on` is true to a week; `category` is a code of `PatronCategory`, or what an older program wrote.
    """

    number: int
    patron_id: str
    card: str
    name: str
    email: str
    mobile: str
    category: str
    branch: str
    last_seen_on: date
