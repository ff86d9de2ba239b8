"""Rows of a library system, table by table, and how they reach a database server."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from sql.demo.golden import GoldenLoan, GoldenReader

Row = Mapping[str, object]
Tables = dict[str, list[Row]]
"""The rows of each table; all rows of one table name the same columns."""

FOLDER = Path(__file__).parent
_AT_ONCE = 5_000


def statements(schema: Path) -> list[str]:
    """The statements of a file that makes the tables of a system, and their indexes."""
    text = re.sub(r"--[^\n]*", "", schema.read_text(encoding="utf-8"))
    return [statement.strip() for statement in text.split(";") if statement.strip()]


def create(connection: Any, system: str) -> None:
    """Make the tables in an empty database, through a connection of the DB-API."""
    with connection.cursor() as cursor:
        for statement in statements(FOLDER / f"{system}.sql"):
            cursor.execute(statement)
    connection.commit()


def fill(connection: Any, tables: Mapping[str, Iterable[Row]]) -> None:
    """Insert the rows in bulk; both drivers mark a value by `%s`."""
    with connection.cursor() as cursor:
        for table, given in tables.items():
            rows = list(given)
            if not rows:
                continue
            columns = list(rows[0])
            marks = ", ".join(["%s"] * len(columns))
            statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - our own names
            for start in range(0, len(rows), _AT_ONCE):
                cursor.executemany(statement, [tuple(row.values()) for row in rows[start : start + _AT_ONCE]])
    connection.commit()


def iso(ymd: int, hour: str = "") -> str | None:
    """A date YYYYMMDD as a database reads it, with its hour; None for 0. One that no calendar has stays as it is."""
    if not ymd:
        return None
    day = f"{ymd // 10_000:04d}-{ymd // 100 % 100:02d}-{ymd % 100:02d}"
    return f"{day} {hour}" if hour else day


def real_day(ymd: int) -> bool:
    """Whether the calendar has this date YYYYMMDD."""
    try:
        date(ymd // 10_000, ymd // 100 % 100, ymd % 100)
    except ValueError:
        return False
    return True


_TOWN = re.compile(r"(\d{5})\s+(\S.*)", re.DOTALL)


def home(lines: Iterable[str], postcode: str) -> tuple[list[str], str, str, str]:
    """An address apart: the lines of the street, the postcode, the town and the country."""
    kept = [line for line in lines if line.strip()]
    if kept and (town := _TOWN.fullmatch(kept[-1].strip())):
        return kept[:-1], town[1], town[2], ""
    if len(kept) > 1 and not postcode:
        return kept[:-2], "", kept[-2], kept[-1]
    return kept, postcode, "", ""


def amount(price: str) -> str | None:
    """A price typed as text, as the number that systems with a column for money hold; None when it says none."""
    found = re.search(r"\d+(?:[.,]\d{1,2})?", price)
    return f"{float(found[0].replace(',', '.')):.2f}" if found else None


def reader_numbers(readers: Mapping[str, GoldenReader], loans: list[GoldenLoan]) -> dict[str, int]:
    """A number for each reader, and for those that loans name though nobody knows them."""
    return {key: place for place, key in enumerate(dict.fromkeys([*readers, *(loan.reader_key for loan in loans)]), 1)}
