"""The fictional library in no system's own shape: its readers and loans as any library system must tell of them.

The generators for other systems fill their tables from here, and the tests of every source expect the same rows:
`golden_row` is what the extraction contract says of a loan. It is worked out in Python from the rows of the Aleph
tables, apart from any SQL, so that it judges the statements instead of repeating them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from sql.demo.people import ADDRESS_LINE
from sql.demo.tables import ADM_LIBRARY, BIB_LIBRARY, BOR_LIBRARY, TABLES, Library

ADDRESS_ORDER = (2, 1)
"""The mailing address before the permanent one, as library.toml asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenReader:
    """A reader with what holds on the day of the run; "" for what is not known.

    `phones` are the SMS field and the four telephones, `lines` the four lines of the address without the name, `born`
    a number YYYYMMDD, 0 or one that no calendar has too.
    """

    key: str
    barcode: str
    kind: str
    last: str
    first: str
    full: str
    language: str
    email: str
    phones: tuple[str, ...]
    lines: tuple[str, ...]
    postcode: str
    born: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenItem:
    """A copy on the shelves, as its label and record say."""

    barcode: str
    call_number: str
    volume: str
    price: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenLoan:
    """A loan of `item_key` to `reader_key`, known by `number`; dates are numbers YYYYMMDD, wrong ones too.

    `state` is A on loan, L lost, C claimed returned. `reader` and `item` are None where the system has lost them;
    `records` are title and author of the bibliographic records bound in one volume, the first counts.
    """

    number: int
    item_key: str
    reader_key: str
    state: str
    returned: bool
    loan_ymd: int
    due_ymd: int
    renewals: int
    branch: str
    item_status: str
    reader_status: str
    reader: GoldenReader | None
    item: GoldenItem | None
    records: tuple[tuple[str, str], ...]

    @property
    def birth_ymd(self) -> int | None:
        """The reader's birth date, for the tests that ask for it; it is none of the columns of every row."""
        return self.reader.born if self.reader else None

    @property
    def listed(self) -> bool:
        """Whether the extraction is to return it on its due day."""
        return self.state == "A" and not self.returned


def golden_loans(library: Library, *, today: date) -> list[GoldenLoan]:
    """Every loan the library's system knows of, in the order of its items, lost and returned ones included."""
    readers = golden_readers(library, today=today)
    items = {str(row["rec_key"]): _item(row) for row in _named(library, "z30")}
    records = _records(library)
    loans = [
        GoldenLoan(
            number=_number(row["number"]),
            item_key=str(row["rec_key"]),
            reader_key=_text(row["id"]),
            state=_text(row["status"]),
            returned=row["returned_date"] != 0,
            loan_ymd=_number(row["loan_date"]),
            due_ymd=_number(row["due_date"]),
            renewals=_number(row["no_renewal"]),
            branch=_text(row["sub_library"]),
            item_status=_text(row["item_status"]),
            reader_status=_text(row["bor_status"]),
            reader=readers.get(_text(row["id"])),
            item=items.get(str(row["rec_key"])),
            records=tuple(records.get(str(row["rec_key"])[:9], ())),
        )
        for row in _named(library, "z36")
    ]
    return sorted(loans, key=lambda loan: (loan.item_key, loan.number))


def golden_readers(library: Library, *, today: date) -> dict[str, GoldenReader]:
    """Every reader by identifier, with the address, telephones and e-mail address that hold today."""
    rights = {_text(str(row["rec_key"])[:12]): row for row in _named(library, "z305") if _in_library(row)}
    cards = {_text(row["id"]): _text(str(row["rec_key"])[2:]) for row in _named(library, "z308") if _is_card(row)}
    addresses: dict[str, list[Mapping[str, object]]] = {}
    for row in sorted(_named(library, "z304"), key=_preference):
        if _valid(row, today):
            addresses.setdefault(_text(str(row["rec_key"])[:12]), []).append(row)
    readers = {}
    for row in _named(library, "z303"):
        key = _text(row["rec_key"])
        homes = addresses.get(key, [])
        readers[key] = GoldenReader(
            key=key,
            barcode=cards.get(key, ""),
            kind=_text(rights[key]["bor_type"]) if key in rights else "",
            last=_text(row["last_name"]),
            first=_text(row["first_name"]),
            full=_text(row["name"]),
            language=_text(row["con_lng"]),
            email=next((found for home in homes if (found := _text(home["email_address"]))), ""),
            born=_number(row["birth_date"]),
            **_home(homes),
        )
    return readers


