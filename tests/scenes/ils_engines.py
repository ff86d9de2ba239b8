"""The same open loans in a database of each engine, and the gateway on them; how the engines differ is said here."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from zoneinfo import ZoneInfo

from loan_reminders.domain.runs.extraction import COLUMNS, CodeMapping
from loan_reminders.gateways.runs.ils_database import Engine, IlsDatabase
from loan_reminders.gateways.runs.loan_source import IlsLoanSource

if TYPE_CHECKING:
    from tests.simulators.mariadb import MariaDb
    from tests.simulators.oracle_server import OracleServer
    from tests.simulators.postgres import EmbeddedPostgres

DUE = date(2026, 3, 3)
TODAY = date(2026, 3, 1)
ZONE = ZoneInfo("Europe/Paris")
CODES = CodeMapping(zone=ZONE)
ACCOUNT, PASSWORD = "compte_qui_lit", "mot-de-passe-€"
SQL = f"SELECT {', '.join(COLUMNS)}\n  FROM open_loans\n WHERE due_ymd = :due_ymd -- l'échéance\n ORDER BY loan_key"
NOW_SQL = "SELECT due_date FROM open_loans WHERE loan_key = :loan_key"
KEYS = tuple(f"{number:03d}" for number in range(1, 41))
_TYPES = {"loan_date": "{moment}", "due_date": "{moment}", "renewal_count": "INTEGER"}
TABLE = (
    "CREATE TABLE open_loans (due_ymd INTEGER, "
    + ", ".join(f"{column} {_TYPES.get(column, 'VARCHAR(250)')}" for column in COLUMNS)
    + ")"
)
_VALUES = {
    "loan_date": "'2026-02-10 09:30:00'",
    "due_date": "'2026-03-03 23:59:00'",
    "renewal_count": "1",
    "patron_id": "'L-{key}'",
    "last_name": "'Dupont'",
    "first_name": "'Zoé'",
    "email": "'zoe.dupont{key}@etu.example.org'",
    "title": "'L''été à 100 % : « {key} »'",
    "branch": "'BUDRT'",
}


def loans(*keys: str, **changes: str) -> str:
    """The INSERT of some loans; `changes` are SQL expressions."""
    values = {**_VALUES, "loan_key": "'{key}'", "due_ymd": "20260303", **changes}
    written = ", ".join(f"({', '.join(value.format(key=key) for value in values.values())})" for key in keys)
    return f"INSERT INTO open_loans ({', '.join(values)}) VALUES {written}"


FORTY = ("DELETE FROM open_loans", loans(*KEYS))


class IlsAtHand(Protocol):
    """A server of one engine that holds `open_loans`, and an account that reads it."""

    engine: Engine

    def database(self, **options: Any) -> IlsDatabase:
        """The gateway; `options` are those of its class."""
        ...

    def execute(self, *statements: str) -> None:
        """Run statements as the owner of the tables."""
        ...

    def count(self, table: str = "open_loans") -> int:
        """The rows of a table."""
        ...

    def sessions(self) -> int:
        """Connections of the account that are open now."""
        ...


def source(ils: IlsAtHand, *, sql: str = SQL, now_sql: str = NOW_SQL, **options: Any) -> IlsLoanSource:
    """The loans of a server."""
    return IlsLoanSource(ils.database(**options), sql=sql, now_sql=now_sql, binds={}, codes=CODES)


def read(ils: IlsAtHand, *, sql: str = SQL, **options: Any) -> list[Any]:
    """Every row of the day."""
    return list(source(ils, sql=sql, **options).loans_due(DUE, today=TODAY))


def ask(ils: IlsAtHand, sql: str, **options: Any) -> list[Any]:
    """All rows of one statement."""
    with ils.database(**options).session() as session:
        answer = session.execute(sql)
        found: list[Any] = []
        while rows := answer.fetchmany():
            found += rows
        return found


def assert_no_session_left(ils: IlsAtHand) -> None:
    deadline = time.monotonic() + 10
    while ils.sessions() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert ils.sessions() == 0


class OracleAtHand:
    """Oracle's wire, over SQLite."""

    engine = Engine.ORACLE

    def __init__(self, server: OracleServer, path: Path) -> None:
        self.server, self.path = server, path

    def database(self, **options: Any) -> IlsDatabase:
        import oracledb

        from loan_reminders.gateways.runs.oracle_database import OracleDatabase

        server = self.server
        return OracleDatabase(
            lambda: oracledb.connect(user=server.user, password=server.password, dsn=server.dsn), **options
        )

    def execute(self, *statements: str) -> None:
        with closing(sqlite3.connect(self.path)) as connection, connection:
            for statement in statements:
                connection.execute(statement)

    def count(self, table: str = "open_loans") -> int:
        with closing(sqlite3.connect(self.path)) as connection:
            (number,) = connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()
        return int(number)

    def sessions(self) -> int:
        return self.server.sessions


