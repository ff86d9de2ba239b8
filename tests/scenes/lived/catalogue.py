"""The ILS as it was on each past day: today's fictional library, with what it lent before and has back since.

Every row comes from the delivered statement, run once over a database that holds today's loans and those of the past;
the days then pass in memory. Fulfils `LoanSource`.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from unittest import mock

from loan_reminders.domain.errors import IlsUnavailable, RowError
from loan_reminders.domain.loans import Loan, Patron, RejectedRow
from loan_reminders.domain.runs import extraction
from loan_reminders.domain.runs.extraction import CodeMapping, parse_row, reject
from sql.demo.past import Past, earlier_due, with_the_past
from sql.demo.tables import BINDS, write_sqlite
from tests.scenes.aleph import ALEPH_SQL, ymd

_OF_ONE_DAY = "z36.z36_due_date = :due_ymd"
_OF_ALL_DAYS = "z36.z36_due_date BETWEEN :first_ymd AND :last_ymd"


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """One loan through the days: the row with its last due date, and its due date before a renewal."""

    row: Loan | RejectedRow
    past: Past

    def due(self, day: date) -> date | None:
        """Its due date as the ILS shows it on a day; None once it is back."""
        if self.past.back_on is not None and day >= self.past.back_on:
            return None
        if self.past.renewed_on is not None and day < self.past.renewed_on:
            return self.past.first_due
        return self.row.due_date if isinstance(self.row, Loan) else self.past.first_due


@dataclass
class Catalogue:
    """All loans of the last months; `today` is the day being lived, `down` an ILS that does not answer."""

    today: date
    lives: dict[str, Life]
    down: bool = False
    by_due: Mapping[date, list[Life]] = field(init=False)

    def __post_init__(self) -> None:
        by_due: dict[date, list[Life]] = defaultdict(list)
        for life in self.lives.values():
            last = life.row.due_date if isinstance(life.row, Loan) else life.past.first_due
            for due in {life.past.first_due, last}:
                by_due[due].append(life)
        self.by_due = by_due

    def loans_due(self, due_date: date, *, today: date) -> Generator[Loan | RejectedRow]:
        """The loans that were due on a day, as they stood on the day being lived."""
        if self.down:
            raise IlsUnavailable("Le SIGB ne répond pas.")
        for life in self.by_due.get(due_date, ()):
            if life.due(self.today) == due_date:
                yield _dated(life.row, due_date)

    def loan_ids_due(self, due_date: date, *, today: date) -> Generator[str]:
        """Their ids."""
        for row in self.loans_due(due_date, today=today):
            yield row.loan_id

    def due_dates_now(self, loan_ids: Sequence[str]) -> Mapping[str, date]:
        """The due dates of those still open."""
        if self.down:
            raise IlsUnavailable("Le SIGB ne répond pas.")
        found = {loan_id: self.lives[loan_id].due(self.today) for loan_id in loan_ids if loan_id in self.lives}
        return {loan_id: due for loan_id, due in found.items() if due is not None}

    def on_loan_now(self, loan_ids: Sequence[str]) -> Mapping[str, date]:
        """The same: none is lost."""
        return self.due_dates_now(loan_ids)


def _dated(row: Loan | RejectedRow, due: date) -> Loan | RejectedRow:
    if isinstance(row, RejectedRow) or row.due_date == due:
        return row
    return replace(row, due_date=due, renewal_count=max(row.renewal_count - 1, 0))


def catalogue(folder: Path, *, today: date, days: int, codes: CodeMapping, busy: float, **sizes: int) -> Catalogue:
    """The ILS of the last `days`, for a library that is today what `build_library` makes with the same `sizes`."""
    library, fates = with_the_past(today=today, days=days, busy=busy, **sizes)
    path = folder / "passe.sqlite"
    write_sqlite(path, library)
    first, last = today - timedelta(days=days + 1), today + timedelta(days=28)
    lives: dict[str, Life] = {}
    with _each_reader_read_once():
        for row in _rows(path, first=first, last=last, today=today):
            try:
                read: Loan | RejectedRow = parse_row(row, codes)
            except RowError as error:
                read = reject(row, error)
            lives[read.loan_id] = Life(row=read, past=fates.get(read.loan_id) or _of_today(read, row))
    path.unlink()
    return Catalogue(today=first, lives=lives)


@contextmanager
def _each_reader_read_once() -> Iterator[None]:
    """A reader has many loans in three months, with the same contacts in each row: they are understood once."""
    understand, known = extraction._patron, {}

    def once(row: Mapping[str, object], patron_id: str, codes: CodeMapping, due_date: date) -> Patron:
        key = (patron_id, row.get("patron_status"))
        if key not in known:
            known[key] = understand(row, patron_id, codes, due_date)
        return known[key]

    with mock.patch.object(extraction, "_patron", once):
        yield


def _of_today(read: Loan | RejectedRow, row: Mapping[str, object]) -> Past:
    """The past of a loan that is open today."""
    if isinstance(read, RejectedRow):
        text = str(row["due_date"])
        return Past(first_due=date(int(text[:4]), int(text[4:6]), int(text[6:])))
    before = earlier_due(due=read.due_date, loan_date=read.loan_date, renewals=read.renewal_count)
    if before is None:
        return Past(first_due=read.due_date)
    return Past(first_due=before, renewed_on=before - timedelta(days=1))


def _rows(path: Path, *, first: date, last: date, today: date) -> Generator[dict[str, object]]:
    """The delivered statement, for all due dates at once; '' is NULL, as on Oracle."""
    statement = ALEPH_SQL.replace(_OF_ONE_DAY, _OF_ALL_DAYS)
    if statement == ALEPH_SQL:
        raise ValueError("loans_due.sql no longer asks for one due date in these words")
    connection = sqlite3.connect(path)
    try:
        binds = {**BINDS, "first_ymd": ymd(first), "last_ymd": ymd(last), "today_ymd": ymd(today)}
        cursor = connection.execute(statement, binds)
        names = [column[0] for column in cursor.description]
        for values in cursor:
            yield {name: None if value == "" else value for name, value in zip(names, values, strict=True)}
    finally:
        connection.close()
