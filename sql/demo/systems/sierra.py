"""The fictional library in the views of Sierra, which are tables here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from sql.demo.golden import GoldenLoan, GoldenReader, golden_loans, golden_readers
from sql.demo.systems.tables import Row, Tables, amount, home, iso, reader_numbers, real_day
from sql.demo.tables import Library

PATRONS, ITEMS, BIBS = 481_000_000_000, 450_000_000_000, 420_000_000_000
"""Where the ids of a kind of record begin: the system keeps all kinds in one row of numbers."""
LANGUAGES = {"FRE": "fre", "ENG": "eng", "SPA": "spa"}
PHONE_TYPES = {1: "t", 2: "p", 3: "o"}
MOBILE = 3
PCODES = {"ET": 1, "EN": 2, "EX": 3}
STATUSES = {"A": "-", "L": "n", "C": "z"}


def sierra_tables(library: Library, *, today: date) -> Tables:
    """The rows of every table; the id of a checkout is the number of the loan, `record_num` the place of the reader.

    What was returned is not there. PostgreSQL can hold no impossible day and no NUL: the first is left open, the
    second left out.
    """
    readers = golden_readers(library, today=today)
    loans = [loan for loan in golden_loans(library, today=today) if not loan.returned]
    numbers = reader_numbers(readers, loans)
    status = {loan.reader_key: loan.reader_status for loan in loans}
    tables: Tables = {
        f"sierra_view.{name}": []
        for name in (
            "record_metadata",
            "patron_record",
            "patron_record_fullname",
            "patron_record_address",
            "patron_record_phone",
            "varfield",
            "item_record",
            "item_record_property",
            "bib_record_item_record_link",
            "bib_record_property",
            "checkout",
        )
    }
    tables["sierra_view.patron_record_phone_type"] = [{"id": key, "code": code} for key, code in PHONE_TYPES.items()]
    for key, reader in readers.items():
        _add_reader(tables, reader, numbers[key], status.get(key, "01"))
    bibs: dict[str, int] = {}
    for place, loan in enumerate(loans, start=1):
        _add_loan(tables, loan, PATRONS + numbers[loan.reader_key], place, bibs)
    return {table: [_without_nul(row) for row in rows] for table, rows in tables.items()}


def _without_nul(row: Row) -> Row:
    return {name: value.replace("\x00", "") if isinstance(value, str) else value for name, value in row.items()}


def _add_reader(tables: Tables, reader: GoldenReader, number: int, status: str) -> None:
    record = PATRONS + number
    street, postcode, town, country = home(reader.lines, reader.postcode)
    last, first = reader.last, reader.first
    if not last and not first and not reader.full.startswith(","):
        last, _, first = (part.strip() for part in reader.full.partition(","))
    _put(tables, "record_metadata", id=record, record_type_code="p", record_num=number, campus_code="")
    _put(
        tables,
        "patron_record",
        id=record,
        ptype_code=int(status),
        pcode1="-",
        pcode2="-",
        pcode3=PCODES.get(reader.kind, 0),
        pcode4=0,
        iii_language_pref_code=LANGUAGES.get(reader.language),
        birth_date_gmt=iso(reader.born) if real_day(reader.born) else None,
    )
    _put(tables, "patron_record_fullname", patron_record_id=record, display_order=0, last_name=last, first_name=first)
    _put(
        tables,
        "patron_record_address",
        patron_record_id=record,
        patron_record_address_type_id=1,
        display_order=0,
        addr1=street[0] if street else "",
        addr2=street[1] if street[1:] else "",
        addr3=", ".join(street[2:]),
        village="",
        city=town,
        region="",
        postal_code=postcode,
        country=country,
    )
    for kind, order, phone in _phones(reader.phones):
        _put(
            tables,
            "patron_record_phone",
            patron_record_id=record,
            patron_record_phone_type_id=kind,
            display_order=order,
            phone_number=phone,
        )
    for code, content in (("z", reader.email), ("b", reader.barcode)):
        if content:
            _put(tables, "varfield", record_id=record, varfield_type_code=code, occ_num=0, field_content=content)


def _phones(phones: tuple[str, ...]) -> Iterator[tuple[int, int, str]]:
    """Type, order and number: SMS, main, alternate, second SMS, second main; an empty first keeps its place."""
    for place, (kind, phone) in enumerate(zip((MOBILE, 1, 2, MOBILE, 1), phones, strict=True)):
        if phone or place < 2:
            yield kind, place, phone


def _add_loan(tables: Tables, loan: GoldenLoan, patron: int, place: int, bibs: dict[str, int]) -> None:
    record, document = ITEMS + place, loan.item_key[:9]
    _put(tables, "record_metadata", id=record, record_type_code="i", record_num=place, campus_code="")
    _put(
        tables,
        "item_record",
        id=record,
        location_code=loan.branch,
        item_status_code=STATUSES[loan.state],
        price=amount(loan.item.price) if loan.item else None,
    )
    if loan.item:
        _put(
            tables,
            "item_record_property",
            item_record_id=record,
            barcode=loan.item.barcode,
            call_number=loan.item.call_number.replace("$$", "|"),
        )
        if loan.item.volume:
            _put(
                tables, "varfield", record_id=record, varfield_type_code="v", occ_num=0, field_content=loan.item.volume
            )
    for order, (title, author) in enumerate(loan.records):
        name = f"{document}.{order}"
        if name not in bibs:
            bibs[name] = BIBS + len(bibs) + 1
            _put(tables, "bib_record_property", bib_record_id=bibs[name], best_title=title, best_author=author)
        _put(
            tables,
            "bib_record_item_record_link",
            bib_record_id=bibs[name],
            item_record_id=record,
            bibs_display_order=order,
        )
    _put(
        tables,
        "checkout",
        id=loan.number,
        patron_record_id=patron,
        item_record_id=record,
        due_gmt=iso(loan.due_ymd, "04:00:00"),
        loanrule_code_num=1,
        renewal_count=loan.renewals,
        checkout_gmt=iso(loan.loan_ymd, "11:12:13") if real_day(loan.loan_ymd) else None,
    )


def _put(tables: Tables, table: str, **row: object) -> None:
    tables[f"sierra_view.{table}"].append(row)