class PostgresAtHand:
    """A real PostgreSQL."""

    engine = Engine.POSTGRESQL

    def __init__(self, server: EmbeddedPostgres, name: str) -> None:
        self.server, self.name = server, name

    def database(self, *, user: str = ACCOUNT, database: str = "", libpq: Any = None, **options: Any) -> IlsDatabase:
        import psycopg

        from loan_reminders.gateways.runs.postgres_database import PostgresDatabase

        url = self.server.url(database or self.name, user=user)
        return PostgresDatabase(lambda: psycopg.connect(url, **(libpq or {})), **{"zone": ZONE, **options})

    def execute(self, *statements: str) -> None:
        import psycopg

        with psycopg.connect(self.server.url(self.name), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def count(self, table: str = "open_loans") -> int:
        return int(self.server.execute(f"SELECT COUNT(*) FROM {table}", database=self.name)[0][0])

    def sessions(self) -> int:
        return len(self.processes())

    def processes(self) -> list[int]:
        """The servers' processes of the account."""
        rows = self.server.execute(f"SELECT pid FROM pg_stat_activity WHERE usename = '{ACCOUNT}'")
        return [pid for (pid,) in rows]


class MariaDbAtHand:
    """A real MariaDB."""

    engine = Engine.MARIADB

    def __init__(self, server: MariaDb, name: str) -> None:
        self.server, self.name = server, name

    def database(self, *, user: str = ACCOUNT, password: str = PASSWORD, **options: Any) -> IlsDatabase:
        from loan_reminders.gateways.runs.mariadb_connection import connect
        from loan_reminders.gateways.runs.mariadb_database import MariaDbDatabase

        database, extra = options.pop("database", self.name), options.pop("extra", {})
        patience = options.pop("patience_ms", 60_000)
        return MariaDbDatabase(
            lambda: connect(
                host=self.server.host,
                port=self.server.port,
                login=user,
                password=password,
                database=database,
                extra=extra,
                call_timeout_ms=patience,
            ),
            **{"zone": ZONE, **options},
        )

    def execute(self, *statements: str) -> None:
        self.server.execute("SET SESSION sql_mode = '', lock_wait_timeout = 20", *statements, database=self.name)

    def count(self, table: str = "open_loans") -> int:
        return int(self.server.execute(f"SELECT COUNT(*) FROM {table}", database=self.name)[0][0])

    def sessions(self) -> int:
        return len(self.server.sessions(ACCOUNT))


@contextmanager
def oracle_at_hand(folder: Path) -> Iterator[OracleAtHand]:
    """Started for one test: it costs nothing."""
    from tests.simulators.oracle_backend import DATE, NUMBER
    from tests.simulators.oracle_server import OracleServer

    path = folder / "ils.db"
    types = {"loan_date": DATE, "due_date": DATE, "renewal_count": NUMBER, "place": NUMBER}
    with OracleServer(path, types=types) as server:
        made = OracleAtHand(server, path)
        made.execute(TABLE.format(moment="TIMESTAMP"), *FORTY)
        yield made


@contextmanager
def postgres_at_hand(server: EmbeddedPostgres) -> Iterator[PostgresAtHand]:
    """A database of its own, with moments that know their zone, and no loan yet."""
    made = PostgresAtHand(server, server.create_database())
    server.execute(f"CREATE ROLE {ACCOUNT} LOGIN")
    server.execute(f"ALTER DATABASE {made.name} SET timezone = 'Europe/Paris'")
    made.execute(TABLE.format(moment="TIMESTAMPTZ"), f"GRANT SELECT ON open_loans TO {ACCOUNT}")
    yield made
    server.drop_database(made.name)
    server.execute(f"DROP ROLE {ACCOUNT}")


@contextmanager
def mariadb_at_hand(server: MariaDb) -> Iterator[MariaDbAtHand]:
    """A database of its own, and no loan yet."""
    made = MariaDbAtHand(server, server.create_database())
    made.execute(
        TABLE.format(moment="DATETIME"),
        f"CREATE OR REPLACE USER {ACCOUNT}@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'",
        f"GRANT SELECT ON {made.name}.* TO {ACCOUNT}@'127.0.0.1'",
    )
    yield made
    server.drop_database(made.name)
    server.execute(f"DROP USER IF EXISTS {ACCOUNT}@'127.0.0.1'")
