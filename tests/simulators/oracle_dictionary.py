"""What Oracle tells an account about itself and about plans: the views that `make check-ils` reads, over SQLite."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

DICTIONARY_TYPES: Mapping[str, str] = {"expiry_date": "DATE", "num_rows": "NUMBER"}
EXPLAIN = re.compile(r"EXPLAIN\s+PLAN\s+SET\s+STATEMENT_ID\s*=\s*'(\w+)'\s+FOR\s+(.*)", re.DOTALL | re.IGNORECASE)
_STEP = re.compile(r"(SCAN|SEARCH) (\w+)")
_ALIAS = re.compile(r"\b(?:FROM|JOIN)\s+(\w+)(?:\s+(?!ON\b|WHERE\b|LEFT\b|JOIN\b|ORDER\b)(\w+))?", re.IGNORECASE)
_VIEWS = """
CREATE TEMP TABLE user_users (username, expiry_date);
CREATE TEMP TABLE session_privs (privilege);
CREATE TEMP TABLE all_tab_privs_recd (grantee, owner, table_name, grantor, privilege);
CREATE TEMP TABLE all_col_privs_recd (grantee, owner, table_name, column_name, grantor, privilege);
CREATE TEMP TABLE user_tables (table_name);
CREATE TEMP TABLE all_tables (owner, table_name, num_rows);
CREATE TEMP TABLE plan_table (statement_id, id, operation, options, object_owner, object_name)
"""


@dataclass(slots=True)
class Dictionary:
    """What is so of the account, for tests to change; as it is at first, the account can only read.

    `granted` are privileges on tables (`("UPDATE", "UNS50", "Z36")`), `on_columns` those on columns of them.
    `hidden` is a view that does not exist for this account, `sizes` the rows that statistics say of tables.
    """

    expires: date | None = None
    system: tuple[str, ...] = ("CREATE SESSION",)
    granted: tuple[tuple[str, str, str], ...] = (("SELECT", "UNS50", "Z36"),)
    on_columns: tuple[tuple[str, str, str], ...] = ()
    own: tuple[str, ...] = ()
    hidden: str = ""
    sizes: Mapping[str, int | None] | None = None
    ahead: timedelta = timedelta(0)

    def clock(self, moment: str) -> str:
        """The server's clock, which may be ahead of ours: `YYYYMMDDHH24MISS` of SQLite's own."""
        return f"{datetime.fromisoformat(moment) + self.ahead:%Y%m%d%H%M%S}"

    def show(self, sqlite: sqlite3.Connection, account: str, owner: str = "UNS50") -> None:
        """Make the views, in this session alone."""
        for view in _VIEWS.split(";"):
            if not self.hidden or f" {self.hidden} " not in view:
                sqlite.execute(view)

        def fill(view: str, *rows: tuple[object, ...]) -> None:
            if view != self.hidden:
                sqlite.executemany(f"INSERT INTO {view} VALUES ({', '.join('?' * len(rows[0]))})" if rows else "", rows)

        fill("user_users", (account, self.expires and f"{self.expires} 00:00:00"))
        fill("session_privs", *((name,) for name in self.system))
        fill("all_tab_privs_recd", *((account, owns, table, owns, name) for name, owns, table in self.granted))
        for name, owns, table in self.on_columns:
            fill("all_col_privs_recd", (account, owns, table, "C", owns, name))
        for table in self.own:
            fill("user_tables", (table,))
        tables = [row[0] for row in sqlite.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'")]
        sizes = dict(self.sizes or {})
        for table in tables:
            known = sizes.get(table.upper(), -1)
            rows = sqlite.execute(f'SELECT count(*) FROM main."{table}"').fetchone()[0] if known == -1 else known
            fill("all_tables", (owner, table.upper(), rows))


def explain(name: str, query: str, run: Callable[[str], sqlite3.Cursor], owner: str = "UNS50") -> Iterator[tuple]:
    """The steps of SQLite's plan, in Oracle's words: rows of PLAN_TABLE."""
    tables = {alias.lower(): table for table, alias in _ALIAS.findall(query) if alias}
    sqlites = re.sub(r"\bDATE\s+'", "'", query)
    for number, row in enumerate(run(f"EXPLAIN QUERY PLAN {sqlites}").fetchall()):
        if found := _STEP.match(row[3]):
            how, alias = found.groups()
            table = tables.get(alias.lower(), alias).upper()
            yield (name, number, "TABLE ACCESS", "FULL" if how == "SCAN" else "BY INDEX ROWID", owner, table)
