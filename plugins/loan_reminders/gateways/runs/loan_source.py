"""Loans from an ILS by one SELECT, whatever the engine of its database."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, suppress
from datetime import date, datetime, time, timedelta

from loan_reminders.domain.errors import IlsRejected, RowError
from loan_reminders.domain.loans import Loan, RejectedRow
from loan_reminders.domain.runs.cells import read_day
from loan_reminders.domain.runs.extraction import COLUMNS, CodeMapping, loan_id_of, parse_row, reject
from loan_reminders.gateways.runs.binds import LOANS_AT_ONCE, together, values_named
from loan_reminders.gateways.runs.ils_database import Answer, IlsDatabase


class IlsLoanSource:
    """The ILS's open loans of a due date, streamed inside one read-only transaction.

    `sql` returns the columns of the extraction contract; `now_sql` the present due date of one open loan, named by the
    binds `loan_key` and `loan_number`; many are asked at once by putting it together as often as there are loans.
    Of the days, the statement may name as binds `due_ymd` and `today_ymd` (numbers YYYYMMDD), `due_from` and
    `due_to` (the due date and the day after it, at midnight), and `now_ts` (today, at midnight); `binds` holds
    the site's own, such as library codes.
    """

    def __init__(
        self, database: IlsDatabase, *, sql: str, now_sql: str, binds: Mapping[str, str], codes: CodeMapping
    ) -> None:
        self._database = database
        self._sql = sql
        self._now_sql = now_sql
        self._binds = {name.lower(): value for name, value in binds.items()}
        self._codes = codes

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
        binds = values_named(self._sql, {**self._binds, **days_offered(due_date, today)})
        with self._database.session() as session:
            answer = session.execute(self._sql, binds)
            _check_columns(answer)
            while rows := answer.fetchmany():
                for values in rows:
                    yield dict(zip(answer.columns, values, strict=True))

    def due_dates_now(self, loan_ids: Sequence[str]) -> Mapping[str, date]:
        """The present due date of each of these loans that is still open, up to 64 loans a question.

        A loan returned since, or whose date cannot be read, is not in the answer. Raises like `loans_due`.
        """
        found: dict[str, date] = {}
        asked = list(dict.fromkeys(loan_ids))
        if not asked:
            return found
        with self._database.session() as session:
            for first in range(0, len(asked), LOANS_AT_ONCE[-1]):
                some = asked[first : first + LOANS_AT_ONCE[-1]]
                statement, offered = together(self._now_sql, some)
                answer = session.execute(statement, values_named(statement, {**self._binds, **offered}))
                while rows := answer.fetchmany():
                    for place, value in rows:
                        with suppress(RowError):
                            found.setdefault(some[int(place)], read_day(value, "due_date", zone=self._codes.zone))
        return found

    def _read(self, row: Mapping[str, object]) -> Loan | RejectedRow:
        try:
            return parse_row(row, self._codes)
        except RowError as error:
            return reject(row, error)


def days_offered(due_date: date, today: date) -> dict[str, object]:
    """The values of the days that a statement may name as binds."""
    return {
        "due_ymd": _ymd(due_date),
        "today_ymd": _ymd(today),
        "due_from": datetime.combine(due_date, time.min),
        "due_to": datetime.combine(due_date + timedelta(days=1), time.min),
        "now_ts": datetime.combine(today, time.min),
    }


def _check_columns(answer: Answer) -> None:
    """Raises IlsRejected naming the columns of the contract that are missing."""
    missing = [column for column in COLUMNS if column not in answer.columns]
    if missing:
        raise IlsRejected(
            f"La requête du SIGB ne rend pas les colonnes : {', '.join(missing)}."
            " Corriger loans_due.sql, puis relancer la tâche."
        )


def _ymd(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day
