"""Rows that the ledger cannot keep or settle are put aside, so that none of them ever holds up the others.

A page of rows is worked on at once. When the ledger refuses the page, each half is tried, and so on, down to
the one row that is refused: it is put aside with its content, for a librarian to read on the desk page.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, text

from loan_reminders.domain.desk import AsideKind
from loan_reminders.domain.errors import ReminderError, RowRefused
from loan_reminders.french import ledger as sentences
from loan_reminders.french.desk import NOT_UNDERSTOOD
from loan_reminders.french.refusals import sentence
from loan_reminders.ledger.json_codecs import storable

log = logging.getLogger(__name__)

ROW_ERRORS = (RowRefused, ValueError, TypeError, ArithmeticError)
"""Errors that are about one row. A ledger that is out of reach is none of them."""

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
    """A row to put aside: its number or address (`about`), its content (`said`), what makes it unique (`identity`)."""

    kind: AsideKind
    identity: str
    about: str
    said: str


def each_alone(
    work: Callable[[Sequence[Item]], Done], items: Sequence[Item]
) -> tuple[list[Done], list[tuple[Item, str]]]:
    """Work on all items, one transaction a call; returns what was done, and the items refused, each with the reason.

    Raises the errors that are not about one item, such as LedgerUnavailable.
    """
    if not items:
        return [], []
    try:
        return [work(items)], []
    except ROW_ERRORS as error:
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
                "fingerprint": hashlib.sha256(row.identity.encode("utf-8", "replace")).hexdigest(),
                "about": storable(row.about)[:LONGEST_ADDRESS],
                "said": storable(row.said)[:_SAID_LIMIT],
                "why": storable(why)[:_WHY_LIMIT],
            }
            new += connection.execute(_PUT_ASIDE, asked).first() is not None
        if then is not None:
            then(connection)
    return new


def identity(*parts: object) -> str:
    """A text that is the same when the same row comes again, and another for every other row."""
    return json.dumps([str(part) for part in parts])


def _why(error: Exception) -> str:
    if isinstance(error, ReminderError):
        return sentence(error)
    log.error(sentences.NOT_UNDERSTOOD, type(error).__name__)
    return NOT_UNDERSTOOD
