"""Aleph, Voyager and a site's view: the same golden loans from each, on SQLite itself and on the Oracle wire."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import datetime, time, timedelta

import oracledb
import pytest

from loan_reminders.domain.errors import IlsRejected
from loan_reminders.domain.loans import Loan
from loan_reminders.gateways.runs.loan_source import IlsLoanSource
from loan_reminders.gateways.runs.oracle_database import OracleDatabase
from sql.demo.oddities import STAGE_DAYS
from sql.demo.voyager import GONE_PHONE, MAILING, PHONE_TYPES, SEVENTH, cents
from tests.scenes.aleph import CODES, MINORS, SQL_FOLDER, TODAY, due_day
from tests.scenes.sources import SOURCES, VOYAGER, in_order, on_sqlite, told
from tests.simulators.oracle_server import OracleServer


@pytest.fixture(scope="module", params=SOURCES)
def source(request):
    return SOURCES[request.param]


@pytest.fixture(scope="module")
def database(source, library, tmp_path_factory):
    path = tmp_path_factory.mktemp("ils") / "library.db"
    source.write(path, library)
    return path


@pytest.fixture(scope="module")
def server(database, source):
    with OracleServer(database, types=source.types) as running:
        yield running


def gateway(server, source, *, sql="", codes=CODES):
    def connect():
        return oracledb.connect(user=server.user, password=server.password, dsn=server.dsn)

    return IlsLoanSource(
        OracleDatabase(connect),
        sql=sql or source.due_sql,
        now_sql=source.now_sql,
        binds=source.binds,
        codes=codes,
    )


def as_told(found):
    return in_order(one if isinstance(one, Loan) else (one.loan_id, one.patron_id, one.column) for one in found)


@pytest.mark.parametrize("stage", STAGE_DAYS)
def test_every_source_finds_the_golden_loans(database, source, library, stage):
    expected = source.expected(library, due_day(stage))
    assert len(expected) > 3
    assert in_order(told(row) for row in on_sqlite(database, source, due_day(stage))) == expected


@pytest.mark.parametrize("stage", "CO")
def test_and_the_same_on_the_oracle_wire(server, source, library, stage):
    found = gateway(server, source).loans_due(due_day(stage), today=TODAY)
    assert as_told(found) == source.expected(library, due_day(stage))


@pytest.mark.parametrize("source", ["aleph", "voyager"], indirect=True)
def test_who_is_a_minor_is_told_where_it_is_asked_and_else_no_birth_date_is_read(server, source, library):
    day, codes = due_day("C"), replace(CODES, consent=MINORS)
    server.statements.clear()
    assert not any(one.patron.minor for one in gateway(server, source).loans_due(day, today=TODAY)
                   if isinstance(one, Loan))  # fmt: skip
    assert "birth" not in " ".join(server.statements)
    found = as_told(gateway(server, source, sql=source.minors_sql, codes=codes).loans_due(day, today=TODAY))
    assert "birth_date" in " ".join(server.statements)
    assert found == source.expected(library, day, codes=codes)
    assert {one.patron.minor for one in found if isinstance(one, Loan)} == {True, False}
    with pytest.raises(IlsRejected, match="ne rend pas les colonnes : birth_date"):
        list(gateway(server, source, codes=codes).loans_due(day, today=TODAY))


def test_the_present_date_of_each_loan_that_is_open(server, source, library):
    loans = [one for one in source.expected(library, due_day("O")) if isinstance(one, Loan)]
    found = gateway(server, source).due_dates_now([loan.loan_id for loan in loans] + ["999999", "999999-1"])
    assert found == {loan.loan_id: due_day("O") for loan in loans}


def plan(database, sql, binds):
    with closing(sqlite3.connect(database)) as connection:
        steps = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", binds)]
    return [step for step in steps if step.startswith(("SCAN", "SEARCH"))]


LISTS_OF_CODES = {"it", "pg", "l"}
"""Voyager's types of items, groups of readers, locations: a handful of rows."""


def test_no_table_is_read_whole(database, source):
    binds = {name: str(value) for name, value in source.values(due_day("C")).items()}
    steps = plan(database, source.due_sql, binds)
    assert len(steps) > 2
    assert [step for step in steps if step.startswith("SCAN") and step.split()[1] not in LISTS_OF_CODES] == []
    now = plan(database, source.now_sql, {**source.binds, "loan_key": "1", "loan_number": "1", "loan_key_as_number": 1})
    assert [step for step in now if step.startswith("SCAN")] == []


@pytest.fixture
def voyager(library, tmp_path):
    VOYAGER.write(tmp_path / "library.db", library)
    return tmp_path / "library.db"


def changed(path, *statements):
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)
    return {row["loan_key"]: row for row in on_sqlite(path, VOYAGER, due_day("O"))}


