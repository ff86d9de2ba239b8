"""A ledger that believes in another day.

Nothing in the program is told the time by the ledger but by `now()` and `clock_timestamp()`. While days of the past are
lived, a schema that comes before PostgreSQL's own holds functions of these names; what the tables fill in by themselves
is set to them meanwhile, and set back at the end. So every moment in the ledger, and whatever a statement compares with
the present, is that of the day: no row is touched afterwards.

Each process has its own clock: how far it is from the present is a setting of each of its connections, which PostgreSQL
works into a statement like a constant. A table that is read for each row takes many times that.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import Engine, event, make_url

_AHEAD = "make_interval(secs => coalesce(nullif(current_setting('lived.ahead_s', true), ''), '0')::float8)"
_MAKE = f"""
    CREATE SCHEMA lived;
    CREATE FUNCTION lived.now() RETURNS timestamptz STABLE LANGUAGE sql
        AS $$ SELECT pg_catalog.now() + {_AHEAD} $$;
    CREATE FUNCTION lived.clock_timestamp() RETURNS timestamptz VOLATILE LANGUAGE sql
        AS $$ SELECT pg_catalog.clock_timestamp() + {_AHEAD} $$
"""
_DATED = """
    SELECT c.relname, a.attname FROM pg_attrdef d
    JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
    JOIN pg_class c ON c.oid = d.adrelid
    WHERE c.relnamespace = 'public'::regnamespace AND pg_get_expr(d.adbin, d.adrelid) = 'now()'
"""


class LedgerClock:
    """The clock by which a process asks a ledger whose days are lived anew."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def rule(self, engine: Engine) -> None:
        """Make every connection that this engine hands out believe in this clock."""
        event.listen(engine, "checkout", self._believe)

    def show(self, moment: datetime) -> None:
        """From here on it is this moment for whoever takes a connection, and the seconds pass."""
        self._ahead = moment - datetime.now(UTC)

    def _believe(self, connection: Any, record: Any, _proxy: object) -> None:
        if record.info.get("ahead") == self._ahead:
            return
        seconds = repr(self._ahead.total_seconds())
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lived.ahead_s', %s, false)", (seconds,))
        connection.commit()
        record.info["ahead"] = self._ahead


@contextmanager
def another_day(ledger_url: str) -> Iterator[str]:
    """The address of this ledger by which whoever connects believes in a LedgerClock; gone at the end."""
    with psycopg.connect(ledger_url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS lived CASCADE")
        connection.execute(_MAKE.encode())
        dated = connection.execute(_DATED).fetchall()
        _set_defaults(connection, dated, "lived.now()")
        try:
            options = "-c search_path=lived,pg_catalog,public -c synchronous_commit=off"
            believing = make_url(ledger_url).update_query_dict({"options": options})
            yield believing.render_as_string(hide_password=False)
        finally:
            _set_defaults(connection, dated, "pg_catalog.now()")
            connection.execute("DROP SCHEMA lived CASCADE")


def _set_defaults(connection: psycopg.Connection, columns: list[tuple[str, str]], now: str) -> None:
    for table, column in columns:
        statement = sql.SQL("ALTER TABLE public.{} ALTER COLUMN {} SET DEFAULT {}")
        connection.execute(statement.format(sql.Identifier(table), sql.Identifier(column), sql.SQL(now)))
