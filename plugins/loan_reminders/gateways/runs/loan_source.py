"""Loans from an ILS by one SELECT, whatever the engine of its database; and what another notice tells of by its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from datetime import date, datetime, time, timedelta
from typing import Any, TypeVar

from loan_reminders.domain.errors import IlsRejected, RowError
from loan_reminders.domain.loans import Loan, RejectedRow
from loan_reminders.domain.runs.extraction import COLUMNS, CodeMapping, loan_id_of, parse_row, reject
from loan_reminders.domain.runs.notice_rows import (
    DAY,
    NOTICE_COLUMNS,
    notice_id_of,
    parse_notice_row,
    reject_notice_row,
)
from loan_reminders.domain.runs.reading.cells import read_day
from loan_reminders.domain.stages import Stage
from loan_reminders.french.plurals import many
from loan_reminders.gateways.runs.binds import LOANS_AT_ONCE, together, values_named
from loan_reminders.gateways.runs.ils_database import Answer, ReadableIls
from loan_reminders.gateways.runs.patience import AT_ONCE, Patience

MORE_ROWS_OF_A_LOAN = 10
"""So many more rows of one loan are no slip of the ILS, which may well hold a loan twice."""
LOANS_THAT_REPEAT, THEIR_SHARE = 20, 0.1
"""Nor are so many loans in several rows, when they are also this share of the day's."""
ENOUGH = 10_000
"""Rows too many after which the rest is not read any more."""
_LOANS_NAMED = 5
TOLD = "told"
"""The column of `loan_now.sql` that says whether a loan is still reminded of."""
A_RUN_LASTS = timedelta(days=7)
"""Longer than any run: what it read may be asked about again until it ends."""

_Row = TypeVar("_Row")


