"""An ILS whose database is Oracle, through python-oracledb."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from loan_reminders.domain.errors import IlsRejected, IlsUnavailable
from loan_reminders.gateways.runs.ils_database import ACTION, MODULE, Engine, Executed, IlsDatabase
from loan_reminders.gateways.runs.oracle_errors import ils_error
from loan_reminders.gateways.runs.text_bytes import TextReader

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

    def _prepare(self, connection: Connection, text: TextReader) -> None:
        connection.call_timeout = self._call_timeout_ms
        connection.module = MODULE
        connection.action = ACTION
        connection.outputtypehandler = _reading(text)
        connection.cursor().execute("SET TRANSACTION READ ONLY")

    def _version(self, connection: Connection) -> str:
        return str(connection.version)

    def execute(self, connection: Connection, sql: str, binds: Mapping[str, object]) -> Executed:
        """Run a statement, its first rows coming with the answer."""
        cursor = connection.cursor()
        cursor.arraysize = self._array_size
        cursor.prefetchrows = self._array_size + 1
        cursor.execute(sql, dict(binds), fetch_lobs=False, fetch_decimals=False)
        columns = [column[0] for column in cursor.description or ()]
        return Executed(columns=columns, fetchmany=cursor.fetchmany, close=cursor.close)

    def _driver_errors(self) -> tuple[type[Exception], ...]:
        import oracledb

        return (oracledb.Error,)

    def _error(self, error: Exception, doing: str) -> IlsUnavailable | IlsRejected:
        return ils_error(error, doing)


def _reading(text: TextReader) -> Callable[[Cursor, Any], Any]:
    """Take text as the bytes it is, so that one bad title stops nobody: the driver refuses what is not UTF-8."""
    import oracledb

    def as_bytes(cursor: Cursor, metadata: Any) -> Any:
        if metadata.type_code in (oracledb.DB_TYPE_VARCHAR, oracledb.DB_TYPE_CHAR):
            rows = cursor.arraysize + cursor.prefetchrows
            size = metadata.internal_size or 1
            return cursor.var(metadata.type_code, size, arraysize=rows, bypass_decode=True, outconverter=text)
        return None

    return as_bytes
