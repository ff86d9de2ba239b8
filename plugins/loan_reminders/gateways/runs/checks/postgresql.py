"""What PostgreSQL says of the account and of the plan. Source: PostgreSQL documentation, system catalogs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from loan_reminders.domain.ports.ils_check import Account, WholeRead
from loan_reminders.gateways.runs.checks.inspection import Inspection, all_rows

_ACCOUNT = """
SELECT rolname, rolvaliduntil, rolsuper, rolcreaterole, rolcreatedb, rolreplication
  FROM pg_roles
 WHERE rolname = current_user
"""
_POWERS = {
    "rolsuper": "l'attribut SUPERUSER",
    "rolcreaterole": "l'attribut CREATEROLE",
    "rolcreatedb": "l'attribut CREATEDB",
    "rolreplication": "l'attribut REPLICATION",
}
_TABLES = """
SELECT n.nspname AS in_schema, c.relname AS table_name, p.privilege
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
 CROSS JOIN (VALUES ('INSERT'), ('UPDATE'), ('DELETE'), ('TRUNCATE')) p (privilege)
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
   AND n.nspname <> 'information_schema'
   AND substr(n.nspname, 1, 3) <> 'pg_'
   AND CASE WHEN p.privilege IN ('INSERT', 'UPDATE') THEN has_any_column_privilege(c.oid, p.privilege)
            ELSE has_table_privilege(c.oid, p.privilege) END
 ORDER BY n.nspname, c.relname, p.privilege
"""
_SCHEMAS = """
SELECT nspname
  FROM pg_namespace
 WHERE substr(nspname, 1, 3) <> 'pg_' AND has_schema_privilege(oid, 'CREATE')
 ORDER BY nspname
"""
_DATABASE = "SELECT current_database() AS base WHERE has_database_privilege(current_database(), 'CREATE')"
_SIZE = "SELECT max(reltuples) AS estimate FROM pg_class WHERE relname = :table_name AND relkind IN ('r', 'p', 'm')"


class PostgresInspection(Inspection):
    """PostgreSQL asked about itself, by catalogs that every account may read."""

    def version(self) -> str:
        """The version that the server tells when the session is opened."""
        return f"PostgreSQL {super().version()}"

    def account(self) -> Account:
        """PG_ROLES about the account itself; `infinity` is no end."""
        (row,) = self._ask(_ACCOUNT)
        expires = row["rolvaliduntil"]
        return Account(name=row["rolname"], expires=expires.date() if isinstance(expires, datetime) else None)

    def could_write(self) -> Sequence[str]:
        """Attributes of the role; privileges on tables, their columns, schemas and the database, through roles too."""
        (row,), tables, schemas, databases = self._ask_each(_ACCOUNT, _TABLES, _SCHEMAS, _DATABASE)
        found = [words for power, words in _POWERS.items() if row[power]]
        if row["rolsuper"]:
            return tuple(found)  # and so everything else
        found += [f"{one['privilege']} sur {one['in_schema']}.{one['table_name']}" for one in tables]
        found += [f"CREATE dans le schéma {one['nspname']}" for one in schemas]
        found += [f"CREATE dans la base {one['base']}" for one in databases]
        return tuple(found)

    def whole_reads(self, due_date: date, *, today: date) -> Sequence[WholeRead]:
        """EXPLAIN, which runs nothing: its sequential scans."""
        with self._database.session() as session:
            (row,) = all_rows(session, f"EXPLAIN (FORMAT JSON) {self._sql}", self._values(due_date, today))
            (plan,) = row.values()
            tables = dict.fromkeys(_scanned(json.loads(plan) if isinstance(plan, str) else plan))
            sizes = {table: all_rows(session, _SIZE, {"table_name": table})[0]["estimate"] for table in tables}
        return tuple(
            WholeRead(table=table, rows=None if size is None or size < 0 else int(size))
            for table, size in sizes.items()
        )


def _scanned(plan: Any) -> Iterator[str]:
    """The tables of every sequential scan, wherever it is in the tree."""
    if isinstance(plan, Mapping):
        if plan.get("Node Type") == "Seq Scan":
            yield plan["Relation Name"]
        for part in plan.values():
            yield from _scanned(part)
    elif isinstance(plan, list):
        for part in plan:
            yield from _scanned(part)
