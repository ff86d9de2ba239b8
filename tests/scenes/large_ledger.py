"""A ledger in use for years, with all its rows: what a page costs there is measured, not estimated.

The rows are made by `large_ledger.sql`; the indexes are made after them, which takes a third of the time. Readers and
figures are made of those rows by what makes them of a real ledger: the migration, and the rebuilding of counters.
"""

from __future__ import annotations

import importlib
import json
import zlib
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import psycopg
from psycopg.rows import namedtuple_row

from loan_reminders.ledger.connect import connect
from loan_reminders.ledger.json_codecs import encode_loan
from loan_reminders.ledger.statistics.rebuilding import PostgresCounters
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
        _keep_readers(connection)
        for _, definition in indexes:
            connection.execute(definition)
        connection.execute("VACUUM ANALYZE")
    with connect(server.url(database), library=library) as ledger:
        for _ in ledger.part(PostgresCounters).rebuild(who="zoé"):
            pass
    server.execute("VACUUM ANALYZE", database=database)


def _keep_readers(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """The readers of all loans seen, as the migration keeps them in a ledger that was in use before it."""
    made = importlib.import_module("loan_reminders.ledger.migrations.versions.0009_readers")
    keep = made.KEEP.replace(":readers", "%(readers)s")
    with connection.cursor(row_factory=namedtuple_row) as found:
        found.execute(made.NEWEST)
        while page := found.fetchmany(made.AT_A_TIME):
            readers = json.dumps([made._reader(row) for row in page])
            connection.execute(keep, {"readers": readers})
