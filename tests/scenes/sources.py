"""The sources on Oracle beside each other: the same fictional library behind each, and the golden loans of each."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

from loan_reminders.domain.errors import RowError
from loan_reminders.domain.loans import Loan, RejectedRow
from loan_reminders.domain.runs.extraction import CodeMapping, parse_row, reject
from loan_reminders.gateways.runs.binds import bind_names
from loan_reminders.gateways.runs.statements import final_text
from sql.demo.golden import GoldenLoan, golden_loans, golden_row
from sql.demo.oracle_systems import SYSTEMS, System
from sql.demo.tables import BINDS, Library, write_tables
from sql.demo.voyager import BINDS as VOYAGER_BINDS
from sql.demo.voyager import cents, moment, patron_ids
from tests.scenes.aleph import CODES, SQL_FOLDER, TODAY, ymd
from tests.simulators.oracle_backend import ALEPH_TYPES, DATE, NUMBER

BIRTHS_ASKED = {"birth_date": "asked"}
"""The form of the statements where the settings have a rule for minors."""
Told = Loan | tuple[str, str, str]
"""A loan, or of a row that cannot be read: whose it is and in which column the fault lies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One kind of ILS: its binds, the types of the answer's columns, and what differs from the golden rows."""

    kind: str
    binds: Mapping[str, str | int]
    types: Mapping[str, str]
    differs: Callable[[GoldenLoan, Mapping[str, int]], Mapping[str, object]]

    @property
    def due_sql(self) -> str:
        """loans_due.sql as the settings make it without a word."""
        return final_text((SQL_FOLDER / self.kind / "loans_due.sql").read_text(encoding="utf-8"))

    @property
    def minors_sql(self) -> str:
        """The same where the settings have a rule for minors."""
        return final_text((SQL_FOLDER / self.kind / "loans_due.sql").read_text(encoding="utf-8"), BIRTHS_ASKED)

    @property
    def now_sql(self) -> str:
        """loan_now.sql, the same."""
        return final_text((SQL_FOLDER / self.kind / "loan_now.sql").read_text(encoding="utf-8"))

    @property
    def system(self) -> System:
        """Its tables, and what fills them."""
        return SYSTEMS[self.kind]

    def write(self, path: Path, library: Library) -> None:
        """The library as this system's tables, in an SQLite file."""
        write_tables(path, self.system.schema, self.system.rows(library, TODAY), views=self.system.view_statements())

    def values(self, due: date) -> dict[str, object]:
        """A value for each bind of loans_due.sql."""
        midnight = datetime.combine(due, time.min)
        offered = {
            **self.binds, "due_ymd": ymd(due), "today_ymd": ymd(TODAY), "due_from": midnight,
            "due_to": midnight + timedelta(days=1), "now_ts": datetime.combine(TODAY, time.min),
        }  # fmt: skip
        return {name: offered[name] for name in bind_names(self.due_sql)}

    def expected(self, library: Library, due: date, *, codes: CodeMapping = CODES) -> list[Told]:
        """The golden loans of a due day as this system can tell of them, in the order of their ids."""
        numbers = patron_ids(library, today=TODAY)
        loans = [loan for loan in golden_loans(library, today=TODAY) if loan.listed and loan.due_ymd == ymd(due)]
        rows = (golden_row(loan) | {"birth_date": loan.birth_ymd} | self.differs(loan, numbers) for loan in loans)
        return in_order(told(row, codes) for row in rows)


def told(row: Mapping[str, object], codes: CodeMapping = CODES) -> Told:
    """What a row of the extraction becomes."""
    try:
        return parse_row(row, codes)
    except RowError as error:
        rejected: RejectedRow = reject(row, error)
        return rejected.loan_id, rejected.patron_id, rejected.column


def in_order(found: Iterable[Told]) -> list[Told]:
    return sorted(found, key=lambda one: one.loan_id if isinstance(one, Loan) else one[0])


def on_sqlite(path: Path, source: Source, due: date) -> list[dict[str, object]]:
    """The rows of loans_due.sql on SQLite itself; '' is NULL, as on Oracle."""
    values = {
        name: value.isoformat(" ") if isinstance(value, datetime) else value
        for name, value in source.values(due).items()
    }
    with closing(sqlite3.connect(path)) as connection:
        cursor = connection.execute(source.due_sql, values)
        names = [column[0] for column in cursor.description]
        return [
            {name: None if value == "" else value for name, value in zip(names, row, strict=True)} for row in cursor
        ]


def _in_aleph(loan: GoldenLoan, numbers: Mapping[str, int]) -> Mapping[str, object]:
    return {}


def _in_voyager(loan: GoldenLoan, numbers: Mapping[str, int]) -> Mapping[str, object]:
    """Ids are numbers, a price an amount, an impossible date NULL; no language, no second code."""
    price = cents(loan.item.price) if loan.item else None
    return {
        "loan_key": loan.number, "loan_number": None, "patron_id": numbers[loan.reader_key], "patron_type": None,
        "loan_date": moment(loan.loan_ymd), "language": None, "item_status": "01" if loan.item else None,
        "price_text": price / 100 if price else None,
    }  # fmt: skip


def _in_a_view(loan: GoldenLoan, numbers: Mapping[str, int]) -> Mapping[str, object]:
    """The loan's number alone is its key; an impossible date is NULL."""
    return {"loan_key": loan.number, "loan_number": None, "loan_date": moment(loan.loan_ymd)}


DATES = {"loan_date": DATE, "due_date": DATE, "renewal_count": NUMBER, "birth_date": DATE}
ALEPH = Source(kind="aleph", binds=BINDS, types=ALEPH_TYPES, differs=_in_aleph)
VOYAGER = Source(kind="voyager", binds=VOYAGER_BINDS, types=DATES, differs=_in_voyager)
VIEW = Source(kind="view", binds={}, types=DATES, differs=_in_a_view)
SOURCES = {source.kind: source for source in (ALEPH, VOYAGER, VIEW)}
