"""An ILS whose database is Oracle, through python-oracledb."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from loan_reminders.domain.errors import IlsRejected, IlsUnavailable
from loan_reminders.gateways.runs.ils_database import ACTION, MODULE, Engine, IlsDatabase
from loan_reminders.gateways.runs.oracle_errors import ils_error

if TYPE_CHECKING:
    from oracledb import Connection, Cursor


class OracleDatabase(IlsDatabase):
    """Sessions of Oracle.

    `connect` opens a connection of python-oracledb. `call_timeout_ms` bounds each wait for the server, `array_size` is
    the number of rows a round trip brings.
    """

    engine = Engine.ORACLE

    def __init__(
        self, connect: Callable[[], Connection], *, call_timeout_ms: int = 60_000, array_size: int = 1000
    ) -> None:
        self._open = connect
        self._call_timeout_ms = call_timeout_ms
        self._array_size = array_size

    def _connect(self) -> Connection:
        return self._open()

    def _prepare(self, connection: Connection) -> None:
        connection.call_timeout = self._call_timeout_ms
        connection.module = MODULE
        connection.action = ACTION
        connection.outputtypehandler = _lenient_text
        connection.cursor().execute("SET TRANSACTION READ ONLY")

    def _version(self, connection: Connection) -> str:
        return str(connection.version)

    def _execute(
        self, connection: Connection, sql: str, binds: Mapping[str, object]
    ) -> tuple[Sequence[str], Callable[[], Sequence[Sequence[Any]]]]:
        cursor = connection.cursor()
        cursor.arraysize = self._array_size
        cursor.prefetchrows = self._array_size + 1
        cursor.execute(sql, dict(binds), fetch_lobs=False, fetch_decimals=False)
        return [column[0] for column in cursor.description or ()], cursor.fetchmany

    def _driver_errors(self) -> tuple[type[Exception], ...]:
        import oracledb

        return (oracledb.Error,)

    def _error(self, error: Exception, doing: str) -> IlsUnavailable | IlsRejected:
        return ils_error(error, doing)


def _lenient_text(cursor: Cursor, metadata: Any) -> Any:
    """Read text that is not valid UTF-8 with a replacement character, so that one bad title stops nobody."""
    import oracledb

    if metadata.type_code in (oracledb.DB_TYPE_VARCHAR, oracledb.DB_TYPE_CHAR):
        rows = cursor.arraysize + cursor.prefetchrows
        return cursor.var(metadata.type_code, metadata.internal_size or 1, arraysize=rows, encoding_errors="replace")
    return None
