"""A ledger that believes in another day.

Nothing in the program is told the time by the ledger but by `now()` and `clock_timestamp()`. While days of the past are
lived, a schema that comes before PostgreSQL's own holds functions of these names; what the tables fill in by themselves
is set to them meanwhile, and set back at the end. So every moment in the ledger, and whatever a statement compares with
the present, is that of the day: no row is touched afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import psycopg
from psycopg import sql
from sqlalchemy import make_url

_MAKE = """
    CREATE SCHEMA lived;
    CREATE UNLOGGED TABLE lived.clock (shown timestamptz NOT NULL, set_at timestamptz NOT NULL);
    INSERT INTO lived.clock VALUES (pg_catalog.now(), pg_catalog.now());
    CREATE FUNCTION lived.now() RETURNS timestamptz STABLE LANGUAGE sql
        AS 'SELECT shown + (pg_catalog.now() - set_at) FROM lived.clock';
    CREATE FUNCTION lived.clock_timestamp() RETURNS timestamptz VOLATILE LANGUAGE sql
        AS 'SELECT shown + (pg_catalog.clock_timestamp() - set_at) FROM lived.clock'
"""
_DATED = """
    SELECT c.relname, a.attname FROM pg_attrdef d
    JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
    JOIN pg_class c ON c.oid = d.adrelid
    WHERE c.relnamespace = 'public'::regnamespace AND pg_get_expr(d.adbin, d.adrelid) = 'now()'
"""


class LedgerClock:
    """The clock of a ledger whose days are lived anew."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def show(self, moment: datetime) -> None:
        """From here on it is this moment, and the seconds pass."""
        self._connection.execute("UPDATE lived.clock SET shown = %s, set_at = pg_catalog.clock_timestamp()", (moment,))


@contextmanager
def another_day(ledger_url: str) -> Iterator[tuple[LedgerClock, str]]:
    """The clock of this ledger, and the address by which whoever connects believes in it; gone at the end."""
    with psycopg.connect(ledger_url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS lived CASCADE")
        connection.execute(_MAKE)
        dated = connection.execute(_DATED).fetchall()
        _set_defaults(connection, dated, "lived.now()")
        try:
            options = "-c search_path=lived,pg_catalog,public -c synchronous_commit=off"
            believing = make_url(ledger_url).update_query_dict({"options": options})
            yield LedgerClock(connection), believing.render_as_string(hide_password=False)
        finally:
            _set_defaults(connection, dated, "pg_catalog.now()")
            connection.execute("DROP SCHEMA lived CASCADE")


def _set_defaults(connection: psycopg.Connection, columns: list[tuple[str, str]], now: str) -> None:
    for table, column in columns:
        statement = sql.SQL("ALTER TABLE public.{} ALTER COLUMN {} SET DEFAULT {}")
        connection.execute(statement.format(sql.Identifier(table), sql.Identifier(column), sql.SQL(now)))
