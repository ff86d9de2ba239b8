"""Codes of the ILS that runs do not know and that are new: somebody has to give them a meaning."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from loan_reminders.domain.loans import CodeKind
from loan_reminders.domain.runs.reading.tally import UnknownCode
from loan_reminders.domain.runs.to_do import ToDoItem, ToDoKind
from loan_reminders.ledger.runs.readings import unknown_codes

NEW = timedelta(days=7)
"""How long a code is new: it is told meanwhile, and then stays on the pages of its runs alone."""

STILL_THERE = timedelta(days=1)
"""A code that no run of today or of the day before met is no longer there, or has its meaning now."""

LOOKED_BACK = timedelta(days=90)

_UNKNOWN = text("""
    SELECT run_id, today, started_at, CAST(reading -> 'unknown' AS jsonb) AS unknown FROM runs
    WHERE library = :library AND reference_date >= CAST(:since AS date) AND kind = 'daily'
      AND reading -> 'unknown' <> '[]'
    ORDER BY run_id
""")


def new_codes(connection: Connection, library: str, now: datetime) -> Iterator[ToDoItem]:
    """One thing to do about all new codes, those on most loans first; nothing without any. Dry runs count too."""
    today = now.date()
    first: dict[tuple[CodeKind, str | None], Any] = {}
    last: dict[tuple[CodeKind, str | None], tuple[Any, UnknownCode]] = {}
    for row in connection.execute(_UNKNOWN, {"library": library, "since": today - LOOKED_BACK}):
        for one in unknown_codes(row.unknown):
            first.setdefault((one.kind, one.code), row)
            last[one.kind, one.code] = row, one
    new = [key for key, row in first.items() if row.today > today - NEW and last[key][0].today >= today - STILL_THERE]
    if new:
        codes = sorted((last[key][1] for key in new), key=lambda one: -one.loans)
        yield ToDoItem(
            kind=ToDoKind.NEW_CODES,
            since=min(first[key].started_at for key in new),
            number=len(codes),
            run_id=max(last[key][0].run_id for key in new),
            codes=tuple(codes),
        )
