"""The fictional library in the tables of Voyager: the same readers and loans, with Voyager's own traps beside them.

Every seventh reader has, younger than what holds, an e-mail address that expired, a mailing address that is over and
one that has not begun, both with telephones, and a card that was withdrawn: the extraction must find none of them.
"""

from __future__ import annotations

from datetime import date, datetime, time

from sql.demo.golden import GoldenLoan, GoldenReader, golden_loans, golden_readers
from sql.demo.tables import FOLDER, Library, Row, Schema

TABLES: dict[str, tuple[str, ...]] = {
    "circ_transactions": (
        "circ_transaction_id", "item_id", "patron_id", "patron_group_id", "charge_date", "charge_location",
        "current_due_date", "renewal_count", "discharge_date",
    ),
    "patron": ("patron_id", "last_name", "first_name", "sms_number", "birth_date"),
    "patron_group": ("patron_group_id", "patron_group_code"),
    "patron_barcode": ("patron_barcode_id", "patron_id", "patron_barcode", "barcode_status"),
    "patron_address": (
        "address_id", "patron_id", "address_type", "address_line1", "address_line2", "address_line3", "address_line4",
        "zip_postal", "city", "country", "effect_date", "expire_date",
    ),
    "patron_phone": ("address_id", "phone_type", "phone_number"),
    "item": ("item_id", "item_type_id", "price"),
    "item_type": ("item_type_id", "item_type_code"),
    "item_barcode": ("item_id", "item_barcode", "barcode_status"),
    "item_status": ("item_id", "item_status"),
    "location": ("location_id", "location_code"),
    "bib_text": ("bib_id", "title", "author"),
    "bib_item": ("bib_id", "item_id"),
    "mfhd_item": ("mfhd_id", "item_id", "item_enum"),
    "mfhd_master": ("mfhd_id", "display_call_no"),
}  # fmt: skip
VOYAGER = Schema(ddl=FOLDER / "voyager.sql", columns=TABLES, has_dates=True)
BINDS: dict[str, str | int] = {
    "phone_type_1": 2, "phone_type_2": 1, "phone_type_3": 4, "phone_type_4": 3,
    "address_type_1": 2, "address_type_2": 1, "address_type_3": 1, "address_type_4": 1,
    "lost_status_1": 13, "lost_status_2": 14, "lost_status_3": 15, "lost_status_4": 15,
    "email_type": 3, "active_status": 1,
}  # fmt: skip
"""What the extraction of this library has to be given: what the settings make without a word."""

PERMANENT, MAILING, EMAIL = 1, 2, 3
PHONE_TYPES = (2, 1, 4, 3)
ACTIVE, WITHDRAWN = 1, 4
LOST = {"L": 13, "C": 15}
SEVENTH = 7
GONE_PHONE = "99 99 99 99 99"
"""Of an address that does not hold today."""
_EVENING = time(23, 59)


def voyager_rows(library: Library, *, today: date) -> dict[str, list[Row]]:
    """The rows of every table; the transaction's id is the number of the loan, the reader's that of `patron_ids`.

    A date that no calendar has cannot be held in a DATE: it is NULL.
    """
    rows: dict[str, list[Row]] = {table: [] for table in TABLES}
    readers, loans = golden_readers(library, today=today), golden_loans(library, today=today)
    ids = patron_ids(library, today=today)
    for reader in readers.values():
        _add_reader(rows, reader, ids[reader.key], today)
    branches = sorted({loan.branch for loan in loans})
    groups = sorted({loan.reader_status for loan in loans})
    rows["location"] = list(enumerate(branches, start=1))
    rows["patron_group"] = list(enumerate(groups, start=1))
    rows["item_type"] = [(1, "01")]
    for loan in loans:
        branch, group = branches.index(loan.branch) + 1, groups.index(loan.reader_status) + 1
        _add_loan(rows, loan, ids[loan.reader_key], branch, group)
    return rows


def patron_ids(library: Library, *, today: date) -> dict[str, int]:
    """Voyager's number of each reader, those who are lost included."""
    keys = [*golden_readers(library, today=today), *(loan.reader_key for loan in golden_loans(library, today=today))]
    return {key: number for number, key in enumerate(dict.fromkeys(keys), start=1)}


