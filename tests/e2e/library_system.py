"""The fictional library on another system's own server, for `make demo ILS=koha`."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import ExitStack
from datetime import date
from typing import Any

import psycopg

from sql.demo.generator import make_library
from sql.demo.systems.koha import koha_tables
from sql.demo.systems.pmb import pmb_tables
from sql.demo.systems.sierra import sierra_tables
from sql.demo.systems.tables import Tables, create, fill
from tests.simulators import mariadb
from tests.simulators.postgres import EmbeddedPostgres

LOGIN = "relances"
TABLES: dict[str, Callable[..., Tables]] = {"koha": koha_tables, "sierra": sierra_tables, "pmb": pmb_tables}
BY_HAND = "SET SESSION sql_mode = 'STRICT_ALL_TABLES,ALLOW_INVALID_DATES'"
"""The fictional library holds days that no calendar has."""


def serve_library(stack: ExitStack, kind: str, *, today: date, postgres: EmbeddedPostgres, zone: str) -> dict[str, Any]:
    """Fill a server with the library in this system's tables; the Airflow connection of an account that only reads.

    The server lives as long as the stack. Raises SystemExit with a plain sentence where MariaDB is missing.
    """
    tables = TABLES[kind](make_library(today=today), today=today)
    if kind == "sierra":
        return _on_postgres(postgres, tables, zone)
    if not mariadb.available():
        raise SystemExit(mariadb.MISSING)
    return _on_mariadb(stack.enter_context(mariadb.MariaDb()), kind, tables)


def _on_mariadb(server: mariadb.MariaDb, kind: str, tables: Tables) -> dict[str, Any]:
    password = secrets.token_hex(8)
    name = server.create_database(kind, options="CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")
    with server.connect(name) as connection:
        connection.cursor().execute(BY_HAND)
        create(connection, kind)
        fill(connection, tables)
    server.execute(
        f"CREATE USER {LOGIN}@'%' IDENTIFIED BY '{password}'",
        f"GRANT SELECT ON {name}.* TO {LOGIN}@'%'",
    )
    return {
        "conn_type": "mysql", "host": server.host, "port": server.port, "login": LOGIN, "password": password,
        "schema": name,
    }  # fmt: skip


def _on_postgres(server: EmbeddedPostgres, tables: Tables, zone: str) -> dict[str, Any]:
    known = {name for (name,) in server.execute("SELECT datname FROM pg_database")}
    if "iii" in known:
        server.drop_database("iii")
    name = server.create_database("iii")
    with psycopg.connect(server.url(name), options=f"-c timezone={zone}") as connection:
        create(connection, "sierra")
        fill(connection, tables)
        connection.execute(f"DROP ROLE IF EXISTS {LOGIN}".encode())
        for statement in (
            f"CREATE ROLE {LOGIN} LOGIN",
            f"GRANT USAGE ON SCHEMA sierra_view TO {LOGIN}",
            f"GRANT SELECT ON ALL TABLES IN SCHEMA sierra_view TO {LOGIN}",
        ):
            connection.execute(statement.encode())
    return {"conn_type": "postgres", "login": LOGIN, "schema": name, "extra": {"host": str(server.socket_folder)}}
