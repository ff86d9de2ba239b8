"""The fictional library in the tables of a site that gives a view: plain tables, with the contract's own types."""

from __future__ import annotations

from datetime import date

from sql.demo.golden import golden_loans, golden_readers
from sql.demo.tables import FOLDER, Library, Row, Schema
from sql.demo.voyager import moment

TABLES: dict[str, tuple[str, ...]] = {
    "site_loans": (
        "loan_id", "reader_id", "item_id", "lent_on", "due_on", "returned_on", "renewals", "branch", "reader_category",
        "state",
    ),
    "site_readers": (
        "reader_id", "card", "kind", "last_name", "first_name", "lang", "email", "sms", "phone_1", "phone_2", "phone_3",
        "phone_4", "line_1", "line_2", "line_3", "line_4", "postcode",
    ),
    "site_items": ("item_id", "title", "author", "call_number", "volume", "barcode", "status", "price"),
}  # fmt: skip
VIEW = Schema(ddl=FOLDER / "view.sql", columns=TABLES, has_dates=True)
STATES = {"A": "on loan", "L": "lost", "C": "claimed"}


def view_rows(library: Library, *, today: date) -> dict[str, list[Row]]:
    """The rows of every table; the loan's id is its number. No NUL, which PostgreSQL cannot hold; '' is NULL."""
    rows: dict[str, list[Row]] = {table: [] for table in TABLES}
    for reader in golden_readers(library, today=today).values():
        last, first = reader.last, reader.first
        if not last and not first:
            last, _, first = (part.strip() for part in reader.full.partition(","))
        rows["site_readers"].append((
            reader.key, reader.barcode, reader.kind, last, first, reader.language, reader.email, *reader.phones,
            *reader.lines, reader.postcode,
        ))  # fmt: skip
    for loan in golden_loans(library, today=today):
        due = moment(loan.due_ymd)
        rows["site_loans"].append((
            loan.number, loan.reader_key, loan.item_key, moment(loan.loan_ymd), due, due if loan.returned else None,
            loan.renewals, loan.branch, loan.reader_status, STATES[loan.state],
        ))  # fmt: skip
        title, author = loan.records[0] if loan.records else ("", "")
        copy = (loan.item.call_number, loan.item.volume, loan.item.barcode) if loan.item else ("", "", "")
        price = loan.item.price if loan.item else ""
        rows["site_items"].append((loan.item_key, title, author, *copy, loan.item_status, price))
    return {table: [tuple(_held(value) for value in row) for row in found] for table, found in rows.items()}


def _held(value: object) -> object:
    return (value.replace("\x00", "") or None) if isinstance(value, str) else value
