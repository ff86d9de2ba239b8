"""The statements of the notices that are delivered, each on its engine: what they tell of, and what not."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import date

import oracledb
import pytest

from loan_reminders.domain.errors import IlsRejected
from loan_reminders.domain.loans import Loan, RejectedRow, SmsChoice
from loan_reminders.domain.runs.notice_rows import NOTICE_COLUMNS
from loan_reminders.domain.runs.reading.consent import OPTIONAL_COLUMNS
from loan_reminders.domain.stages import PatronCategory, Stage
from loan_reminders.domain.states import Refusal
from loan_reminders.gateways.runs.oracle_database import OracleDatabase
from loan_reminders.gateways.runs.statements import final_text
from loan_reminders.settings.ils_systems import PmbSettings
from sql.demo.tables import BINDS, write_sqlite
from tests.scenes.aleph import MINORS, SQL_FOLDER
from tests.scenes.library_systems import KOHA, PMB, SIERRA, connection_to, database_of, gateway_to
from tests.scenes.notice_sources import DAY, notice_source, told_by_key
from tests.simulators.oracle_server import OracleServer

HOLD, SUGGESTION = Stage("hold_arrived"), Stage("suggestion_arrived")


def minors(ils, kind, *, binds, stage=HOLD):
    found = told_by_key(notice_source(ils, kind, stage, binds=binds, consent=MINORS))
    return {number: one.patron.minor for number, one in found.items()}


def insert(cursor, table, rows, *, mark="%s"):
    for row in rows:
        names, marks = ", ".join(row), ", ".join([mark] * len(row))
        cursor.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(row.values()))


KOHA_TABLES = """
    CREATE TABLE reserves (
        reserve_id INT NOT NULL PRIMARY KEY, borrowernumber INT NOT NULL, biblionumber INT NOT NULL,
        branchcode VARCHAR(10) NULL, found VARCHAR(1) NULL, itemnumber INT NULL, waitingdate DATE NULL
    );
    CREATE TABLE suggestions (
        suggestionid INT NOT NULL PRIMARY KEY, suggestedby INT NULL, STATUS VARCHAR(10) NOT NULL DEFAULT '',
        author VARCHAR(80) NULL, title VARCHAR(255) NULL, volumedesc VARCHAR(255) NULL, biblionumber INT NULL,
        branchcode VARCHAR(10) NULL, suggesteddate DATE NOT NULL
    );
    CREATE TABLE aqorders (ordernumber INT NOT NULL PRIMARY KEY, biblionumber INT NULL, datereceived DATE NULL)
