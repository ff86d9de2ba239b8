"""A ledger in use for years, with all its rows: what a page costs there is measured, not estimated.

The rows are made by `large_ledger.sql`; the indexes are made after them, which takes a third of the time.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import psycopg

from loan_reminders.ledger.json_codecs import encode_loan
from tests.scenes.builders import a_loan
from tests.simulators.postgres import EmbeddedPostgres

_ROWS = Path(__file__).with_suffix(".sql")
_INDEXES = """
    SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class ON oid = indexrelid
    WHERE relnamespace = 'public'::regnamespace
      AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
"""
_WORDS = "Bonjour,\n\nLe document ci-dessous est à rendre. Merci de le rapporter.\n\nLa bibliothèque\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many loan cycles and readers there are."""

    cycles: int
    readers: int


TWO_MILLION_DELIVERIES = Size(cycles=1_030_000, readers=400_000)


def fill(server: EmbeddedPostgres, database: str, *, size: Size, until: date, library: str) -> None:
    """Fill an empty, migrated ledger with three years that end on `until`."""
    values = {
        "library": library,
        "until": until,
        "cycles": size.cycles,
        "readers": size.readers,
        "record": encode_loan(a_loan()),
        "words": zlib.compress(_WORDS.encode(), 1),
    }
    with psycopg.connect(server.url(database), autocommit=True, cursor_factory=psycopg.ClientCursor) as connection:
        # Neither foreign keys nor the journal's trigger look at each row.
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET synchronous_commit = off")
        connection.execute("SET maintenance_work_mem = '512MB'")
        indexes = connection.execute(_INDEXES).fetchall()
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}")
        connection.execute(_ROWS.read_text(encoding="utf-8"), values)
        for _, definition in indexes:
            connection.execute(definition)
        connection.execute("VACUUM ANALYZE")
