"""Rows for every table of a ledger of any revision, made from what the database says of its own columns.

Nine rows a table, so that each word of a closed list is somewhere. Identifiers go by the name of the column: the third
delivery is that of the third notice, of the third run.
"""

from __future__ import annotations

import json
import re
import uuid
import zlib
from collections.abc import Mapping
from typing import Any

from psycopg import connect, sql
from psycopg.types.json import Jsonb

from loan_reminders.domain.marks.high_water import Gap, facts
from loan_reminders.ledger.json_codecs import encode_loan
from loan_reminders.ledger.statistics.recounts import REMOVED
from tests.scenes.builders import a_loan, a_patron
from tests.simulators.postgres import EmbeddedPostgres

ROWS = 9
LIBRARY = "demo"
TABLES = """
    SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
      AND relname NOT LIKE '%alembic%' ORDER BY relname
"""
GIVEN_ANEW = {("suppressions", "since"), ("sms_acks", "at"), ("mail_bounces", "at")}
"""Columns whose values a migration may change: dates that cannot be true."""

_COLUMNS = """
    SELECT column_name, data_type, is_identity = 'YES' FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name = %s AND is_generated = 'NEVER' ORDER BY ordinal_position
"""
_PARENTS = """
    SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint
    WHERE contype = 'f' AND connamespace = 'public'::regnamespace
"""
COUNTERS = {removed.name: counters.name for counters, removed in REMOVED.items()}
_CHECKS = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'c' AND conrelid = to_regclass(%s)"
_LIST = re.compile(r"\(\(?(\w+) = ANY \(ARRAY\[(.*?)\]\)")


def fill(server: EmbeddedPostgres, database: str) -> None:
    """Fill every table; one that has a row a library gets one."""
    with connect(server.url(database)) as connection:
        tables = [name for (name,) in connection.execute(TABLES.encode())]
        parents: dict[str, set[str]] = {table: set() for table in tables}
        for child, parent in connection.execute(_PARENTS.encode()):
            if child != parent:
                parents[child].add(parent)
        filled: list[str] = []
        while len(filled) < len(tables):
            ready = [table for table in tables if table not in filled and parents[table] <= set(filled)]
            for table in ready:
                _fill(connection, table)
            filled += ready


def contents(server: EmbeddedPostgres, database: str, tables: Any) -> dict[str, list[dict[str, Any]]]:
    """Every row of these tables as JSON, in a fixed order."""
    found = {}
    for table in tables:
        rows = server.execute(f"SELECT to_jsonb(one) FROM {table} AS one", database=database)
        found[table] = sorted((row for (row,) in rows), key=lambda row: json.dumps(row, sort_keys=True))
    return found


def tables(server: EmbeddedPostgres, database: str) -> list[str]:
    return [name for (name,) in server.execute(TABLES, database=database)]


def same(before: dict[str, list[dict[str, Any]]], after: dict[str, list[dict[str, Any]]]) -> None:
    """Every row is still there, with what it held."""
    for table, rows in before.items():
        kept = [{name: value for name, value in row.items() if (table, name) not in GIVEN_ANEW} for row in rows]
        found = [{name: row.get(name) for name in kept[0]} for row in after[table]] if kept else []
        missing = [row for row in kept if row not in found]
        assert not missing, (table, missing[0])


def _fill(connection: Any, table: str) -> None:
    lists = {}
    # What removed rows counted for is added to the counters: its words are theirs, though no list of its own says so.
    for one in (COUNTERS.get(table, table), table):
        for (definition,) in connection.execute(_CHECKS.encode(), (one,)):
            for column, words in _LIST.findall(definition):
                lists[column] = re.findall(r"'([^']*)'", words)
    columns = [(name, kind) for name, kind, identity in connection.execute(_COLUMNS.encode(), (table,)) if not identity]
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT DO NOTHING").format(
        sql.Identifier(table),
        sql.SQL(", ").join(sql.Identifier(name) for name, _ in columns),
        sql.SQL(", ").join(sql.Placeholder() for _ in columns),
    )
    for place in range(ROWS):
        connection.execute(statement, [_value(table, name, kind, place, lists) for name, kind in columns])


def _value(table: str, column: str, kind: str, place: int, lists: Mapping[str, list[str]]) -> Any:
    """The value of a row, by the column's name where that says something, else by its kind."""
    special = {
        "library": LIBRARY,
        "patron_id": f"P{place}",
        "loan_id": f"L{place}",
        "recipient": f"lecteur{place}@example.org",
        "slot": "written",
        "channel": "email",
        "phone_number": f"3363998000{place}",
        "stage": "overdue_notice",
        "card": f"C{place}",
        "category": "other",
        "name": "Lecteur" if table == "readers" else f"{table} {place}",
        "attempt": place + 1,
        "tracking_number": f"9Z2345678901{place}",
        "rows_read": 1,
        "loans_extracted": 1,
    }
    if column in special and (column not in lists or special[column] in lists[column]):
        return special[column]
    if (table, column) == ("runs", "kind"):
        return "daily"  # a message sent once more is a run without letters
    if column in lists:
        return lists[column][place % len(lists[column])]
    if column == "record":
        patron = a_patron(patron_id=f"P{place}")
        return Jsonb(json.loads(encode_loan(a_loan(loan_id=f"L{place}", patron=patron))))
    if kind == "jsonb" and column in ("books", "reading"):
        return None
    if (table, column) == ("gaps", "facts"):
        return Jsonb(facts(Gap(mark_id=None, marked_at=None, runs=(), broken=())))
    by_kind: dict[str, Any] = {
        "uuid": uuid.uuid5(uuid.NAMESPACE_OID, f"{column.removeprefix('re').removesuffix('_of')} {place}"),
        "double precision": float(place),
        "smallint": place + 1,
        "bigint": place + 1,
        "integer": place + 1,
        "numeric": place,
        "boolean": place % 2 == 0,
        "date": f"2026-11-{10 + place}",
        "timestamp with time zone": f"2026-11-{10 + place} 10:00Z",
        "jsonb": Jsonb({}),
        "ARRAY": [f"L{place}"],
        "text": f"{column} {place}",
        "bytea": zlib.compress(f"{column} {place}".encode()),
    }
    return by_kind[kind]
