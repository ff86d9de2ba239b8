"""The Aleph extraction over a small fictional library, as the contract tests want it."""

from __future__ import annotations

import sqlite3
from datetime import date, timedelta
from pathlib import Path

from loan_reminders.domain.runs.extraction import CodeMapping
from loan_reminders.domain.stages import PatronCategory
from sql.demo.oddities import STAGE_DAYS
from sql.demo.tables import BINDS

SQL_FOLDER = Path(__file__).resolve().parents[2] / "sql"
ALEPH_SQL = (SQL_FOLDER / "aleph" / "loans_due.sql").read_text(encoding="utf-8")
NOW_SQL = (SQL_FOLDER / "aleph" / "loan_now.sql").read_text(encoding="utf-8")
TODAY = date(2026, 3, 1)
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