def test_voyagers_traps_are_there_and_none_is_walked_into(voyager):
    with closing(sqlite3.connect(voyager)) as connection:
        (traps,) = connection.execute(
            "SELECT COUNT(*) FROM patron_address"
            " WHERE address_line1 IN ('gone@example.org', '1 rue Quittée', '2 rue Future')"
        ).fetchone()
    assert traps > 3 * 300 // SEVENTH // 2
    rows = changed(voyager)
    assert {row["email"] for row in rows.values()} & {"gone@example.org"} == set()
    assert GONE_PHONE not in {row[name] for row in rows.values() for name in PHONES}
    assert not any(str(row["patron_barcode"]).startswith("W") for row in rows.values())
    assert not any(str(row["item_barcode"]).startswith("0") for row in rows.values())


def test_a_reader_of_voyager_whose_mailing_address_holds_is_written_to_there(voyager):
    before = changed(voyager)
    key, row = next((key, row) for key, row in before.items() if row["address_1"])
    after = changed(
        voyager,
        "INSERT INTO patron_address (address_id, patron_id, address_type, address_line1, effect_date)"
        f" VALUES (9999999, {row['patron_id']}, 2, 'Chez Mme Roux', '2026-02-01 00:00:00')",
        f"INSERT INTO patron_barcode VALUES (9999999, {row['patron_id']}, 'NEW', 1)",
        "INSERT INTO patron_phone VALUES (9999999, 2, '06 99 99 99 99')",
    )
    assert (after[key]["address_1"], after[key]["patron_barcode"]) == ("Chez Mme Roux", "NEW")
    assert after[key]["email"] == row["email"]
    assert after[key]["phone_1"] == "06 99 99 99 99"


PHONES = ("phone_1", "phone_2", "phone_3", "phone_4")
ADDRESS = "INSERT INTO patron_address (address_id, patron_id, address_type, effect_date, expire_date) VALUES"
PHONE = "INSERT INTO patron_phone VALUES"


@pytest.mark.parametrize(
    ("since", "until", "number", "told"),
    [
        ("NULL", "'2026-03-01 00:00:00'", "99", False),
        ("'2026-04-01 00:00:00'", "NULL", "99", False),
        ("NULL", "'2026-04-01 00:00:00'", " ", False),
        ("NULL", "NULL", "99", True),
        ("'2026-02-01 00:00:00'", "'2026-04-01 00:00:00'", "00", True),
    ],
    ids=["over", "not begun", "empty", "greater", "smaller"],
)
@pytest.mark.parametrize("place", range(4))
def test_a_telephone_of_voyager_is_of_the_youngest_address_that_holds_today(voyager, place, since, until, number, told):
    key, row = next(iter(changed(voyager).items()))
    reader, kind, column = row["patron_id"], PHONE_TYPES[place], PHONES[place]
    after = changed(
        voyager,
        f"{ADDRESS} (9999998, {reader}, {MAILING}, NULL, NULL), (9999999, {reader}, {MAILING}, {since}, {until})",
        f"{PHONE} (9999998, {kind}, '50'), (9999999, {kind}, '{number}')",
    )
    assert after[key][column] == (number if told else "50")
    assert {name: after[key][name] for name in PHONES if name != column} == {
        name: row[name] for name in PHONES if name != column
    }


@pytest.mark.parametrize("hour", [time(0, 0), time(14, 0), time(23, 59, 59)])
def test_a_loan_is_of_its_day_at_any_hour(voyager, hour):
    before = changed(voyager)
    at = datetime.combine(due_day("O"), hour)
    assert changed(voyager, f"UPDATE circ_transactions SET current_due_date = '{at}' WHERE circ_transaction_id = "
                   f"{min(before)}").keys() == before.keys()  # fmt: skip
    for other in (at - timedelta(days=1), at + timedelta(days=1)):
        left = changed(voyager, f"UPDATE circ_transactions SET current_due_date = '{other}' WHERE circ_transaction_id"
                       f" = {min(before)}")  # fmt: skip
        assert before.keys() - left.keys() == {min(before)}


@pytest.mark.parametrize("status", [13, 14, 15])
def test_a_lost_item_and_one_that_the_reader_says_is_returned_are_left_out(voyager, status):
    before = changed(voyager)
    left = changed(voyager, f"INSERT INTO item_status VALUES ({min(before) + 1_000_000}, {status})")
    assert before.keys() - left.keys() == {min(before)}
    with OracleServer(voyager, types=VOYAGER.types) as server:
        ids = [str(loan) for loan in sorted(before)[:2]]
        assert gateway(server, VOYAGER).due_dates_now(ids).keys() == {ids[1]}
        assert gateway(server, VOYAGER).on_loan_now(ids) == dict.fromkeys(ids, due_day("O"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("25,00 EUR", 2500), ("12,5", 1250), ("39.90", 3990), ("18", 1800), ("64,00 €", 6400), ("NC", None), ("", None)],
)
def test_a_price_in_cents(text, expected):
    assert cents(text) == expected


def test_the_three_definitions_of_the_view_differ_in_nothing_but_their_types():
    engines = ("oracle", "postgresql", "mariadb")
    texts = [(SQL_FOLDER / "view" / f"create_{engine}.sql").read_text(encoding="utf-8") for engine in engines]
    bodies = {" ".join(text.partition("CREATE VIEW")[2].partition(";")[0].split()) for text in texts}
    assert len(bodies) == 3
    assert len({re.sub(r"VARCHAR2?\(", "CHAR(", body) for body in bodies}) == 1
