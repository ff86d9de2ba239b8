"""The fictional library in the tables of Koha."""

from __future__ import annotations

from datetime import date

from sql.demo.golden import GoldenLoan, GoldenReader, golden_loans, golden_readers
from sql.demo.systems.tables import Row, Tables, amount, home, iso, reader_numbers
from sql.demo.tables import Library

LANGUAGES = {"FRE": "fr-FR", "ENG": "en", "SPA": "es-ES"}
"""What Koha calls a language; anything else is `default`."""
LOST, HELD_LONG = 1, "2026-01-05 08:00:00"


def koha_tables(library: Library, *, today: date) -> Tables:
    """The rows of every table; `issue_id` is the number of the loan, `borrowernumber` the place of the reader.

    A loan without its date was last touched at `HELD_LONG`. A day that no calendar has stays what it is: the session
    that inserts it must allow that.
    """
    readers = golden_readers(library, today=today)
    loans = golden_loans(library, today=today)
    numbers = reader_numbers(readers, loans)
    status = {loan.reader_key: loan.reader_status for loan in loans}
    tables: Tables = {name: [] for name in ("issues", "borrowers", "items", "biblio", "biblioitems", "return_claims")}
    for key, reader in readers.items():
        tables["borrowers"].append(_borrower(reader, numbers[key], status.get(key, "01")))
    records: dict[str, int] = {}
    for place, loan in enumerate(loans, start=1):
        _add_loan(tables, loan, numbers[loan.reader_key], place, records)
    codes = sorted({str(row["categorycode"]) for row in tables["borrowers"]})
    tables["categories"] = [{"categorycode": code, "overduenoticerequired": 1} for code in codes]
    tables["itemtypes"] = [{"itemtype": "01", "defaultreplacecost": None}]
    return tables


def _borrower(reader: GoldenReader, number: int, status: str) -> Row:
    street, postcode, town, country = home(reader.lines, reader.postcode)
    last, first = reader.last, reader.first
    if not last and not first and not reader.full.startswith(","):
        last, _, first = (part.strip() for part in reader.full.partition(","))
    sms, *phones = reader.phones
    return {
        "borrowernumber": number,
        "cardnumber": reader.barcode or None,
        "surname": last,
        "firstname": first,
        "address": street[0] if street else "",
        "address2": ", ".join(street[1:]),
        "city": town,
        "zipcode": postcode,
        "country": country,
        "email": reader.email,
        "smsalertnumber": sms,
        "mobile": phones[0],
        "phone": phones[1],
        "phonepro": phones[2],
        "B_phone": phones[3],
        "lang": LANGUAGES.get(reader.language, "default"),
        "categorycode": status,
        "branchcode": "BULET",
        "sort1": reader.kind,
        "dateofbirth": iso(reader.born),
    }


def _add_loan(tables: Tables, loan: GoldenLoan, borrower: int, place: int, records: dict[str, int]) -> None:
    record = loan.item_key[:9]
    if record not in records:
        records[record] = len(records) + 1
        tables["biblioitems"].append({"biblioitemnumber": records[record], "biblionumber": records[record]})
        if loan.records:
            title, author = loan.records[0]
            tables["biblio"].append({"biblionumber": records[record], "title": title, "author": author})
    item = loan.item
    tables["items"].append(
        {
            "itemnumber": place,
            "biblionumber": records[record],
            "biblioitemnumber": records[record],
            "barcode": item.barcode if item else None,
            "itemcallnumber": item.call_number if item else None,
            "homebranch": loan.branch,
            "holdingbranch": loan.branch,
            "itemlost": LOST if loan.state == "L" else 0,
            "replacementprice": amount(item.price) if item else None,
            "enumchron": item.volume if item else None,
            "itype": loan.item_status,
        }
    )
    if loan.state == "C":
        tables["return_claims"].append({"itemnumber": place, "issue_id": loan.number, "resolved_on": None})
    tables["issues"].append(
        {
            "issue_id": loan.number,
            "borrowernumber": borrower,
            "itemnumber": place,
            "date_due": iso(loan.due_ymd, "23:59:00"),
            "branchcode": loan.branch,
            "returndate": iso(loan.due_ymd, "10:00:00") if loan.returned else None,
            "renewals_count": loan.renewals,
            "timestamp": HELD_LONG,
            "issuedate": iso(loan.loan_ymd, "11:12:13"),
        }
    )
