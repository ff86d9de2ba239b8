"""A database of each engine, asked about itself: who reads, what could be written, what is read whole."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import date

import pytest

from loan_reminders.domain.errors import IlsRejected
from loan_reminders.domain.runs.extraction import COLUMNS
from loan_reminders.gateways.runs.checks.mariadb import MariaDbInspection
from loan_reminders.gateways.runs.checks.oracle import OracleInspection
from loan_reminders.gateways.runs.checks.postgresql import PostgresInspection
from loan_reminders.gateways.runs.ils_database import Engine
from tests.scenes.ils_engines import ACCOUNT, DUE, KEYS, NOW_SQL, SQL, TODAY, assert_no_session_left
from tests.simulators.oracle_dictionary import Dictionary

CLASSES = {
    Engine.ORACLE: OracleInspection,
    Engine.POSTGRESQL: PostgresInspection,
    Engine.MARIADB: MariaDbInspection,
}


def inspection(ils, *, sql=SQL, now_sql=NOW_SQL):
    return CLASSES[ils.engine](ils.database(), sql=sql, now_sql=now_sql, binds={})


@pytest.fixture(autouse=True)
def nothing_left(ils):
    yield
    assert_no_session_left(ils)


def test_the_version_names_the_engine(ils):
    named = {Engine.ORACLE: "Oracle 1", Engine.POSTGRESQL: "PostgreSQL 1", Engine.MARIADB: "MariaDB 1"}
    assert inspection(ils).version().startswith(named[ils.engine])


def test_the_account_is_the_one_that_reads(ils):
    account = inspection(ils).account()
    names = {Engine.ORACLE: "ILS", Engine.POSTGRESQL: ACCOUNT, Engine.MARIADB: f"{ACCOUNT}@127.0.0.1"}
    assert account.name == names[ils.engine]
    assert account.expires is None


def test_the_statements_are_understood_as_they_are_run(ils):
    asked = inspection(ils)
    assert list(asked.columns()) == list(COLUMNS)
    asked.ask_about_no_loan()
    assert list(asked.tables()) == ["open_loans"]
    assert asked.refused_tables() == {}


def test_a_statement_that_is_not_understood_is_refused(ils):
    with pytest.raises(IlsRejected):
        inspection(ils, sql=SQL.replace("loan_key,", "loan_nope,")).columns()
    with pytest.raises(IlsRejected):
        inspection(ils, now_sql=NOW_SQL.replace("due_date", "due_nope")).ask_about_no_loan()


def test_every_table_that_is_refused_is_named_and_the_others_are_asked_all_the_same(ils):
    sql = f"-- FROM comment\n{SQL}".replace(
        "FROM open_loans", "FROM open_loans JOIN z98 ON 1 = 1 LEFT JOIN (SELECT 1 AS one FROM z99) x ON 1 = 1"
    )
    asked = inspection(ils, sql=sql)
    assert list(asked.tables()) == ["open_loans", "z98", "z99"]
    refused = asked.refused_tables()
    assert list(refused) == ["z98", "z99"]
    assert all("vue" in str(error) for error in refused.values())


def test_names_of_with_are_no_tables(ils):
    sql = "WITH mine AS (SELECT * FROM open_loans), other AS (SELECT 1 AS one) SELECT * FROM mine JOIN other ON 1 = 1"
    assert list(inspection(ils, sql=sql).tables()) == ["open_loans"]


def test_an_account_that_only_reads_could_write_nothing(ils):
    assert inspection(ils).could_write() == ()


@contextmanager
def granted(ils, grants):
    """As the owner of the tables: rights that the account has for a while."""
    if ils.engine is Engine.ORACLE:
        ils.server.dictionary = Dictionary(**grants)
        yield
        ils.server.dictionary = Dictionary()
        return
    to = f"{ACCOUNT}@'127.0.0.1'" if ils.engine is Engine.MARIADB else ACCOUNT
    ils.execute(*(f"GRANT {grant} TO {to}".format(base=ils.name) for grant in grants))
    yield
    ils.execute(*(f"REVOKE {grant} FROM {to}".format(base=ils.name) for grant in grants))


RIGHTS = [
    (
        {
            Engine.ORACLE: {"granted": (("UPDATE", "UNS50", "OPEN_LOANS"),)},
            Engine.POSTGRESQL: ("UPDATE ON open_loans",),
            Engine.MARIADB: ("UPDATE ON {base}.open_loans",),
        },
        ["UPDATE sur"],
    ),
    (
        {
            Engine.ORACLE: {"on_columns": (("UPDATE", "UNS50", "OPEN_LOANS"),)},
            Engine.POSTGRESQL: ("UPDATE (title) ON open_loans",),
            Engine.MARIADB: ("UPDATE (title) ON {base}.open_loans",),
        },
        ["UPDATE sur"],
    ),
    (
        {
            Engine.ORACLE: {"granted": (("INSERT", "UNS50", "OPEN_LOANS"), ("DELETE", "UNS50", "OPEN_LOANS"))},
            Engine.POSTGRESQL: ("INSERT, DELETE ON open_loans",),
            Engine.MARIADB: ("INSERT, DELETE ON {base}.*",),
        },
        ["DELETE sur", "INSERT sur"],
    ),
    (
        {
            Engine.ORACLE: {"system": ("CREATE SESSION", "CREATE TABLE")},
            Engine.POSTGRESQL: ("CREATE ON SCHEMA public",),
            Engine.MARIADB: ("CREATE ON {base}.*",),
        },
        ["CREATE"],
    ),
    (
        {
            Engine.ORACLE: {"system": ("CREATE SESSION", "DROP ANY TABLE")},
            Engine.POSTGRESQL: ("CREATE ON DATABASE {base}",),
            Engine.MARIADB: ("DROP ON {base}.*",),
        },
        [""],
    ),
]


@pytest.mark.parametrize(("grants", "told"), RIGHTS)
def test_what_the_account_could_write_is_told(ils, grants, told):
    with granted(ils, grants[ils.engine]):
        found = inspection(ils).could_write()
    assert len(found) == len(told)
    for words, part in zip(sorted(found), told, strict=True):
        assert part in words
    assert not [words for words in found if "IDENTIFIED" in words]
    assert inspection(ils).could_write() == ()


def test_the_owner_of_everything_could_write_everything(ils):
    if ils.engine is Engine.ORACLE:
        ils.server.dictionary = Dictionary(own=("OPEN_LOANS",))
        assert inspection(ils).could_write() == ("la table OPEN_LOANS, qui lui appartient",)
    elif ils.engine is Engine.POSTGRESQL:
        asked = PostgresInspection(ils.database(user="postgres"), sql=SQL, now_sql=NOW_SQL, binds={})
        assert "l'attribut SUPERUSER" in asked.could_write()
    else:
        asked = MariaDbInspection(ils.database(user="root", password=""), sql=SQL, now_sql=NOW_SQL, binds={})
        assert any("ALL PRIVILEGES sur *.*" in words for words in asked.could_write())


def test_a_role_gives_its_rights(ils):
    if ils.engine is Engine.ORACLE:
        pytest.skip("Oracle's own view names the rights of roles; there is no Oracle here")
    name = f"writers_{ils.engine.value}"
    to = f"{ACCOUNT}@'127.0.0.1'" if ils.engine is Engine.MARIADB else ACCOUNT
    on = f"{ils.name}.open_loans" if ils.engine is Engine.MARIADB else "open_loans"
    ils.execute(f"CREATE ROLE {name}", f"GRANT DELETE ON {on} TO {name}", f"GRANT {name} TO {to}")
    if ils.engine is Engine.MARIADB:
        ils.execute(f"SET DEFAULT ROLE {name} FOR {to}")
    try:
        assert ["DELETE" in words for words in inspection(ils).could_write()] == [True]
    finally:
        if ils.engine is Engine.MARIADB:
            ils.execute(f"SET DEFAULT ROLE NONE FOR {to}", f"DROP ROLE {name}")
        else:
            ils.execute(f"DROP OWNED BY {name}", f"DROP ROLE {name}")


def test_when_a_password_expires_is_told_where_the_database_says_it(ils):
    if ils.engine is Engine.ORACLE:
        ils.server.dictionary = Dictionary(expires=date(2026, 12, 24))
        assert inspection(ils).account().expires == date(2026, 12, 24)
    elif ils.engine is Engine.POSTGRESQL:
        try:
            for until, expected in (("2026-12-24 12:00+01", date(2026, 12, 24)), ("infinity", None)):
                ils.execute(f"ALTER ROLE {ACCOUNT} VALID UNTIL '{until}'")
                assert inspection(ils).account().expires == expected
        finally:
            ils.execute(f"ALTER ROLE {ACCOUNT} VALID UNTIL 'infinity'")


def test_a_table_without_an_index_is_read_whole_and_one_with_it_is_not(ils):
    if ils.engine is not Engine.ORACLE:
        ils.execute("ANALYZE TABLE open_loans" if ils.engine is Engine.MARIADB else "ANALYZE open_loans")
    (read,) = inspection(ils).whole_reads(DUE, today=TODAY)
    assert read.table.lower() == "open_loans"
    assert read.rows == pytest.approx(len(KEYS), rel=0.2)
    by_key = SQL.replace("WHERE due_ymd = :due_ymd", "WHERE loan_key = '001' AND due_ymd = :due_ymd")
    where = " ON open_loans" if ils.engine is Engine.MARIADB else ""
    ils.execute("CREATE INDEX by_key ON open_loans (loan_key)")
    try:
        if ils.engine is Engine.POSTGRESQL:
            ils.execute(f"ALTER ROLE {ACCOUNT} SET enable_seqscan = off")  # so small a table is read whole at once
        assert inspection(ils, sql=by_key).whole_reads(DUE, today=TODAY) == ()
    finally:
        ils.execute(f"DROP INDEX by_key{where}")
        if ils.engine is Engine.POSTGRESQL:
            ils.execute(f"ALTER ROLE {ACCOUNT} RESET enable_seqscan")


def test_an_alias_is_told_by_the_name_of_its_table(ils):
    sql = SQL.replace("FROM open_loans", "FROM open_loans here").replace("WHERE due", "WHERE here.due")
    (read,) = inspection(ils, sql=sql).whole_reads(DUE, today=TODAY)
    assert read.table.lower() == "open_loans"
