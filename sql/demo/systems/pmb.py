"""The fictional library in the tables of PMB."""

from __future__ import annotations

from datetime import date

from sql.demo.golden import GoldenLoan, GoldenReader, golden_loans, golden_readers
from sql.demo.people import BRANCHES
from sql.demo.systems.tables import Row, Tables, home, iso, reader_numbers
from sql.demo.tables import Library

LANGUAGES = {"FRE": "fr_FR", "ENG": "en_UK", "SPA": "es_ES"}
KINDS = {"ET": 1, "EN": 2, "EX": 3}
NO_DATE = "0000-00-00 00:00:00"
STATUSES = {"A": 1, "L": 13, "C": 14}
"""A status of items for each state of a loan: PMB knows none but those that the site makes."""
WIDEST = "\uffff"


def pmb_tables(library: Library, *, today: date) -> Tables:
    """The rows of every table; `pret_arc_id` is the number of the loan, `id_empr` the place of the reader.

    What was returned is not there. A sign that three bytes cannot hold is `?`, as PMB's own server writes it.
    """
    readers = golden_readers(library, today=today)
    loans = [loan for loan in golden_loans(library, today=today) if not loan.returned]
    numbers = reader_numbers(readers, loans)
    status = {loan.reader_key: loan.reader_status for loan in loans}
    tables: Tables = {name: [] for name in ("pret", "empr", "exemplaires", "notices", "authors", "responsability")}
    for key, reader in readers.items():
        tables["empr"].append(_reader(reader, numbers[key], status.get(key, "01")))
    authors: dict[str, int] = {}
    for place, loan in enumerate(loans, start=1):
        _add_loan(tables, loan, numbers[loan.reader_key], place, authors)
    return {table: [_in_three_bytes(row) for row in rows] for table, rows in tables.items()}


def three_bytes(text: str) -> str:
    """The text as a column of three-byte UTF-8 keeps it."""
    return "".join(sign if sign <= WIDEST else "?" for sign in text)


def _in_three_bytes(row: Row) -> Row:
    return {name: three_bytes(value) if isinstance(value, str) else value for name, value in row.items()}


def _reader(reader: GoldenReader, number: int, status: str) -> Row:
    street, postcode, town, country = home(reader.lines, reader.postcode)
    last, first = reader.last, reader.first
    if not last and not first and not reader.full.startswith(","):
        last, _, first = (part.strip() for part in reader.full.partition(","))
    phones = [phone for phone in reader.phones if phone]
    return {
        "id_empr": number,
        "empr_cb": reader.barcode or None,
        "empr_nom": last,
        "empr_prenom": first,
        "empr_adr1": street[0] if street else "",
        "empr_adr2": ", ".join(street[1:]),
        "empr_cp": postcode,
        "empr_ville": town,
        "empr_pays": country,
        "empr_mail": reader.email,
        "empr_tel1": phones[0] if phones else "",
        "empr_tel2": " ; ".join(phones[1:]),
        "empr_sms": int(bool(phones)),
        "empr_categ": int(status),
        "empr_codestat": KINDS.get(reader.kind, 0),
        "empr_lang": LANGUAGES.get(reader.language, "fr_FR"),
        "empr_year": reader.born // 10_000,
    }


def _add_loan(tables: Tables, loan: GoldenLoan, reader: int, place: int, authors: dict[str, int]) -> None:
    """A loan, its item and a record for it: a record is of one item, since the volume stands there.

    An item that the golden library has lost is deleted, and nothing leads to its record any more.
    """
    item = loan.item
    if loan.records:
        title, author = loan.records[0]
        tables["notices"].append({"notice_id": place, "tit1": title, "tnvol": item.volume if item else ""})
        if author and author not in authors:
            authors[author] = len(authors) + 1
            name, _, forename = author.partition(", ")
            tables["authors"].append({"author_id": authors[author], "author_name": name, "author_rejete": forename})
        if author:
            tables["responsability"].append({"responsability_author": authors[author], "responsability_notice": place})
    if item:
        tables["exemplaires"].append(
            {
                "expl_id": place,
                "expl_cb": item.barcode,
                "expl_notice": place,
                "expl_cote": item.call_number,
                "expl_prix": item.price,
                "expl_statut": STATUSES[loan.state],
                "expl_location": BRANCHES.index(loan.branch) + 1,
            }
        )
    tables["pret"].append(
        {
            "pret_idempr": reader,
            "pret_idexpl": place,
            "pret_date": iso(loan.loan_ymd, "11:12:13") or NO_DATE,
            "pret_retour": iso(loan.due_ymd),
            "pret_arc_id": loan.number,
            "cpt_prolongation": loan.renewals,
        }
    )