def golden_row(loan: GoldenLoan) -> dict[str, object]:
    """What the extraction contract says of a loan, with the identifiers and dates of Aleph; None for nothing."""
    reader, item = loan.reader, loan.item
    title, author = loan.records[0] if loan.records else ("", "")
    phones, lines = (reader.phones, reader.lines) if reader else (("",) * 5, ("",) * 4)
    texts = {
        "loan_key": loan.item_key,
        "patron_id": loan.reader_key,
        "patron_barcode": reader.barcode if reader else "",
        "patron_status": loan.reader_status,
        "patron_type": reader.kind if reader else "",
        "last_name": reader.last if reader else "",
        "first_name": reader.first if reader else "",
        "full_name": reader.full if reader else "",
        "language": reader.language if reader else "",
        "email": reader.email if reader else "",
        **dict(zip(("phone_sms", "phone_1", "phone_2", "phone_3", "phone_4"), phones, strict=True)),
        **{f"address_{place}": line for place, line in enumerate(lines, start=1)},
        "postcode": reader.postcode if reader else "",
        "city": "",
        "country": "",
        "title": title,
        "author": author,
        "call_number": item.call_number if item else "",
        "volume": item.volume if item else "",
        "item_barcode": item.barcode if item else "",
        "branch": loan.branch,
        "item_status": loan.item_status,
        "price_text": item.price if item else "",
    }
    numbers = {
        "loan_number": loan.number,
        "loan_date": loan.loan_ymd,
        "due_date": loan.due_ymd,
        "renewal_count": loan.renewals,
    }
    return {name: value or None for name, value in texts.items()} | numbers


def golden_rows(loans: Iterable[GoldenLoan], due: date) -> list[dict[str, object]]:
    """The rows that the extraction of one due day is to return, in the order of the items."""
    ymd = due.year * 10_000 + due.month * 100 + due.day
    return [golden_row(loan) for loan in loans if loan.listed and loan.due_ymd == ymd]


def _named(library: Library, table: str) -> Iterable[Mapping[str, object]]:
    return (dict(zip(TABLES[table], row, strict=True)) for row in library.rows[table])


def _text(value: object) -> str:
    return str(value).strip(" ")


def _number(value: object) -> int:
    return int(str(value))


def _in_library(row: Mapping[str, object]) -> bool:
    return _text(str(row["rec_key"])[12:]) == BOR_LIBRARY


def _is_card(row: Mapping[str, object]) -> bool:
    return str(row["rec_key"]).startswith("01") and row["status"] == "AC"


def _preference(row: Mapping[str, object]) -> tuple[int, str]:
    kind = _number(row["address_type"])
    place = ADDRESS_ORDER.index(kind) if kind in ADDRESS_ORDER else len(ADDRESS_ORDER)
    return place, str(row["rec_key"])


def _valid(row: Mapping[str, object], today: date) -> bool:
    first, last = _number(row["date_from"]), _number(row["date_to"])
    ymd = today.year * 10_000 + today.month * 100 + today.day
    return first <= ymd and (last == 0 or last >= ymd)


def _home(homes: list[Mapping[str, object]]) -> dict[str, tuple[str, ...] | str]:
    """The first address with a line or a postcode, and the first telephones: those with a number for SMS come first."""
    postal = next(
        ((lines, code) for home in homes if any((*(lines := _lines(home)), code := _text(home["zip"])))), None
    )
    phones = sorted((found for home in homes if any(found := _phones(home))), key=lambda found: not found[0])
    lines, postcode = postal or (("",) * 4, "")
    return {"phones": phones[0] if phones else ("",) * 5, "lines": lines, "postcode": postcode}


def _lines(home: Mapping[str, object]) -> tuple[str, ...]:
    block = str(home["address"])
    return tuple(_text(block[place * ADDRESS_LINE : (place + 1) * ADDRESS_LINE]) for place in range(1, 5))


def _phones(home: Mapping[str, object]) -> tuple[str, ...]:
    fields = ("sms_number", "telephone", "telephone_2", "telephone_3", "telephone_4")
    return tuple(_text(home[name]) for name in fields)


def _item(row: Mapping[str, object]) -> GoldenItem:
    return GoldenItem(
        barcode=_text(row["barcode"]),
        call_number=_text(row["call_no"]),
        volume=_text(row["description"]),
        price=_text(row["price"]),
    )


def _records(library: Library) -> dict[str, list[tuple[str, str]]]:
    """Title and author of the records of each administrative document, in the order of the records."""
    books = {str(row["rec_key"]): (_text(row["title"]), _text(row["author"])) for row in _named(library, "z13")}
    found: dict[str, list[tuple[str, str]]] = {}
    for row in sorted(_named(library, "z103"), key=lambda row: str(row["rec_key_1"])):
        owner, record = str(row["rec_key"]), str(row["rec_key_1"])
        if owner.startswith(ADM_LIBRARY) and record.startswith(BIB_LIBRARY) and record[5:14] in books:
            found.setdefault(owner[5:14], []).append(books[record[5:14]])
    return found
