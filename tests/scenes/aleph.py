"""The Aleph statements over a small fictional library: on SQLite itself, and by the gateway on the Oracle wire."""

from __future__ import annotations

import sqlite3
import time
from datetime import date, timedelta
from pathlib import Path

import oracledb

from loan_reminders.domain.runs.extraction import CodeMapping
from loan_reminders.domain.runs.reading.consent import ConsentCodes
from loan_reminders.domain.stages import PatronCategory
from loan_reminders.gateways.runs.loan_source import IlsLoanSource
from loan_reminders.gateways.runs.oracle_database import OracleDatabase
from loan_reminders.gateways.runs.patience import AT_ONCE
from loan_reminders.gateways.runs.statements import final_text
from sql.demo.oddities import STAGE_DAYS
from sql.demo.tables import BINDS

SQL_FOLDER = Path(__file__).resolve().parents[2] / "sql"
ALEPH_SQL = final_text((SQL_FOLDER / "aleph" / "loans_due.sql").read_text(encoding="utf-8"))
NOW_SQL = final_text((SQL_FOLDER / "aleph" / "loan_now.sql").read_text(encoding="utf-8"))
"""As library.toml has them: the first form of each choice."""
TODAY = date(2026, 3, 1)
MINORS = ConsentCodes(minor_under=18)
"""What a library asks that has a rule for minors."""
CODES = CodeMapping(
    patron_status={
        "01": PatronCategory.STUDENT,
        "10": PatronCategory.STAFF,
        "20": PatronCategory.EXTERNAL,
    }
)


def due_day(stage: str) -> date:
    return TODAY + timedelta(days=STAGE_DAYS[stage])


def ymd(day: date) -> int:
    return int(day.strftime("%Y%m%d"))


def direct_rows(database: Path, due: date, sql: str = ALEPH_SQL) -> list[dict[str, object]]:
    """The extraction on SQLite itself; '' is NULL, as on Oracle."""
    connection = sqlite3.connect(database)
    try:
        cursor = connection.execute(sql, {**BINDS, "due_ymd": ymd(due), "today_ymd": ymd(TODAY)})
        names = [column[0] for column in cursor.description]
        return [
            {name: None if value == "" else value for name, value in zip(names, row, strict=True)} for row in cursor
        ]
    finally:
        connection.close()


def source(server, *, sql=ALEPH_SQL, now_sql=NOW_SQL, password=None, binds=BINDS, patience=AT_ONCE, **options):
    """The gateway on a simulated server."""

    def connect():
        return oracledb.connect(user=server.user, password=password or server.password, dsn=server.dsn)

    database = OracleDatabase(connect, **options)
    return IlsLoanSource(database, sql=sql, now_sql=now_sql, binds=binds, codes=CODES, patience=patience)


def read(loans, stage="C"):
    """What a source gives for the day of a stage."""
    return list(loans.loans_due(due_day(stage), today=TODAY))


def assert_no_session_left(server):
    deadline = time.monotonic() + 5
    while server.sessions and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.sessions == 0
