"""The statements: what Oracle would refuse is kept out, and SQLite and the Oracle wire give the same rows."""

from __future__ import annotations

import re
from contextlib import closing

import oracledb
import pytest

from loan_reminders.domain.loans import Loan
from loan_reminders.domain.runs.extraction import COLUMNS, parse_row
from loan_reminders.domain.states import Refusal
from loan_reminders.gateways.runs.binds import bind_names
from loan_reminders.gateways.runs.loan_source import IlsLoanSource
from loan_reminders.gateways.runs.oracle_database import OracleDatabase
from sql.demo.generator import build_library
from sql.demo.oddities import ODDITIES, STAGE_DAYS
from sql.demo.tables import BINDS
from tests.scenes.aleph import ALEPH_SQL, CODES, NOW_SQL, SQL_FOLDER, TODAY, direct_rows, due_day, ymd
from tests.simulators.oracle_backend import RESERVED_BINDS
from tests.simulators.oracle_server import OracleServer

STATEMENTS = {path.parent.name: path.read_text(encoding="utf-8") for path in SQL_FOLDER.glob("*/loans_due.sql")}
DECLARED_BINDS = {"aleph": {"due_ymd", "today_ymd", "adm_library", "bib_library", "bor_library"}}
FUNCTIONS = {"cast", "coalesce", "length", "max", "min", "row_number", "substr", "trim", "varchar"}
NO_FUNCTIONS = {"and", "by", "exists", "from", "in", "join", "on", "or", "over", "select", "when", "where", "then"}
FORBIDDEN = {
    "another statement after it": r";",
    "LIMIT": r"\blimit\b",
    "ILIKE": r"\bilike\b",
    "QUALIFY": r"\bqualify\b",
    "a cast by colons": r"::",
    "an equality of two signs": r"==",
    "a boolean": r"\b(?:true|false)\b",
    "a quoted name": r'["`\[]',
    "AS before a table's alias": r"(?:\bfrom|\bjoin)\s+\w+(?:\.\w+)?\s+as\b|\)\s+as\s+\w+\s+on\b",
    "a comma before FROM": r",\s*from\b",
    "concatenation, where NULL differs": r"\|\|",
    "the empty text, which is NULL": r"(?<!')''(?!')",
    "Oracle's own outer join": r"\(\+\)",
    "Oracle's own table": r"\bdual\b",
    "the server's clock": r"\b(?:sysdate|systimestamp|current_date|current_timestamp|now)\b",
    "NULLs in an order of each server's own": r"\bdesc\b(?!\s+nulls\s+last)",
    "a hint or a write": r"\b(?:insert|update|delete|merge|drop|alter|grant)\b|/\*\+",
    "a long name": r"\b[a-z]\w{30,}\b",
    "a position instead of a name": r":\d",
}


def code_of(sql: str) -> str:
    """The statement in lower case without its comments."""
    return re.sub(r"--[^\n]*|/\*(?!\+).*?\*/", " ", sql, flags=re.DOTALL).strip().lower()


def faults(sql: str) -> list[str]:
    code = code_of(sql)
    found = [name for name, pattern in FORBIDDEN.items() if re.search(pattern, code)]
    if not code.startswith("select ") or "from" not in code.split():
        found.append("no SELECT … FROM")
    calls = set(re.findall(r"\b([a-z]\w*)\s*\(", re.sub(r"'[^']*'", "' '", code))) - NO_FUNCTIONS
    found += [f"function {name}" for name in sorted(calls - FUNCTIONS)]
    found += [f"reserved alias {name}" for name in re.findall(r"\bas\s+(\w+)\b(?!\()", code) if name in RESERVED_BINDS]
    return found + [f"reserved bind {name}" for name in sorted(bind_names(sql) & RESERVED_BINDS)]


def output_columns(sql: str) -> list[str]:
    """The names of the outer select list."""
    code, depth, items = code_of(sql).removeprefix("select"), 0, [""]
    for word in re.split(r"(\(|\)|,|\s+)", code):
        depth += (word == "(") - (word == ")")
        if depth == 0 and word == "from":
            break
        if depth == 0 and word == ",":
            items.append("")
        else:
            items[-1] += word
    return [item.split()[-1].rpartition(".")[2] for item in items]


@pytest.mark.parametrize("kind", STATEMENTS)
def test_a_statement_keeps_to_what_oracle_and_sqlite_share(kind):
    assert faults(STATEMENTS[kind]) == []


@pytest.mark.parametrize("kind", STATEMENTS)
def test_a_statement_names_its_declared_binds_and_no_other(kind):
    assert bind_names(STATEMENTS[kind]) == DECLARED_BINDS[kind]


@pytest.mark.parametrize("kind", STATEMENTS)
def test_a_statement_returns_the_columns_of_the_contract_in_their_order(kind):
    assert output_columns(STATEMENTS[kind]) == list(COLUMNS)


def test_the_documentation_names_every_column():
    documented = re.findall(r"^\| (`.*?) \|", (SQL_FOLDER / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    names = set(re.findall(r"`([a-z_0-9]+)`", " ".join(documented)))
    assert set(COLUMNS) - names == {"phone_2", "phone_3", "address_2", "address_3"}  # "phone_1 … phone_4"


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("ORDER BY z36.z36_rec_key, z36.z36_number", "ORDER BY z36.z36_rec_key LIMIT 10"),
        ("ORDER BY z36.z36_rec_key, z36.z36_number", "ORDER BY z36.z36_rec_key DESC"),
        ("ORDER BY z36.z36_rec_key, z36.z36_number", "ORDER BY z36.z36_rec_key;"),
        ("COALESCE(z36.z36_no_renewal", "IFNULL(z36.z36_no_renewal"),
        ("COALESCE(z36.z36_no_renewal", "NVL(z36.z36_no_renewal"),
        ("= 'A'", "== 'A'"),
        ("= 'A'", "= ''"),
        ("= 'A'", "= true"),
        ("FROM z36\n", "FROM z36 AS z36\n"),
        ("place = 1) card", "place = 1) AS card"),
        ("AS price_text", 'AS "price_text"'),
        ("AS price_text", "AS price_text,"),
        ("AS price_text", "AS date"),
        (":due_ymd", ":date"),
        (":due_ymd", "TO_NUMBER(TO_CHAR(SYSDATE))"),
        (":due_ymd", ":1"),
        (":due_ymd", "z36.z36_due_date::int"),
        ("TRIM(z13.z13_title)", "z13.z13_title || z13.z13_author"),
        ("SELECT z36.z36_rec_key", "WITH x AS (SELECT 1) SELECT z36.z36_rec_key"),
        ("bib_link", "bib_link_of_the_first_of_several_volumes"),
    ],
)
def test_each_rule_catches_its_fault(text, instead):
    if text == "place = 1) card":
        planted = ALEPH_SQL.replace(") card\n         ON", ") AS card ON")
    else:
        planted = ALEPH_SQL.replace(text, instead)
    assert planted != ALEPH_SQL
    assert faults(planted) != []


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
        ("MOJIBAKE", "Ã‰lise LefÃ¨vre"),
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