def cents(price: str) -> int | None:
    """The amount of a free text such as `12,50 EUR` in cents; None for what is no amount."""
    digits = price.replace("EUR", "").replace("€", "").strip().replace(",", ".")
    whole, _, part = digits.partition(".")
    return int(whole) * 100 + int(part.ljust(2, "0") or 0) if whole.isdigit() else None


def moment(ymd: int, at: time = time.min) -> datetime | None:
    """A number YYYYMMDD as a DATE of Oracle holds it."""
    try:
        return datetime.combine(date(ymd // 10_000, ymd // 100 % 100, ymd % 100), at)
    except ValueError:
        return None


def _add_reader(rows: dict[str, list[Row]], reader: GoldenReader, number: int, today: date) -> None:
    last, first = reader.last, reader.first
    if not last and not first:
        last, _, first = (part.strip() for part in reader.full.partition(","))
    sms, *phones = reader.phones
    rows["patron"].append((number, last, first, sms, moment(reader.born)))
    first_id = number * 10
    _card(rows, first_id, number, reader.barcode, ACTIVE)
    town = _town(reader)
    lines = tuple("" if town and line == f"{reader.postcode} {town}" else line for line in reader.lines)
    _address(rows, first_id, number, PERMANENT, lines, reader.postcode, town)
    if reader.email:
        _address(rows, first_id + 1, number, EMAIL, (reader.email, "", "", ""))
    for kind, phone in zip(PHONE_TYPES, phones, strict=True):
        if phone:
            rows["patron_phone"].append((first_id, kind, phone))
    if number % SEVENTH == 0:
        before, later = _january(today.year - 1), _january(today.year + 1)
        _card(rows, first_id + 1, number, f"W{reader.barcode}", WITHDRAWN)
        _address(rows, first_id + 2, number, EMAIL, ("gone@example.org", "", "", ""), until=before)
        _address(rows, first_id + 3, number, MAILING, ("1 rue Quittée", "", "", ""), "34998", "AILLEURS", until=before)
        _address(rows, first_id + 4, number, MAILING, ("2 rue Future", "", "", ""), "34998", "AILLEURS", since=later)
        rows["patron_phone"] += [(first_id + place, kind, GONE_PHONE) for place in (3, 4) for kind in PHONE_TYPES]


def _card(rows: dict[str, list[Row]], card: int, number: int, barcode: str, status: int) -> None:
    if barcode:
        rows["patron_barcode"].append((card, number, barcode, status))


def _address(
    rows: dict[str, list[Row]],
    address: int,
    number: int,
    kind: int,
    lines: tuple[str, ...],
    postcode: str = "",
    town: str = "",
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> None:
    rows["patron_address"].append((address, number, kind, *lines, postcode, town, "", since, until))


def _town(reader: GoldenReader) -> str:
    """What stands after the postcode in the last line that begins with it."""
    found = [line for line in reader.lines if reader.postcode and line.startswith(f"{reader.postcode} ")]
    return found[-1].removeprefix(reader.postcode).strip() if found else ""


def _january(year: int) -> datetime:
    return datetime(year, 1, 1)


def _add_loan(rows: dict[str, list[Row]], loan: GoldenLoan, reader: int, branch: int, group: int) -> None:
    item = loan.number + 1_000_000
    rows["circ_transactions"].append((
        loan.number, item, reader, group, moment(loan.loan_ymd), branch, moment(loan.due_ymd, _EVENING),
        loan.renewals, moment(loan.due_ymd) if loan.returned else None,
    ))  # fmt: skip
    if loan.item:
        rows["item"].append((item, 1, cents(loan.item.price)))
        rows["item_barcode"] += [(item, f"0{loan.item.barcode}", WITHDRAWN), (item, loan.item.barcode, ACTIVE)]
        rows["mfhd_item"].append((item, item, loan.item.volume))
        rows["mfhd_master"].append((item, loan.item.call_number))
    if loan.state in LOST:
        rows["item_status"].append((item, LOST[loan.state]))
    rows["item_status"].append((item, 2))
    for place, (title, author) in enumerate(loan.records):
        rows["bib_text"].append((item * 10 + place, title, author))
        rows["bib_item"].append((item * 10 + place, item))