class IlsLoanSource:
    """The ILS's open loans of a due date, streamed inside one read-only transaction.

    `sql` returns the columns of the extraction contract; `now_sql` the present due date of one open loan, named by the
    binds `loan_key` and `loan_number`, and in a column `told`, which a site's own may lack, whether it is reminded of
    (1, else 0); many are asked at once by putting it together as often as there are loans.
    Of the days, the statement may name as binds `due_ymd` and `today_ymd` (numbers YYYYMMDD), `due_from` and
    `due_to` (the due date and the day after it, at midnight), and `now_ts` (today, at midnight); `binds` holds
    the site's own, such as library codes. `patience` is for what fails before its first row: later, the rows handed on
    would come twice, and the reader of the stream begins afresh instead.
    """

    columns: Sequence[str] = COLUMNS
    file = "loans_due.sql"

    def __init__(
        self,
        database: ReadableIls,
        *,
        sql: str,
        now_sql: str,
        binds: Mapping[str, str | int],
        codes: CodeMapping,
        patience: Patience = AT_ONCE,
    ) -> None:
        self._database = database
        self._sql = sql
        self._now_sql = now_sql
        self._binds = {name.lower(): value for name, value in binds.items()}
        self._codes = codes
        self._patience = patience

    def loans_due(self, due_date: date, *, today: date) -> Generator[Loan | RejectedRow]:
        """Stream every open loan of one due date; a row that cannot be read comes as RejectedRow.

        The connection is rolled back and closed when the stream ends, fails or is abandoned.
        Raises IlsUnavailable (network, restart, time-out: retry) or IlsRejected (account, table, column, statement);
        at its end also IlsRejected when a wrong join multiplied the rows, as `unless_a_join_is_wrong` sees it.
        """
        with closing(self._rows(due_date, due_date, today)) as rows:
            loans = (self._read(row) for row in rows)
            yield from unless_a_join_is_wrong(loans, lambda loan: loan.loan_id, file=self.file)

    def loan_ids_due(self, due_date: date, *, today: date) -> Generator[str]:
        """The ids alone of the same loans, rows that cannot be read included. Raises like `loans_due`."""
        with closing(self._rows(due_date, due_date, today)) as rows:
            ids = (self._id_of(row) for row in rows)
            yield from unless_a_join_is_wrong(ids, lambda loan_id: loan_id, file=self.file)

    def _rows(self, first: date, last: date, today: date) -> Generator[Mapping[str, object]]:
        """The rows of the days from the first to the last."""
        binds = values_named(self._sql, {**self._binds, **days_offered(last, today, first=first)})
        with ExitStack() as open_session:
            answer, rows = self._patience.until_it_answers(lambda: self._first_rows(binds, open_session))
            while rows:
                for values in rows:
                    yield dict(zip(answer.columns, values, strict=True))
                rows = answer.fetchmany()

    def _first_rows(self, binds: Mapping[str, object], open_session: ExitStack) -> tuple[Answer, Sequence[Any]]:
        """The answer and its first rows; what must be closed afterwards goes to `open_session`, unless it failed."""
        with ExitStack() as opening:
            session = opening.enter_context(self._database.session())
            answer = session.execute(self._sql, binds)
            _check_columns(answer, (*self.columns, *self._codes.consent.columns), self.file)
            rows = answer.fetchmany()
            open_session.push(opening.pop_all())
            return answer, rows

    def due_dates_now(self, loan_ids: Sequence[str]) -> Mapping[str, date]:
        """The present due date of each of these loans that is still to be reminded of, up to 64 loans a question.

        A loan returned or lost since, or whose date cannot be read, is not in the answer. Raises like `loans_due`.
        """
        return {loan_id: due for loan_id, (due, told) in self._now(loan_ids).items() if told}

    def on_loan_now(self, loan_ids: Sequence[str]) -> Mapping[str, date]:
        """The same with those that the ILS still has and nobody is reminded of any more. Raises like `loans_due`."""
        return {loan_id: due for loan_id, (due, _) in self._now(loan_ids).items()}

    def _now(self, loan_ids: Sequence[str]) -> Mapping[str, tuple[date, bool]]:
        """Of each loan that the ILS has, its due date and whether it is reminded of."""
        asked = list(dict.fromkeys(loan_ids))
        return self._patience.until_it_answers(lambda: self._ask_now(asked)) if asked else {}

    def _ask_now(self, asked: Sequence[str]) -> Mapping[str, tuple[date, bool]]:
        found: dict[str, tuple[date, bool]] = {}
        with self._database.session() as session:
            for first in range(0, len(asked), LOANS_AT_ONCE[-1]):
                some = asked[first : first + LOANS_AT_ONCE[-1]]
                statement, offered = together(self._now_sql, some)
                answer = session.execute(statement, values_named(statement, {**self._binds, **offered}))
                told = answer.columns.index(TOLD) if TOLD in answer.columns else None
                while rows := answer.fetchmany():
                    for row in rows:
                        with suppress(RowError):
                            due = read_day(row[1], "due_date", zone=self._codes.zone)
                            found.setdefault(some[int(row[0])], (due, told is None or row[told] == 1))
        return found

    def _read(self, row: Mapping[str, object]) -> Loan | RejectedRow:
        try:
            return parse_row(row, self._codes)
        except RowError as error:
            return reject(row, error)

    def _id_of(self, row: Mapping[str, object]) -> str:
        return loan_id_of(row)


