"""The fictional library in Koha, Sierra and PMB on real servers, and what each of them is to tell of its loans."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

from loan_reminders.domain.errors import RowError
from loan_reminders.domain.loans import Loan, RejectedRow
from loan_reminders.domain.runs.extraction import CodeMapping, parse_row, reject
from loan_reminders.domain.runs.reading.consent import NO_CODES, ConsentCodes
from loan_reminders.domain.stages import PatronCategory
from loan_reminders.gateways.runs import mariadb_connection
from loan_reminders.gateways.runs.ils_database import IlsDatabase
from loan_reminders.gateways.runs.loan_source import IlsLoanSource
from loan_reminders.gateways.runs.mariadb_database import MariaDbDatabase
from loan_reminders.gateways.runs.postgres_database import PostgresDatabase
from loan_reminders.gateways.runs.statements import final_text
from loan_reminders.settings.ils_systems import KohaSettings, PmbSettings, SierraSettings
from sql.demo.golden import GoldenLoan, golden_loans, golden_readers, golden_row
from sql.demo.people import BRANCHES
from sql.demo.systems.koha import HELD_LONG, koha_tables
from sql.demo.systems.pmb import NO_DATE, pmb_tables, three_bytes
from sql.demo.systems.sierra import sierra_tables
from sql.demo.systems.tables import Tables, amount, create, fill, reader_numbers, real_day
from sql.demo.tables import Library
from tests.scenes.aleph import SQL_FOLDER, TODAY
from tests.simulators.mariadb import ADMINISTRATOR

Settings = KohaSettings | SierraSettings | PmbSettings
ZONE = ZoneInfo("Europe/Paris")
CODES = CodeMapping(
    patron_status={
        code: category
        for number, category in ((1, PatronCategory.STUDENT), (10, PatronCategory.STAFF), (20, PatronCategory.EXTERNAL))
        for code in (str(number), f"{number:02d}")
    },
    zone=ZONE,
)
"""Statuses as Aleph writes them, `01`, and as numbers."""
BY_HAND = "SET SESSION sql_mode = 'STRICT_ALL_TABLES,ALLOW_INVALID_DATES'"
"""What lets a base hold the days that no calendar has, as bases do that were repaired by hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """A library system: its engine, its settings, its rows of the fictional library, and what differs in them.

    `differs` is given a golden loan, the number of its reader and its place, and answers what the row of the
    contract has in this system instead of the golden one.
    """

    name: str
    engine: str
    settings: Settings
    tables: Callable[..., Tables]
    keeps_returned: bool
    differs: Callable[[GoldenLoan, int, int], Mapping[str, object]]

    def source(
        self, database: OneDatabase, settings: Settings | None = None, *, consent: ConsentCodes = NO_CODES
    ) -> IlsLoanSource:
        """The gateway on one database of this system; `consent` may ask for birth dates."""
        site = settings or self.settings
        choices = {**site.choices(), **dict.fromkeys(consent.columns, "asked")}
        due, now = (
            final_text((SQL_FOLDER / self.name / f"{name}.sql").read_text(encoding="utf-8"), choices)
            for name in ("loans_due", "loan_now")
        )
        codes = replace(CODES, consent=consent)
        return IlsLoanSource(database.ils, sql=due, now_sql=now, binds=site.binds(), codes=codes)

    def expected(
        self, library: Library, due: date, *, consent: ConsentCodes = NO_CODES
    ) -> dict[str, Loan | RejectedRow]:
        """What the golden loans of a due date become here, by loan id."""
        codes = replace(CODES, consent=consent)
        loans = [loan for loan in golden_loans(library, today=TODAY) if self.keeps_returned or not loan.returned]
        numbers = reader_numbers(golden_readers(library, today=TODAY), loans)
        found = {}
        for place, loan in enumerate(loans, start=1):
            if loan.listed and loan.due_ymd == int(f"{due:%Y%m%d}"):
                row = golden_row(loan) | {"birth_date": loan.birth_ymd}
                told = _parsed(row | self.differs(loan, numbers[loan.reader_key], place), codes)
                found[told.loan_id] = told
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class OneDatabase:
    """A database by its name, and the gateway that reads it."""

    name: str
    ils: IlsDatabase


def asked_by_name(
    system: System, database: OneDatabase, names: Mapping[str, str], *, due: date
) -> Callable[..., dict[str, Loan | RejectedRow]]:
    """What gives the loans of a day by their names in a test (`names` by loan id), with the settings it is given.

    Each day is asked about once for the same settings.
    """
    asked: dict[object, dict[str, Loan | RejectedRow]] = {}

    def loans(day: date = due, **settings: object) -> dict[str, Loan | RejectedRow]:
        key = (day, repr(settings))
        if key not in asked:
            source = system.source(database, type(system.settings).model_validate(settings))
            found = list(source.loans_due(day, today=TODAY))
            asked[key] = {names[loan.loan_id]: loan for loan in found}
            assert len(asked[key]) == len(found)
        return asked[key]

    return loans


