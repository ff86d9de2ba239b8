"""An ILS whose database is PostgreSQL, through psycopg 3."""

from __future__ import annotations

import os
import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import tzinfo
from itertools import count
from typing import TYPE_CHECKING, Any

from loan_reminders.domain.errors import IlsRejected, IlsUnavailable
from loan_reminders.gateways.runs.binds import percent_binds
from loan_reminders.gateways.runs.ils_database import MODULE, NO_BINDS, Engine, Executed, IlsDatabase
from loan_reminders.gateways.runs.postgres_errors import ils_error
from loan_reminders.gateways.runs.text_bytes import TextReader

if TYPE_CHECKING:
    from psycopg import Connection, Cursor

PATIENCE_SECONDS = 5
"""How much longer than the server's own time-out an answer is waited for, before the connection is cut on our side."""
_QUERY = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/|\()*(?:SELECT|WITH|VALUES|TABLE)\b", re.DOTALL | re.IGNORECASE)


class PostgresDatabase(IlsDatabase):
    """Sessions of PostgreSQL: read only, one snapshot (REPEATABLE READ), rows left on the server until fetched.

    `connect` opens a connection of psycopg 3. `zone` is the library's: moments come in it, dates are compared in it.
    `call_timeout_ms` bounds each wait for the server, `array_size` is the number of rows a round trip brings.
    Dates that Python has not (infinity, before Christ, after 9999) come as the server's text for them.
    """

    engine = Engine.POSTGRESQL

    def __init__(
        self,
        connect: Callable[[], Connection],
        *,
        zone: tzinfo | None = None,
        call_timeout_ms: int = 60_000,
        array_size: int = 1000,
    ) -> None:
        self._open = connect
        self._zone = zone
        self._call_timeout_ms = call_timeout_ms
        self._array_size = array_size
        self._numbers = count(1)

    def _connect(self) -> Connection:
        return self._open()

    def _prepare(self, connection: Connection, text: TextReader) -> None:
        from psycopg import IsolationLevel

        connection.autocommit = False
        connection.read_only = True
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.prepare_threshold = None  # behind a pooler, a prepared statement may be on another server session
        _take_dates_as_text(connection)
        settings = {
            "statement_timeout": str(self._call_timeout_ms),
            "default_transaction_read_only": "on",
            "application_name": MODULE,
            "datestyle": "ISO",
            "cursor_tuple_fraction": "1",  # all rows are wanted, not the first ones soon
        }
        if zone := getattr(self._zone, "key", None):
            settings["timezone"] = zone
        if connection.info.parameter_status("server_encoding") == "SQL_ASCII":
            settings["client_encoding"] = "SQL_ASCII"  # such a base takes any bytes for text; they come as bytes
        asked = ", ".join(f"set_config('{name}', %({name})s, false)" for name in settings)
        self._run(connection, f"SELECT {asked}".encode(), settings)

    def _version(self, connection: Connection) -> str:
        return connection.info.parameter_status("server_version") or ""

    def execute(self, connection: Connection, sql: str, binds: Mapping[str, object]) -> Executed:
        """Run a statement, a query as a cursor of the server's.

        The cursor is declared here: the driver's own class for it takes no accent in a statement where the base has no
        encoding.
        """
        written = percent_binds(sql).encode()
        if not _QUERY.match(sql):
            plain = self._run(connection, written, binds)
            return Executed(columns=_names(plain), fetchmany=_all_at_once(plain), close=plain.close)
        name = f"{MODULE}_{next(self._numbers)}"
        self._run(connection, f"DECLARE {name} NO SCROLL CURSOR FOR ".encode() + written, binds)
        fetch = f"FETCH FORWARD {self._array_size} FROM {name}".encode()
        first = self._run(connection, fetch)
        waiting = [first.fetchall()]

        def fetchmany() -> list[tuple[Any, ...]]:
            return waiting.pop() if waiting else self._run(connection, fetch).fetchall()

        return Executed(
            columns=_names(first),
            fetchmany=fetchmany,
            close=lambda: self._run(connection, f"CLOSE {name}".encode()),
        )

    def _run(self, connection: Connection, sql: bytes, binds: Mapping[str, object] = NO_BINDS) -> Cursor[Any]:
        from psycopg.rows import tuple_row

        cursor = connection.cursor(row_factory=tuple_row)
        with self._cut_in_time(connection):
            return cursor.execute(sql, binds)

    def _driver_errors(self) -> tuple[type[Exception], ...]:
        import psycopg

        return (psycopg.Error, UnicodeError)

    def _error(self, error: Exception, doing: str) -> IlsUnavailable | IlsRejected:
        return ils_error(error, doing)

    @contextmanager
    def _cut_in_time(self, connection: Connection) -> Iterator[None]:
        """Cut the connection when the server does not even keep its own time-out: it hangs, or is off the network."""
        import psycopg

        patience = threading.Event()
        with socket.socket(fileno=os.dup(connection.fileno())) as wire:

            def cut() -> None:
                patience.set()
                with suppress(OSError):
                    wire.shutdown(socket.SHUT_RDWR)

            watch = threading.Timer(self._call_timeout_ms / 1000 + PATIENCE_SECONDS, cut)
            watch.daemon = True
            watch.start()
            try:
                yield
            except psycopg.Error:
                if patience.is_set():
                    raise psycopg.errors.ConnectionTimeout from None
                raise
            finally:
                watch.cancel()


def _names(cursor: Cursor[Any]) -> list[str]:
    return [column.name for column in cursor.description or ()]


def _all_at_once(cursor: Cursor[Any]) -> Callable[[], list[tuple[Any, ...]]]:
    waiting = [cursor.fetchall()] if cursor.description else []
    return lambda: waiting.pop() if waiting else []


def _take_dates_as_text(connection: Connection) -> None:
    """Have what Python cannot hold as a date come as text: the driver would lose all rows fetched with it."""
    from psycopg import DataError
    from psycopg.types.datetime import DateLoader, TimestampLoader, TimestamptzLoader

    def lenient(loader: Any) -> Any:
        class Lenient(loader):  # type: ignore[misc]
            def load(self, data: Any) -> Any:
                try:
                    return super().load(data)
                except DataError:
                    return bytes(data).decode("ascii", "replace")

        return Lenient

    for name, loader in (("date", DateLoader), ("timestamp", TimestampLoader), ("timestamptz", TimestamptzLoader)):
        connection.adapters.register_loader(name, lenient(loader))
