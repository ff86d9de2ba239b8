"""Aleph's statement: SQLite and the Oracle wire give the same rows, and every oddity comes as it is.

What an engine would refuse is kept out by tests/lint/test_sql_rules.py.
"""

from __future__ import annotations

import re
from contextlib import closing

import oracledb
import pytest

from loan_reminders.domain.loans import Loan
from loan_reminders.domain.runs.extraction import COLUMNS, parse_row
from loan_reminders.domain.states import Refusal
from loan_reminders.gateways.runs.loan_source import IlsLoanSource
from loan_reminders.gateways.runs.oracle_database import OracleDatabase
from sql.demo.generator import build_library
from sql.demo.oddities import ODDITIES, STAGE_DAYS
from sql.demo.tables import BINDS
from tests.scenes.aleph import ALEPH_SQL, CODES, NOW_SQL, SQL_FOLDER, TODAY, direct_rows, due_day, ymd
from tests.simulators.oracle_server import OracleServer


def test_the_documentation_names_every_column():
    documented = re.findall(r"^\| (`.*?) \|", (SQL_FOLDER / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    names = set(re.findall(r"`([a-z_0-9]+)`", " ".join(documented)))
    assert set(COLUMNS) - names == {"phone_2", "phone_3", "address_2", "address_3"}  # "phone_1 … phone_4"


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    path = tmp_path_factory.mktemp("ils") / "library.db"
    build_library(path, today=TODAY, patrons=300, loans=1500)
    return path


@pytest.fixture(scope="module")
def server(database):
    with OracleServer(database) as running:
        yield running


@pytest.fixture(scope="module")
def courtesy(database):
    """What becomes of the rows of the courtesy notice, by oddity; the last of several loans."""
    rows = direct_rows(database, due_day("C"))
    parsed = {}
    for row in rows:
        code, _, stage = str(row["patron_id"]).partition("-")
        if stage == "C" and row["loan_date"] not in (0, 20260231):
            parsed[code] = parse_row(row, CODES)
    return parsed


@pytest.mark.parametrize("stage", STAGE_DAYS)
def test_sqlite_and_the_oracle_wire_give_the_same_rows(database, server, stage):
    due = due_day(stage)
    binds = {**BINDS, "due_ymd": ymd(due), "today_ymd": ymd(TODAY)}
    with closing(oracledb.connect(user=server.user, password=server.password, dsn=server.dsn)) as connection:
        cursor = connection.cursor()
        cursor.execute(ALEPH_SQL, binds)
        names = [column[0].lower() for column in cursor.description]
        wire = [dict(zip(names, row, strict=True)) for row in cursor]
    direct = direct_rows(database, due)
    assert len(direct) > 3
    assert wire == direct


def test_every_listed_oddity_is_there_and_no_other(database):
    for stage in STAGE_DAYS:
        expected = {
            oddity.patron_id(stage): oddity.loans for oddity in ODDITIES if stage in oddity.on and oddity.listed
        }
        found = [row["patron_id"] for row in direct_rows(database, due_day(stage)) if "-" in str(row["patron_id"])]
        assert {patron: found.count(patron) for patron in found} == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("ONEIL", "Aoife O'Neil"),
        ("FULLNAME", "Élise DUPONT"),
        ("NONAME", ""),
        ("NOREADER", ""),
        ("MOJIBAKE", "Élise Lefèvre"),
        ("TEMPLATE", "{{ 7 * 7 }} {% raw %}"),
        ("SCRIPT", "<script>alert(1)</script> <b>Gras</b>"),
        ("QUOTES", 'Jean "Le Grand" d’Arc « la » `Vive`'),
        ("EMOJI", "Zoé 🌈 Soleil👩\u200d🚀"),
        ("ARABIC", "ليلى بن علي"),
        ("CHINESE", "伟 王"),
        ("ACCENTS", "Élise Częstochowska-Gödel"),
        ("REVERSED", "eilA Martin"),
        ("SPACES", "Anne Marie Le Goff"),
    ],
)
def test_a_readers_name(courtesy, code, expected):
    assert courtesy[code].patron.name == expected


@pytest.mark.parametrize(
    ("code", "field", "expected"),
    [
        ("NOTITLE", "title", ""),
        ("NOITEM", "item_barcode", ""),
        ("NOITEM", "title", "Le livre qui manque"),
        ("NOBIB", "title", ""),
        ("TWOBIBS", "title", "Premier relié"),
        ("HEADERS", "title", "Titre Bcc: tous@example.org"),
        ("HEADERS", "author", "Nom Subject: autre"),
        ("SUBFIELDS", "call_number", "843 PRO"),
        ("SUBFIELDS", "volume", "t. 2, vol. 1"),
        ("BADPRICE", "price_text", "12,50 EUR"),
        ("SHORTLOAN", "length_days", 3),
        ("TEACHER", "length_days", 60),
    ],
)
def test_a_document(courtesy, code, field, expected):
    loan = courtesy[code]
    assert isinstance(loan, Loan)
    assert getattr(loan, field) == expected


@pytest.mark.parametrize(
    ("code", "column", "expected"),
    [
        ("TWOADDR", "address_1", "Chez Mme Roux"),
        ("TWOADDR", "email", "twoaddr-c@etu.example.org"),
        ("EXPIREDAD", "email", None),
        ("EXPIREDAD", "address_1", None),
        ("OPENEND", "address_1", "3 rue des Platanes"),
        ("NOADDRESS", "address_1", None),
        ("UNKNOWN", "patron_status", "99"),
        ("SHORT", "patron_id", "SHORT-C"),
    ],
)
def test_what_the_statement_finds_of_a_reader(database, code, column, expected):
    (row,) = [row for row in direct_rows(database, due_day("C")) if row["patron_id"] == f"{code}-C"]
    assert row[column] == expected


def test_a_reader_who_is_nobodys_has_no_recipient(courtesy):
    patron = courtesy["NOREADER"].patron
    assert (patron.email, patron.mobile, patron.address) == (Refusal.MISSING,) * 3


@pytest.mark.parametrize(("code", "fault"), [("NOLOANDATE", "missing"), ("BADDATE", "not_a_date")])
def test_a_loan_without_a_readable_date_is_rejected_and_stops_no_other(server, code, fault):
    source = IlsLoanSource(
        OracleDatabase(lambda: oracledb.connect(user=server.user, password=server.password, dsn=server.dsn)),
        sql=ALEPH_SQL,
        now_sql=NOW_SQL,
        binds=BINDS,
        codes=CODES,
    )
    results = list(source.loans_due(due_day("C"), today=TODAY))
    (rejected,) = [row for row in results if not isinstance(row, Loan) and row.patron_id == f"{code}-C"]
    assert (rejected.code, rejected.column) == (fault, "loan_date")
    assert rejected.raw["title"] == "Le livre qui manque"
    assert sum(isinstance(row, Loan) for row in results) > 50