"""
READERS = [
    {"borrowernumber": 1, "surname": "Martin", "firstname": "Camille", "email": "camille@etu.example.org",
     "smsalertnumber": "06 00 00 12 01", "categorycode": "01", "lang": "en", "dateofbirth": "2008-03-04"},
    {"borrowernumber": 2, "surname": "Durand", "firstname": "Anne", "email": "",
     "smsalertnumber": "", "categorycode": "10", "lang": "default", "dateofbirth": None},
]  # fmt: skip
WAITS = {"borrowernumber": 1, "biblionumber": 1, "branchcode": "BUDRT", "found": "W", "itemnumber": 7,
         "waitingdate": "2026-03-03"}  # fmt: skip
HOLDS = {
    1: {}, 2: {"waitingdate": "2026-03-02", "borrowernumber": 2}, 3: {"waitingdate": "2026-03-01"},
    4: {"waitingdate": "2026-03-04"}, 5: {"found": "T", "waitingdate": None}, 6: {"found": None, "waitingdate": None},
    7: {"found": "T"}, 8: {"itemnumber": None},
}  # fmt: skip
SUGGESTED = {"STATUS": "AVAILABLE", "title": "Suggéré", "suggesteddate": "2026-02-01"}


@pytest.fixture(scope="module")
def koha(mariadb_server):
    rows = {
        "borrowers": READERS,
        "items": [{"itemnumber": 7, "biblionumber": 1, "barcode": "3007", "itemcallnumber": "843 PRO"}],
        "biblio": [{"biblionumber": 1, "title": "Le livre qui manque", "author": "Paul"}],
    }
    with database_of(KOHA, mariadb_server, rows) as opened:
        with connection_to(KOHA, mariadb_server, opened.name) as connection:
            cursor = connection.cursor()
            for statement in KOHA_TABLES.split(";"):
                cursor.execute(statement)
            insert(cursor, "reserves", [{"reserve_id": number, **WAITS, **odd} for number, odd in HOLDS.items()])
            suggested = {**SUGGESTED, "suggestedby": 1, "biblionumber": 1}
            insert(cursor, "suggestions", [
                {"suggestionid": 1, **suggested}, {"suggestionid": 2, **suggested, "STATUS": "ORDERED"},
                {"suggestionid": 3, **suggested, "biblionumber": None},
                {"suggestionid": 4, **suggested, "suggestedby": None},
                {"suggestionid": 5, **suggested, "biblionumber": 2},
                {"suggestionid": 6, **suggested, "biblionumber": 3},
            ])  # fmt: skip
            insert(cursor, "aqorders", [
                {"ordernumber": 1, "biblionumber": 1, "datereceived": "2026-03-02"},
                {"ordernumber": 5, "biblionumber": 1, "datereceived": "2019-10-01"},
                {"ordernumber": 6, "biblionumber": 3, "datereceived": "2019-10-01"},
                {"ordernumber": 2, "biblionumber": 1, "datereceived": "2026-03-03"},
                {"ordernumber": 3, "biblionumber": 1, "datereceived": None},
                {"ordernumber": 4, "biblionumber": 2, "datereceived": None},
            ])  # fmt: skip
            connection.commit()
        yield opened


def test_koha_tells_of_the_holds_that_wait_and_of_no_other(koha):
    holds = notice_source(koha.ils, "koha", HOLD, binds=KOHA.settings.binds())
    found = told_by_key(holds)
    assert found.keys() == {"1", "2", "8"}
    first = found["1"]
    assert (first.loan_id, first.due_date, first.is_loan) == ("@hold_arrived:1", DAY, False)
    assert (first.title, first.author, first.call_number, first.item_barcode) == (
        "Le livre qui manque", "Paul", "843 PRO", "3007",
    )  # fmt: skip
    assert (first.branch, first.patron.patron_id, first.patron.language) == ("BUDRT", "1", "en")
    assert (first.patron.email.value, first.patron.mobile.value) == ("camille@etu.example.org", "33600001201")
    assert (found["2"].due_date, found["2"].patron.category) == (date(2026, 3, 2), PatronCategory.STAFF)
    assert found["8"].call_number == ""
    assert minors(koha.ils, "koha", binds=KOHA.settings.binds()) == {"1": True, "2": False, "8": True}
    assert set(holds.loan_ids_due(DAY, today=DAY)) == {"@hold_arrived:1", "@hold_arrived:8"}
    asked = ["@hold_arrived:1", "@hold_arrived:2", "@hold_arrived:5", "@hold_arrived:99"]
    assert holds.due_dates_now(asked) == {"@hold_arrived:1": DAY, "@hold_arrived:2": date(2026, 3, 2)}


def test_koha_tells_of_a_suggestion_on_the_day_its_order_first_came_in(koha):
    """What came before it was suggested, another copy years ago, is not it."""
    found = told_by_key(notice_source(koha.ils, "koha", SUGGESTION, binds=KOHA.settings.binds()))
    assert {number: one.due_date for number, one in found.items()} == {"1": date(2026, 3, 2)}
    assert found["1"].title == "Le livre qui manque"
    assert minors(koha.ils, "koha", binds=KOHA.settings.binds(), stage=SUGGESTION) == {"1": True}


PMB_TABLES = """
    CREATE TABLE resa (
        id_resa MEDIUMINT(8) UNSIGNED NOT NULL PRIMARY KEY, resa_idempr INT(10) UNSIGNED NOT NULL DEFAULT 0,
        resa_idnotice MEDIUMINT(8) UNSIGNED NOT NULL DEFAULT 0, resa_idbulletin INT(8) UNSIGNED NOT NULL DEFAULT 0,
        resa_cb VARCHAR(255) NOT NULL DEFAULT '', resa_confirmee INT(1) UNSIGNED DEFAULT 0,
        resa_date_debut DATE NOT NULL DEFAULT '0000-00-00', resa_loc_retrait SMALLINT(5) UNSIGNED NOT NULL DEFAULT 0
    ) ENGINE = MyISAM
