"""The rows of the fictional library, table by table, and how they reach SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

SCHEMA = Path(__file__).with_name("schema.sql")
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
    "z303": ("rec_key", "con_lng", "name", "last_name", "first_name", "home_library"),
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


def write_sqlite(path: Path, library: Library) -> None:
    """Replace the file by a database that holds the library; a reader never sees it half built."""
    building = path.with_name(f"{path.name}.building")
    building.unlink(missing_ok=True)
    connection = sqlite3.connect(building, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        tables, indexes = _statements()
        connection.execute("BEGIN")
        for statement in tables:
            connection.execute(statement)
        for table, columns in TABLES.items():
            load(connection, table, columns, library.rows[table])
        for statement in indexes:
            connection.execute(statement)
        connection.execute("COMMIT")
        connection.execute("ANALYZE")
    finally:
        connection.close()
    building.replace(path)


def load(connection: sqlite3.Connection, table: str, columns: tuple[str, ...], rows: Iterable[Row]) -> None:
    """Insert rows in bulk."""
    names = ", ".join(f"{table}_{column}" for column in columns)
    marks = ", ".join("?" * len(columns))
    connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)  # noqa: S608 - names of TABLES


def _statements() -> tuple[list[str], list[str]]:
    """The schema's tables, and its indexes, which are faster made last."""
    lines = [line for line in SCHEMA.read_text(encoding="utf-8").splitlines() if not line.startswith("--")]
    statements = [statement.strip() for statement in "\n".join(lines).split(";") if statement.strip()]
    tables = [statement for statement in statements if statement.startswith("CREATE TABLE")]
    return tables, [statement for statement in statements if statement not in tables]