class IlsNoticeSource(IlsLoanSource):
    """The requests that a notice tells of: a run's days, streamed inside one read-only transaction.

    `sql` returns the columns of `domain.runs.notice_rows` for the days from `due_from` to before `due_to` (or
    the numbers `from_ymd` to `due_ymd`). A run asks for its day and the `days_back` days before it. Whether something
    still waits is asked by the same statement: what it does not give any more is over. `today` is the day of whoever
    asks.
    """

    columns = NOTICE_COLUMNS

    def __init__(
        self,
        database: ReadableIls,
        *,
        stage: Stage,
        sql: str,
        days_back: int,
        today: date,
        binds: Mapping[str, str | int],
        codes: CodeMapping,
        patience: Patience = AT_ONCE,
    ) -> None:
        super().__init__(database, sql=sql, now_sql="", binds=binds, codes=codes, patience=patience)
        self.file = f"notices/{stage.value}.sql"
        self._stage = stage
        self._days_back = timedelta(days=days_back)
        self._today = today

    def loans_due(self, due_date: date, *, today: date) -> Generator[Loan | RejectedRow]:
        """Stream what the notice tells of on a day, the days before it included. Raises like the source of loans."""
        with closing(self._rows(due_date - self._days_back, due_date, today)) as rows:
            requests = (self._read(row) for row in rows)
            yield from unless_a_join_is_wrong(requests, lambda request: request.loan_id, file=self.file)

    def due_dates_now(self, loan_ids: Sequence[str]) -> Mapping[str, date]:
        """The day of each of these requests that the statement still gives. Raises like the source of loans."""
        asked = frozenset(loan_ids)
        if not asked:
            return {}
        found: dict[str, date] = {}
        with closing(self._rows(self._today - self._days_back - A_RUN_LASTS, self._today, self._today)) as rows:
            for row in rows:
                if (request := self._id_of(row)) in asked:
                    with suppress(RowError):
                        found.setdefault(request, read_day(row.get(DAY), DAY, zone=self._codes.zone))
        return found

    def on_loan_now(self, loan_ids: Sequence[str]) -> Mapping[str, date]:
        """The same: of a request nothing is known but that the statement gives it."""
        return self.due_dates_now(loan_ids)

    def _read(self, row: Mapping[str, object]) -> Loan | RejectedRow:
        try:
            return parse_notice_row(row, self._codes, stage=self._stage)
        except RowError as error:
            return reject_notice_row(row, error, stage=self._stage)

    def _id_of(self, row: Mapping[str, object]) -> str:
        return notice_id_of(row, stage=self._stage)


def unless_a_join_is_wrong(
    rows: Iterable[_Row], id_of: Callable[[_Row], str], *, file: str = IlsLoanSource.file
) -> Generator[_Row]:
    """The rows as they come; at the end, or when it is enough, IlsRejected naming the loans of a wrong join.

    Who is told of what, and how often, would hang on rows that a join multiplied, so nobody is told. A few loans that
    come again stop nobody: each row after the first is set aside by whoever keeps them. Rows without a key, which are
    set aside as well, are not of one loan.
    """
    seen: set[str] = set()
    again: Counter[str] = Counter()
    too_many = 0
    for row in rows:
        yield row
        loan_id = id_of(row)
        if loan_id and loan_id in seen:
            again[loan_id] += 1
            too_many += 1
            if too_many == ENOUGH:
                break
        seen.add(loan_id)
    if _is_wrong(again, of=len(seen)):
        raise IlsRejected(_told(again, file, at_least="au moins " if too_many == ENOUGH else ""))


def _is_wrong(again: Counter[str], *, of: int) -> bool:
    if not again:
        return False
    [(_, most)] = again.most_common(1)
    return most >= MORE_ROWS_OF_A_LOAN or len(again) >= max(LOANS_THAT_REPEAT, THEIR_SHARE * of)


def _told(again: Counter[str], file: str, *, at_least: str) -> str:
    named = [f"{loan_id} ({at_least}{1 + more} lignes)" for loan_id, more in again.most_common(_LOANS_NAMED)]
    if others := len(again) - len(named):
        named.append(f"et {at_least}{many(others, 'autre prêt', 'autres prêts')}")
    return (
        f"La requête du SIGB rend plusieurs lignes pour un même prêt : {', '.join(named)}."
        f" Aucun avis n'est préparé. Corriger la jointure de {file}, puis relancer la tâche."
    )


def days_offered(due_date: date, today: date, *, first: date | None = None) -> dict[str, object]:
    """The values of the days that a statement may name as binds; `first` is where several days begin."""
    begin = first or due_date
    return {
        "due_ymd": _ymd(due_date),
        "from_ymd": _ymd(begin),
        "today_ymd": _ymd(today),
        "due_from": datetime.combine(begin, time.min),
        "due_to": datetime.combine(due_date + timedelta(days=1), time.min),
        "now_ts": datetime.combine(today, time.min),
    }


def _check_columns(answer: Answer, columns: Sequence[str], file: str) -> None:
    """Raises IlsRejected naming the columns of the contract that are missing."""
    missing = [column for column in columns if column not in answer.columns]
    if missing:
        raise IlsRejected(
            f"La requête du SIGB ne rend pas les colonnes : {', '.join(missing)}."
            f" Corriger {file}, puis relancer la tâche."
        )


def _ymd(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day
