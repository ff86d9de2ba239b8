"""What an ILS gives for a notice that is not about loans, by the notice's own SELECT, whatever the engine."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, suppress
from datetime import date, timedelta

from loan_reminders.domain.errors import RowError
from loan_reminders.domain.loans import Loan, RejectedRow
from loan_reminders.domain.runs.cells import read_day
from loan_reminders.domain.runs.extraction import CodeMapping
from loan_reminders.domain.runs.notice_rows import (
    DAY,
    NOTICE_COLUMNS,
    notice_id_of,
    parse_notice_row,
    reject_notice_row,
)
from loan_reminders.domain.stages import Stage
from loan_reminders.gateways.runs.ils_database import ReadableIls
from loan_reminders.gateways.runs.loan_source import IlsLoanSource, unless_a_join_is_wrong
from loan_reminders.gateways.runs.patience import AT_ONCE, Patience

A_RUN_LASTS = timedelta(days=7)
"""Longer than any run: what it read may be asked about again until it ends."""


class IlsNoticeSource(IlsLoanSource):
    """The requests that a notice tells of: a run's days, streamed inside one read-only transaction.

    `sql` returns the columns of `domain.runs.notice_rows` for the days from `due_from` to before `due_to` (or the
    numbers `from_ymd` to `due_ymd`). A run asks for its day and the `days_back` days before it. Whether something still
    waits is asked by the same statement: what it does not give any more is over. `today` is the day of whoever asks.
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

    def _read(self, row: Mapping[str, object]) -> Loan | RejectedRow:
        try:
            return parse_notice_row(row, self._codes, stage=self._stage)
        except RowError as error:
            return reject_notice_row(row, error, stage=self._stage)

    def _id_of(self, row: Mapping[str, object]) -> str:
        return notice_id_of(row, stage=self._stage)