def _parsed(row: Mapping[str, object], codes: CodeMapping) -> Loan | RejectedRow:
    try:
        return parse_row(row, codes)
    except RowError as error:
        return reject(row, error)


def told(loan: Loan | RejectedRow) -> object:
    """What is compared: all of a loan; of a row that cannot be read, which it is and why, not how it was written."""
    return loan if isinstance(loan, Loan) else (loan.loan_id, loan.patron_id, loan.code, loan.column)


def _in_koha(loan: GoldenLoan, reader: int, place: int) -> Mapping[str, object]:
    """Ids are numbers, a price is an amount; without its date a loan has that of its last touch.

    A reader's category is of the reader, not of the loan: it is lost with the reader.
    """
    return {
        "loan_key": loan.number,
        "loan_number": None,
        "patron_id": reader,
        "patron_status": loan.reader_status if loan.reader else None,
        "loan_date": loan.loan_ymd or HELD_LONG,
        "price_text": amount(loan.item.price) if loan.item else None,
    }


def _in_sierra(loan: GoldenLoan, reader: int, place: int) -> Mapping[str, object]:
    """Ids are numbers, a price is an amount, a status one sign; an impossible date cannot be held and is open."""
    return {
        "loan_key": loan.number,
        "loan_number": None,
        "patron_id": reader if loan.reader else 481_000_000_000 + reader,
        "patron_status": loan.reader_status if loan.reader else None,
        "loan_date": loan.loan_ymd if real_day(loan.loan_ymd) else None,
        "price_text": amount(loan.item.price) if loan.item else None,
        "item_status": "-",
    }


def _in_pmb(loan: GoldenLoan, reader: int, place: int) -> Mapping[str, object]:
    """Ids, statuses and branches are numbers; a deleted item takes its title and branch away; no sign above U+FFFF.

    Of a birth date only the year is known.
    """
    row = {name: three_bytes(value) if isinstance(value, str) else value for name, value in golden_row(loan).items()}
    gone = {} if loan.item else dict.fromkeys(("title", "author", "branch", "item_status"))
    return {
        **row,
        "loan_key": place,
        "loan_number": loan.number,
        "patron_id": reader,
        "patron_status": loan.reader_status if loan.reader else None,
        "loan_date": loan.loan_ymd or NO_DATE,
        "branch": str(BRANCHES.index(loan.branch) + 1),
        "item_status": "1",
        "birth_date": (loan.birth_ymd or 0) // 10_000,
        **gone,
    }


KOHA = System(
    name="koha", engine="mariadb", settings=KohaSettings(), tables=koha_tables, keeps_returned=True, differs=_in_koha
)
SIERRA = System(
    name="sierra", engine="postgresql", settings=SierraSettings(), tables=sierra_tables, keeps_returned=False,
    differs=_in_sierra,
)  # fmt: skip
PMB = System(
    name="pmb", engine="mariadb", settings=PmbSettings(lost_statuses=["13", "14"]), tables=pmb_tables,
    keeps_returned=False, differs=_in_pmb,
)  # fmt: skip
SYSTEMS = (KOHA, SIERRA, PMB)


@contextmanager
def database_of(system: System, server: Any, tables: Tables) -> Iterator[OneDatabase]:
    """A database of this system's own with these rows, as the gateway reads it."""
    options = {"options": "CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"} if system.engine == "mariadb" else {}
    name = server.create_database(**options)
    try:
        with connection_to(system, server, name) as connection:
            create(connection, system.name)
            fill(connection, tables)
        yield gateway_to(system, server, name)
    finally:
        server.drop_database(name)


@contextmanager
def connection_to(system: System, server: Any, name: str) -> Iterator[Any]:
    """A connection that may write, and hold what the calendar does not."""
    if system.engine == "mariadb":
        with server.connect(name) as connection:
            connection.cursor().execute(BY_HAND)
            yield connection
    else:
        with psycopg.connect(server.url(name), options=f"-c timezone={ZONE.key}") as connection:
            yield connection


def gateway_to(system: System, server: Any, name: str) -> OneDatabase:
    """The gateway to one database."""
    if system.engine == "mariadb":

        def connect() -> Any:
            return mariadb_connection.connect(
                host=server.host, port=server.port, login=ADMINISTRATOR, password="", database=name, extra={},
                call_timeout_ms=60_000,
            )  # fmt: skip

        return OneDatabase(name=name, ils=MariaDbDatabase(connect, zone=ZONE))
    return OneDatabase(name=name, ils=PostgresDatabase(lambda: psycopg.connect(server.url(name)), zone=ZONE))