"""


def test_pmb_tells_of_the_holds_whose_item_was_put_aside(mariadb_server):
    rows = {
        "empr": [{"id_empr": 1, "empr_nom": "Martin", "empr_prenom": "Camille", "empr_mail": "camille@etu.example.org",
                  "empr_categ": 1, "empr_location": 3, "empr_year": 2008, "empr_tel1": "06 00 00 12 01"}],
        "exemplaires": [{"expl_id": 7, "expl_cb": "3007", "expl_notice": 1, "expl_cote": "843 PRO",
                         "expl_location": 2}],
        "notices": [{"notice_id": 1, "tit1": "Le livre qui manque"}, {"notice_id": 5, "tit1": "Revue d'études"}],
        "bulletins": [{"bulletin_id": 5, "bulletin_numero": "n° 12", "bulletin_notice": 5, "mention_date": "mars"}],
    }  # fmt: skip
    ready = {"resa_idempr": 1, "resa_idnotice": 1, "resa_cb": "3007", "resa_confirmee": 1,
             "resa_date_debut": "2026-03-03"}  # fmt: skip
    holds = {
        1: {}, 2: {"resa_cb": "", "resa_date_debut": "0000-00-00", "resa_confirmee": 0}, 3: {"resa_confirmee": 0},
        4: {"resa_date_debut": "2026-03-04"}, 5: {"resa_idnotice": 0, "resa_idbulletin": 5, "resa_loc_retrait": 3},
    }  # fmt: skip
    with database_of(PMB, mariadb_server, rows) as opened:
        with connection_to(PMB, mariadb_server, opened.name) as connection, connection.cursor() as cursor:
            cursor.execute("SET SESSION sql_mode = ''")
            cursor.execute(PMB_TABLES)
            insert(cursor, "resa", [{"id_resa": number, **ready, **odd} for number, odd in holds.items()])
            connection.commit()
        found = told_by_key(notice_source(opened.ils, "pmb", HOLD, binds=PMB.settings.binds()))
        ignored = told_by_key(notice_source(opened.ils, "pmb", HOLD, binds=PmbSettings(sms_box=False).binds()))
        assert minors(opened.ils, "pmb", binds=PMB.settings.binds()) == {"1": True, "5": True}
    assert found.keys() == {"1", "5"}
    assert found["1"].patron.mobile == Refusal.MISSING
    assert ignored["1"].patron.mobile.value == "33600001201"
    assert (found["1"].title, found["1"].call_number, found["1"].branch) == ("Le livre qui manque", "843 PRO", "2")
    assert (found["5"].title, found["5"].volume, found["5"].branch) == ("Revue d'études", "n° 12 mars", "3")


SIERRA_TABLE = """
    CREATE TABLE sierra_view.hold (
        id BIGINT, patron_record_id BIGINT, record_id BIGINT, placed_gmt TIMESTAMPTZ, on_holdshelf_gmt TIMESTAMPTZ,
        status CHAR(1), pickup_location_code VARCHAR(5)
    )
"""


def test_sierra_tells_of_the_holds_on_the_shelf(postgres_server):
    patron, item, bib = 481_000_000_001, 450_000_000_001, 420_000_000_001
    rows = {
        "patron_record": [{"id": patron, "ptype_code": 1, "birth_date_gmt": "2008-03-04"}],
        "record_metadata": [{"id": patron, "record_num": 7001, "campus_code": ""}],
        "patron_record_fullname": [
            {"patron_record_id": patron, "display_order": 0, "last_name": "Martin", "first_name": "Camille"}
        ],
        "varfield": [
            {"record_id": patron, "varfield_type_code": "z", "occ_num": 0, "field_content": "camille@etu.example.org"}
        ],
        "item_record_property": [{"item_record_id": item, "barcode": "3007", "call_number": "|a843 |bPRO"}],
        "bib_record_property": [{"bib_record_id": bib, "best_title": "Le livre qui manque", "best_author": "Paul"}],
        "bib_record_item_record_link": [{"bib_record_id": bib, "item_record_id": item, "bibs_display_order": 0}],
    }
    ready = {"patron_record_id": patron, "record_id": item, "on_holdshelf_gmt": "2026-03-03 11:00:00+01",
             "status": "i", "pickup_location_code": "bud"}  # fmt: skip
    holds = {
        1: {}, 2: {"status": "0", "on_holdshelf_gmt": None}, 3: {"status": "t", "on_holdshelf_gmt": None},
        4: {"on_holdshelf_gmt": "2026-03-03 23:30:00+00"}, 5: {"record_id": bib, "status": "b"},
    }  # fmt: skip
    with database_of(SIERRA, postgres_server, {f"sierra_view.{name}": some for name, some in rows.items()}) as opened:
        with connection_to(SIERRA, postgres_server, opened.name) as connection:
            cursor = connection.cursor()
            cursor.execute(SIERRA_TABLE)
            insert(cursor, "sierra_view.hold", [{"id": number, **ready, **odd} for number, odd in holds.items()])
        found = told_by_key(notice_source(opened.ils, "sierra", HOLD, binds=SIERRA.settings.binds()))
        assert minors(opened.ils, "sierra", binds=SIERRA.settings.binds()) == {"1": True, "5": True}
    assert found.keys() == {"1", "5"}
    first = found["1"]
    assert (first.title, first.call_number, first.branch, first.due_date) == (
        "Le livre qui manque", "843 PRO", "bud", DAY,
    )  # fmt: skip
    assert (first.patron.patron_id, first.patron.email.value) == ("7001", "camille@etu.example.org")
    assert (found["5"].title, found["5"].call_number) == ("Le livre qui manque", "")


Z37 = """
    CREATE TABLE z37 (
        z37_rec_key CHAR(19) NOT NULL, z37_id CHAR(12), z37_status CHAR(1), z37_hold_date NUMBER(8),
        z37_pickup_location CHAR(5)
    )
