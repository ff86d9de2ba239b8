"""Rows of what comes back that cannot be kept or settled: put aside, so that none ever holds up the others.

A page of rows is worked on at once. When the ledger refuses it, its halves are tried, and so on down to the row that is
refused alone: that one is put aside with what it said, for a person to read on the page of the desk.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, text

from loan_reminders.domain.desk import AsideKind
from loan_reminders.domain.errors import ReminderError, RowRefused
from loan_reminders.french.refusals import sentence
from loan_reminders.ledger.json_codecs import storable

OF_A_ROW = (RowRefused, ValueError, TypeError, ArithmeticError)
"""What may be wrong with one row. A ledger that is out of reach is another matter: it raises as ever."""

LONGEST_NUMBER = 20
"""Digits of a phone number at most, and some more: E.164 allows 15."""
LONGEST_ADDRESS = 320
_SAID_LIMIT, _WHY_LIMIT = 500, 300

_PUT_ASIDE = text("""
    INSERT INTO put_aside (library, kind, fingerprint, about, said, why)
    VALUES (:library, :kind, :fingerprint, :about, :said, :why)
    ON CONFLICT (library, kind, fingerprint) DO NOTHING
    RETURNING put_aside_id
""")

Item = TypeVar("Item")
Done = TypeVar("Done")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row to put aside: whom it is about, what it said, and what tells it from others."""

    kind: AsideKind
    known_by: str
    about: str
    said: str


def each_alone(
    work: Callable[[Sequence[Item]], Done], items: Sequence[Item]
) -> tuple[list[Done], list[tuple[Item, str]]]:
    """Work on all items, one transaction a call; returns what was done, and the items refused alone, with the reason.

    Raises what is nobody's fault in particular, LedgerUnavailable above all.
    """
    if not items:
        return [], []
    try:
        return [work(items)], []
    except OF_A_ROW as error:
        if len(items) == 1:
            return [], [(items[0], _why(error))]
    half = len(items) // 2
    first, second = each_alone(work, items[:half]), each_alone(work, items[half:])
    return first[0] + second[0], first[1] + second[1]


def put_aside(
    transaction: Callable[[], AbstractContextManager[Connection]],
    library: str,
    refused: Sequence[tuple[Row, str]],
    *,
    then: Callable[[Connection], Any] | None = None,
) -> int:
    """Put rows aside, each once, and do `then` in the same transaction; returns how many are new."""
    if not refused:
        return 0
    new = 0
    with transaction() as connection:
        for row, why in refused:
            asked = {
                "library": library,
                "kind": row.kind.value,
                "fingerprint": hashlib.sha256(row.known_by.encode("utf-8", "replace")).hexdigest(),
                "about": storable(row.about)[:LONGEST_ADDRESS],
                "said": storable(row.said)[:_SAID_LIMIT],
                "why": storable(why)[:_WHY_LIMIT],
            }
            new += connection.execute(_PUT_ASIDE, asked).first() is not None
        if then is not None:
            then(connection)
    return new


def told(*parts: object) -> str:
    """What tells a row from others, whatever it holds."""
    return json.dumps([str(part) for part in parts])


def _why(error: Exception) -> str:
    return sentence(error) if isinstance(error, ReminderError) else type(error).__name__
