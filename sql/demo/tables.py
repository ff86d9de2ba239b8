"""The rows of the fictional library, table by table, and how they reach SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

FOLDER = Path(__file__).parent
SCHEMA = FOLDER / "schema.sql"
ADM_LIBRARY = "UNS50"
BIB_LIBRARY = "UNS01"
BOR_LIBRARY = "ALEPH"
BINDS: dict[str, str | int] = {
    "adm_library": ADM_LIBRARY, "bib_library": BIB_LIBRARY, "bor_library": BOR_LIBRARY,
    "loan_status_1": "A", "loan_status_2": "A", "loan_status_3": "A", "loan_status_4": "A",
    "address_type_1": 2, "address_type_2": 1, "address_type_3": 1, "address_type_4": 1, "other_address_types": 1,
    "address_width": 200, "card_type": "01", "card_status": "AC",
}  # fmt: skip
"""What the extraction of this library has to be given: what library.toml makes of its settings."""

TABLES: dict[str, tuple[str, ...]] = {
    "z36": (
        "rec_key", "id", "number", "sub_library", "status", "loan_date", "due_date", "returned_date", "item_status",
        "bor_status", "no_renewal", "proxy_id", "effective_due_date",
    ),
    "z30": ("rec_key", "barcode", "call_no", "description", "item_status", "price"),
    "z13": ("rec_key", "title", "author"),
    "z103": ("rec_key", "rec_key_1"),
    "z303": ("rec_key", "con_lng", "name", "last_name", "first_name", "home_library", "birth_date"),
    "z304": (
        "rec_key", "address", "zip", "email_address", "telephone", "telephone_2", "telephone_3", "telephone_4",
        "sms_number", "date_from", "date_to", "address_type",
    ),
    "z305": ("rec_key", "bor_status", "bor_type", "expiry_date"),
    "z308": ("rec_key", "id", "status"),
}  # fmt: skip
"""Columns of each table, without the table's name in front."""

Row = tuple[object, ...]


@dataclass(slots=True)
class Library:
    """Everything the fictional ILS holds."""

    rows: dict[str, list[Row]] = field(default_factory=lambda: {table: [] for table in TABLES})

    def add(self, table: str, *values: object) -> None:
        """One row, its values in the order of `TABLES`."""
        self.rows[table].append(values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """The tables of one system: the file that makes them, and the columns of each by their whole names.

    `has_dates` says whether columns hold moments, which SQLite keeps as text.
    """

    ddl: Path
    columns: Mapping[str, tuple[str, ...]]
    has_dates: bool = False


ALEPH = Schema(
    ddl=SCHEMA,
    columns={table: tuple(f"{table}_{column}" for column in columns) for table, columns in TABLES.items()},
)


def write_sqlite(path: Path, library: Library) -> None:
    """Replace the file by a database that holds the library; a reader never sees it half built."""
    write_tables(path, ALEPH, library.rows)


def write_tables(path: Path, schema: Schema, rows: Mapping[str, Iterable[Row]], *, views: Iterable[str] = ()) -> None:
    """Replace the file by a database with these tables, rows and views; a reader never sees it half built."""
    building = path.with_name(f"{path.name}.building")
    building.unlink(missing_ok=True)
    connection = sqlite3.connect(building, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        tables, indexes = _statements(schema.ddl)
        connection.execute("BEGIN")
        for statement in tables:
            connection.execute(statement)
        for table, columns in schema.columns.items():
            load(connection, table, columns, _as_text(rows[table]) if schema.has_dates else rows[table])
        for statement in (*indexes, *views):
            connection.execute(statement)
        connection.execute("COMMIT")
        connection.execute("ANALYZE")
    finally:
        connection.close()
    building.replace(path)


def load(connection: sqlite3.Connection, table: str, columns: tuple[str, ...], rows: Iterable[Row]) -> None:
    """Insert rows in bulk."""
    marks = ", ".join("?" * len(columns))
    connection.executemany(
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})",  # noqa: S608 - names of a schema of ours
        rows,
    )


def _as_text(rows: Iterable[Row]) -> Iterable[Row]:
    return (tuple(value.isoformat(" ") if isinstance(value, datetime) else value for value in row) for row in rows)


def _statements(ddl: Path) -> tuple[list[str], list[str]]:
    """The schema's tables, and its indexes, which are faster made last."""
    lines = [line for line in ddl.read_text(encoding="utf-8").splitlines() if not line.startswith("--")]
    statements = [statement.strip() for statement in "\n".join(lines).split(";") if statement.strip()]
    tables = [statement for statement in statements if statement.startswith("CREATE TABLE")]
    return tables, [statement for statement in statements if statement not in tables]
