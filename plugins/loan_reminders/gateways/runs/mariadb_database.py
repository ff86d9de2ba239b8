"""An ILS whose database is MariaDB or MySQL, through PyMySQL."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING, Any

from loan_reminders.domain.errors import IlsRejected, IlsUnavailable
from loan_reminders.gateways.runs.binds import percent_binds
from loan_reminders.gateways.runs.ils_database import Engine, Executed, IlsDatabase
from loan_reminders.gateways.runs.mariadb_errors import ils_error
from loan_reminders.gateways.runs.text_bytes import TextReader

if TYPE_CHECKING:
    from pymysql.connections import Connection

log = logging.getLogger(__name__)

_LOCKING_TABLES = """
    SELECT COUNT(*), COALESCE(SUM(engine IS NULL OR engine <> 'InnoDB'), 0)
      FROM information_schema.tables
     WHERE table_schema NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys')
"""
_UNKNOWN_VARIABLE = 1193
_UNKNOWN_ZONE = 1298
_OLDEST = {True: (10, 0), False: (5, 6)}
"""The first MariaDB and the first MySQL with read-only transactions."""
_SLOW_READER_SECONDS = 600
"""How long the server waits for us to fetch more: in between, rows are written to the ledger."""
_BEFORE_TEN = "5.5.5-"
"""MariaDB from 10 on tells its version behind this one, for clients that know no two-digit versions."""


class MariaDbDatabase(IlsDatabase):
    """Sessions of MariaDB and MySQL: read only, one snapshot (REPEATABLE READ).

    Rows are left on the server until they are fetched, where all tables that the account sees are of InnoDB. MyISAM and
    Aria lock a table against the circulation desk until the last row is sent (MariaDB 10.11 does so even with
    SQL_BUFFER_RESULT), and nobody sees what is behind a view: of such a base the answer is taken whole, at once.

    `connect` opens a connection of PyMySQL, with a read time-out of its own. `zone` is the library's, for TIMESTAMP
    columns; a server without the table of time zones keeps its own, which is usually the same. `call_timeout_ms` bounds
    each statement on the server, `array_size` is the number of rows of a fetch.
    """

    engine = Engine.MARIADB

    def __init__(
        self,
        connect: Callable[[], Connection[Any]],
        *,
        zone: tzinfo | None = None,
        call_timeout_ms: int = 60_000,
        array_size: int = 1000,
    ) -> None:
        self._open = connect
        self._zone = zone
        self._call_timeout_ms = call_timeout_ms
        self._array_size = array_size
        self._locks_nobody_out = False

    def _connect(self) -> Connection[Any]:
        return self._open()

    def _prepare(self, connection: Connection[Any], text: TextReader) -> None:
        version = self._version(connection)
        mariadb = "mariadb" in version.lower()
        check_age(version, mariadb=mariadb)
        time_out = (
            f"max_statement_time = {self._call_timeout_ms / 1000:g}"  # seconds
            if mariadb
            else f"max_execution_time = {self._call_timeout_ms}"  # milliseconds, of a SELECT
        )
        with connection.cursor() as cursor:
            cursor.execute(f"SET SESSION net_write_timeout = {_SLOW_READER_SECONDS}")
            _set_if_known(cursor, time_out, unless=_UNKNOWN_VARIABLE)  # an old server; the read time-out remains
            zone = getattr(self._zone, "key", None)
            if zone and not _set_if_known(cursor, "time_zone = %s", zone, unless=_UNKNOWN_ZONE):
                log.info("Le serveur du SIGB ne connaît pas le fuseau %s : il garde le sien", zone)
            # of this session, whatever ends the transaction; then the one that is read in
            cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("START TRANSACTION READ ONLY")
            cursor.execute(_LOCKING_TABLES)
            tables, locking = cursor.fetchone() or (0, 0)
        self._locks_nobody_out = bool(tables) and not locking

    def _version(self, connection: Connection[Any]) -> str:
        version = str(connection.get_server_info())  # type: ignore[no-untyped-call]
        return version.removeprefix(_BEFORE_TEN)

    def execute(self, connection: Connection[Any], sql: str, binds: Mapping[str, object]) -> Executed:
        """Run a statement, its rows left on the server where that locks nobody out."""
        from pymysql.cursors import Cursor, SSCursor

        cursor = connection.cursor(SSCursor if self._locks_nobody_out else Cursor)
        cursor.execute(percent_binds(sql), dict(binds))
        columns = [column[0] for column in cursor.description or ()]

        def fetchmany() -> Sequence[Sequence[Any]]:
            try:
                return cursor.fetchmany(self._array_size) if columns else ()
            finally:
                if not connection.open:
                    _expect_no_more(cursor)

        return Executed(columns=columns, fetchmany=fetchmany, close=cursor.close)

    def _driver_errors(self) -> tuple[type[Exception], ...]:
        import pymysql

        return (pymysql.Error,)

    def _error(self, error: Exception, doing: str) -> IlsUnavailable | IlsRejected:
        return ils_error(error, doing)


def _expect_no_more(cursor: Any) -> None:
    """Keep the driver (PyMySQL 1.2) from reading the rest of an answer from a connection that broke on the way."""
    if (result := getattr(cursor, "_result", None)) is not None:
        result.unbuffered_active = False


def _set_if_known(cursor: Any, setting: str, *values: object, unless: int) -> bool:
    """Set what some servers do not know; whether this one does."""
    import pymysql

    try:
        cursor.execute(f"SET SESSION {setting}", values or None)
    except pymysql.Error as error:
        if error.args[:1] != (unless,):
            raise
        return False
    return True


def check_age(version: str, *, mariadb: bool) -> None:
    """Raises IlsRejected for a server that cannot forbid to write while it is read."""
    numbers = re.match(r"(\d+)\.(\d+)", version)
    if numbers and (int(numbers[1]), int(numbers[2])) < _OLDEST[mariadb]:
        raise IlsRejected(
            f"Le serveur du SIGB est trop ancien ({version}) : il ne sait pas interdire d'écrire pendant la lecture."
            " Il faut MariaDB 10.0 ou MySQL 5.6 au moins."
        )