"""


@pytest.fixture(scope="module")
def aleph(library, tmp_path_factory):
    """The fictional library on the Oracle wire, with holds on the first items lent in it."""
    path = tmp_path_factory.mktemp("ils") / "library.db"
    write_sqlite(path, library)
    with closing(sqlite3.connect(path)) as database:
        rows = database.execute(
            "SELECT z36_rec_key, z36_id FROM z36 JOIN z30 ON z30_rec_key = z36_rec_key"
            " JOIN z303 ON z303_rec_key = z36_id"
            " WHERE length(trim(z303_name)) > 5 ORDER BY z36_rec_key LIMIT 5"
        ).fetchall()
        database.execute(Z37)
        births = [(20080304, rows[0][1]), (20080302, rows[1][1])]
        database.executemany("UPDATE z303 SET z303_birth_date = ? WHERE z303_rec_key = ?", births)
        states = (("S", 20260303), ("S", 20260302), ("S", 20260301), ("W", 0), ("A", 20260303))
        holds = [
            {"z37_rec_key": f"{item}0001", "z37_id": reader, "z37_status": state, "z37_hold_date": day,
             "z37_pickup_location": "BULET"}
            for (item, reader), (state, day) in zip(rows, states, strict=True)
        ]  # fmt: skip
        insert(database, "z37", holds, mark="?")
        database.commit()
    with OracleServer(path) as server:
        yield server, rows


def test_aleph_tells_of_the_holds_on_the_shelf(aleph):
    server, rows = aleph
    ils = OracleDatabase(lambda: oracledb.connect(user=server.user, password=server.password, dsn=server.dsn))
    holds = notice_source(ils, "aleph", HOLD, binds=BINDS)
    found = told_by_key(holds)
    assert found.keys() == {f"{rows[0][0]}0001", f"{rows[1][0]}0001"}
    first = found[f"{rows[0][0]}0001"]
    assert isinstance(first, Loan)
    assert (first.due_date, first.branch, first.patron.patron_id) == (DAY, "BULET", rows[0][1].strip())
    assert first.title
    assert holds.due_dates_now([first.loan_id]) == {first.loan_id: DAY}
    assert not any("birth" in statement for statement in server.statements)
    assert [*minors(ils, "aleph", binds=BINDS).values()] == [True, False]


def test_a_statement_without_a_column_or_with_a_row_that_cannot_be_read(aleph):
    server, _ = aleph
    ils = OracleDatabase(lambda: oracledb.connect(user=server.user, password=server.password, dsn=server.dsn))
    whole = final_text((SQL_FOLDER / "aleph" / "notices" / "hold_arrived.sql").read_text(encoding="utf-8"))
    with pytest.raises(IlsRejected, match=r"ne rend pas les colonnes : email\. Corriger notices/hold_arrived\.sql"):
        told_by_key(notice_source(ils, "aleph", HOLD, binds=BINDS, sql=whole.replace("AS email", "AS mel")))
    keyless = whole.replace("SELECT loan.notice_key ", "SELECT CAST(NULL AS VARCHAR(19)) ", 1)
    rows = list(notice_source(ils, "aleph", HOLD, binds=BINDS, sql=keyless).loans_due(DAY, today=DAY))
    assert {(type(row), row.loan_id, row.column) for row in rows} == {(RejectedRow, "", "notice_key")}


def test_the_view_is_asked_for_the_days_of_a_run(postgres_server):
    name = postgres_server.create_database()
    names = (*NOTICE_COLUMNS, *OPTIONAL_COLUMNS)
    columns = ", ".join(f"{column} {'date' if column == 'notice_date' else 'text'}" for column in names)
    try:
        for table in ("reminders_holds_arrived", "reminders_suggestions_arrived"):
            postgres_server.execute(f"CREATE TABLE {table} ({columns})", database=name)
            postgres_server.execute(
                f"INSERT INTO {table} (notice_key, notice_date, patron_id, sms_consent, birth_date)"
                " SELECT day, DATE '2026-02-28' + day, 'P', 'N', '2008-03-03' FROM generate_series(1, 4) day",
                database=name,
            )
        ils = gateway_to(SIERRA, postgres_server, name).ils
        for stage in (HOLD, SUGGESTION):
            assert {one.patron.minor for one in told_by_key(notice_source(ils, "view", stage, binds={})).values()} == {
                False
            }
            found = told_by_key(
                notice_source(ils, "view", stage, binds={}, consent=replace(MINORS, no=frozenset({"N"})))
            )
            assert {number: (one.patron.minor, one.patron.sms_choice) for number, one in found.items()} == {
                "2": (True, SmsChoice.NO), "3": (False, SmsChoice.NO),
            }  # fmt: skip
    finally:
        postgres_server.drop_database(name)
