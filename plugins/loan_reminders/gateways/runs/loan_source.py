"""Loans from an ILS whose database is Oracle, read by one SELECT through python-oracledb."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from loan_reminders.domain.errors import RETRIED, IlsRejected, IlsUnavailable, RowError
from loan_reminders.domain.loans import Loan, RejectedRow
from loan_reminders.domain.runs.cells import read_day
from loan_reminders.domain.runs.extraction import (
    COLUMNS,
    CodeMapping,
    loan_id_of,
    loan_key_and_number,
    parse_row,
    reject,
)
from loan_reminders.gateways.runs.oracle_errors import ils_error

if TYPE_CHECKING:
    from oracledb import Connection, Cursor

MODULE = "loan_reminders"
ACTION = "loans_due"
_CONNECTING, _ASKING, _READING = "Connexion au SIGB", "Requête au SIGB", "Lecture du SIGB"
LOANS_AT_ONCE = (1, 8, 64)
"""How many loans one question of `due_dates_now` may be about."""
_QUOTED_COMMENT_OR_BIND = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/|(?<!:):([A-Za-z]\w*)", re.DOTALL)


def bind_names(sql: str) -> frozenset[str]:
    """The binds a statement names, in lower case; those in quotes and comments do not count."""
    return frozenset(match[1].lower() for match in _QUOTED_COMMENT_OR_BIND.finditer(sql) if match[1])


def together(now_sql: str, loan_ids: Sequence[str]) -> tuple[str, dict[str, object]]:
    """One statement that asks `now_sql` about several loans, and its binds; each row has a loan's place and its date.

    The statement stays the site's own, each time with binds of its own names. It comes in a few lengths only, so that
    the server keeps its plans: places beyond the last loan ask about no loan.
    """
    size = next(size for size in LOANS_AT_ONCE if size >= len(loan_ids))
    offered: dict[str, object] = {}
    for place in range(size):
        loan_id = loan_ids[place] if place < len(loan_ids) else ""
        offered[f"loan_key_{place}"], offered[f"loan_number_{place}"] = loan_key_and_number(loan_id)
    parts = [
        f"SELECT {place} AS place, loan_now.* FROM (\n{_numbered(now_sql, place)}\n) loan_now"  # noqa: S608 - the site's own
        for place in range(size)
    ]
    return "\nUNION ALL\n".join(parts), offered


def _numbered(now_sql: str, place: int) -> str:
    def named(found: re.Match[str]) -> str:
        ours = found[1] and found[1].lower() in ("loan_key", "loan_number")
        return f"{found[0]}_{place}" if ours else found[0]

    return _QUOTED_COMMENT_OR_BIND.sub(named, now_sql)


class OracleLoanSource:
    """The ILS's open loans of a due date, streamed inside one read-only transaction.

    `connect` opens a connection of python-oracledb. `sql` returns the columns of the extraction contract; `now_sql`
    the present due date of one open loan, named by the binds `loan_key` and `loan_number`; many are asked at once by
    putting it together as often as there are loans.
    Of the days, the statement may name as binds `due_ymd` and `today_ymd` (numbers YYYYMMDD), `due_from` and
    `due_to` (the due date and the day after it, at midnight), and `now_ts` (today, at midnight); `binds` holds
    the site's own, such as library codes. `call_timeout_ms` bounds each wait for the server, `array_size` is the
    number of rows a round trip brings.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        *,
        sql: str,
        now_sql: str,
        binds: Mapping[str, str | int],
        codes: CodeMapping,
        call_timeout_ms: int = 60_000,
        array_size: int = 1000,
    ) -> None:
        self._connect = connect
        self._sql = sql
        self._now_sql = now_sql
        self._binds = {name.lower(): value for name, value in binds.items()}
        self._codes = codes
        self._call_timeout_ms = call_timeout_ms
        self._array_size = array_size

    def loans_due(self, due_date: date, *, today: date) -> Generator[Loan | RejectedRow]:
        """Stream every open loan of one due date; a row that cannot be read comes as RejectedRow.

        The connection is rolled back and closed when the stream ends, fails or is abandoned.
        Raises IlsUnavailable (network, restart, time-out: retry) or IlsRejected (account, table, column, statement).
        """
        with closing(self._rows(due_date, today)) as rows:
            for row in rows:
                yield self._read(row)

    def loan_ids_due(self, due_date: date, *, today: date) -> Generator[str]:
        """The ids alone of the same loans, rows that cannot be read included. Raises like `loans_due`."""
        with closing(self._rows(due_date, today)) as rows:
            for row in rows:
                yield loan_id_of(row)

    def _rows(self, due_date: date, today: date) -> Generator[Mapping[str, object]]:
        binds = self._values(due_date, today)
        with self._session() as execute:
            cursor = execute(self._sql, binds)
            names = _column_names(cursor)
            while rows := self._guarded(_READING, cursor.fetchmany):
                for values in rows:
                    yield dict(zip(names, values, strict=True))

    def due_dates_now(self, loan_ids: Sequence[str]) -> Mapping[str, date]:
        """The present due date of each of these loans that is still open, up to 64 loans a question.

        A loan returned since, or whose date cannot be read, is not in the answer. Raises like `loans_due`.
        """
        found: dict[str, date] = {}
        asked = list(dict.fromkeys(loan_ids))
        if not asked:
            return found
        with self._session() as execute:
            for first in range(0, len(asked), LOANS_AT_ONCE[-1]):
                some = asked[first : first + LOANS_AT_ONCE[-1]]
                statement, offered = together(self._now_sql, some)
                cursor = execute(statement, self._named(statement, {**self._binds, **offered}))
                while rows := self._guarded(_READING, cursor.fetchmany):
                    for place, value in rows:
                        with suppress(RowError):
                            found.setdefault(some[int(place)], read_day(value, "due_date", zone=self._codes.zone))
        return found

    @contextmanager
    def _session(self) -> Iterator[Callable[[str, dict[str, object]], Cursor]]:
        """One connection and one read-only transaction, always rolled back and closed; yields what runs a statement."""
        connection = self._guarded(_CONNECTING, self._connect)
        try:
            self._guarded(_ASKING, self._prepare, connection)
            yield lambda sql, binds: self._guarded(_ASKING, self._execute, connection, sql, binds)
        finally:
            # nothing was written: a broken connection that cannot be rolled back or closed loses nothing
            with suppress(_driver_error()):
                connection.rollback()
            with suppress(_driver_error()):
                connection.close()

    def _values(self, due_date: date, today: date) -> dict[str, object]:
        """A value for each bind the statement names, and no other: the driver refuses unused ones."""
        offered: dict[str, object] = {
            **self._binds,
            "due_ymd": _ymd(due_date),
            "today_ymd": _ymd(today),
            "due_from": datetime.combine(due_date, time.min),
            "due_to": datetime.combine(due_date + timedelta(days=1), time.min),
            "now_ts": datetime.combine(today, time.min),
        }
        return self._named(self._sql, offered)

    @staticmethod
    def _named(sql: str, offered: Mapping[str, object]) -> dict[str, object]:
        named = bind_names(sql)
        without_value = sorted(named - offered.keys())
        if without_value:
            raise IlsRejected(
                f"La requête du SIGB a des binds sans valeur : {', '.join(without_value)}."
                " Corriger le fichier de sql/, ou ils.binds dans library.toml, puis relancer la tâche."
            )
        return {name: offered[name] for name in named}

    def _prepare(self, connection: Connection) -> None:
        connection.call_timeout = self._call_timeout_ms
        connection.module = MODULE
        connection.action = ACTION
        connection.outputtypehandler = _lenient_text
        connection.cursor().execute("SET TRANSACTION READ ONLY")

    def _execute(self, connection: Connection, sql: str, binds: dict[str, object]) -> Cursor:
        cursor = connection.cursor()
        cursor.arraysize = self._array_size
        cursor.prefetchrows = self._array_size + 1
        cursor.execute(sql, binds, fetch_lobs=False, fetch_decimals=False)
        return cursor

    def _read(self, row: Mapping[str, object]) -> Loan | RejectedRow:
        try:
            return parse_row(row, self._codes)
        except RowError as error:
            return reject(row, error)

    @staticmethod
    def _guarded(doing: str, call: Callable[..., Any], *arguments: object) -> Any:
        """Call the driver; its errors become the project's, without the original, whose text may quote data."""
        try:
            return call(*arguments)
        except _driver_error() as error:
            raise ils_error(error, doing) from None
        except OSError as error:
            raise IlsUnavailable(f"{doing} : {type(error).__name__}. {RETRIED}") from None


def _column_names(cursor: Cursor) -> tuple[str, ...]:
    """The result's columns, in lower case. Raises IlsRejected naming those of the contract that are missing."""
    names = tuple(column[0].lower() for column in cursor.description or ())
    missing = [column for column in COLUMNS if column not in names]
    if missing:
        raise IlsRejected(
            f"La requête du SIGB ne rend pas les colonnes : {', '.join(missing)}."
            " Corriger loans_due.sql, puis relancer la tâche."
        )
    return names


def _lenient_text(cursor: Cursor, metadata: Any) -> Any:
    """Read text that is not valid UTF-8 with a replacement character, so that one bad title stops nobody."""
    import oracledb

    if metadata.type_code in (oracledb.DB_TYPE_VARCHAR, oracledb.DB_TYPE_CHAR):
        rows = cursor.arraysize + cursor.prefetchrows
        return cursor.var(metadata.type_code, metadata.internal_size or 1, arraysize=rows, encoding_errors="replace")
    return None


def _driver_error() -> type[Exception]:
    import oracledb

    error: type[Exception] = oracledb.Error
    return error


def _ymd(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day
