"""The scripts of rights: what they grant is enough to read the loans, and nothing can be written with it."""

from __future__ import annotations

import re

import psycopg
import pymysql
import pytest

from loan_reminders.domain.errors import IlsRejected
from loan_reminders.domain.loans import Loan
from loan_reminders.gateways.runs import mariadb_connection
from loan_reminders.gateways.runs.mariadb_database import MariaDbDatabase
from sql.demo.generator import make_library
from tests.scenes.aleph import MINORS, SQL_FOLDER, TODAY, due_day
from tests.scenes.ils_engines import ask
from tests.scenes.library_systems import SYSTEMS, OneDatabase, database_of

SCRIPTS = sorted([*SQL_FOLDER.glob("*/grants.sql"), *SQL_FOLDER.glob("grants/*.sql")])
PLACES = {"change-me": "mot-de-passe", "airflow.example.org": "127.0.0.1"}
GRANTED = re.compile(
    r"GRANT (?:SELECT(?: \([\w\s,]+\))? ON [\w.]+|CREATE SESSION|CONNECT ON DATABASE \w+|USAGE ON SCHEMA \w+) TO "
)


def statements(script, *, birth="none", **places):
    """The statements of a script for one site; with that for the column of birth dates, where it is named."""
    text = script.read_text(encoding="utf-8").replace(f"-- GRANT SELECT ({birth})", f"GRANT SELECT ({birth})")
    text = re.sub(r"--[^\n]*", "", text)
    for placeholder, value in {**PLACES, **places}.items():
        assert placeholder in text or placeholder == "airflow.example.org", placeholder
        text = text.replace(placeholder, value)
    return [statement.strip() for statement in text.split(";") if statement.strip()]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_script_grants_reading_alone(script):
    found = statements(script)
    grants = [statement for statement in found if statement.startswith("GRANT")]
    assert grants
    for statement in grants:
        assert GRANTED.match(re.sub(r"\s+", " ", statement)), statement
    others = {" ".join(statement.split()[:2]) for statement in found if statement not in grants}
    assert others <= {"CREATE USER", "CREATE ROLE", "ALTER ROLE", "CREATE SYNONYM"}
    assert "PUBLIC" not in script.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("kind", "script"), [("aleph", "grants/oracle.sql"), ("koha", "koha/grants.sql"), ("pmb", "pmb/grants.sql")]
)
def test_a_script_names_every_table_that_the_statements_read(kind, script):
    """Those of notices in comments, for whoever uses them."""
    read = {
        table.lower()
        for file in (SQL_FOLDER / kind).rglob("*.sql")
        if file.name != "grants.sql"
        for table in re.findall(r"\b(?:FROM|JOIN)\s+(\w+)", re.sub(r"--[^\n]*", "", file.read_text(encoding="utf-8")))
    }
    granted = set(re.findall(r"\bON \w+\.(\w+)", (SQL_FOLDER / script).read_text(encoding="utf-8")))
    assert read <= granted


@pytest.mark.parametrize(
    ("name", "database", "secret", "table", "birth"),
    [
        ("koha", "koha_library", "password", "borrowers", "dateofbirth"),
        ("pmb", "bibli", "empr_password", "empr", "empr_year"),
    ],
)
def test_an_account_with_these_rights_reads_the_loans_and_writes_nothing(
    mariadb_server, name, database, secret, table, birth
):
    """Nor can it read birth dates, until the line for them is run as well."""
    (system,) = [system for system in SYSTEMS if system.name == name]
    library = make_library(today=TODAY, patrons=60, loans=300)
    with database_of(system, mariadb_server, system.tables(library, today=TODAY)) as made:
        mariadb_server.execute(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {secret} VARCHAR(60)", database=made.name)
        mariadb_server.execute(*statements(SQL_FOLDER / name / "grants.sql", **{database: made.name}))
        try:
            account = {"host": mariadb_server.host, "port": mariadb_server.port, "login": "reminders"}
            reader = MariaDbDatabase(
                lambda: mariadb_connection.connect(**account, password="mot-de-passe", database=made.name, extra={})
            )
            source = system.source(OneDatabase(name=made.name, ils=reader))
            loans = [row for row in source.loans_due(due_day("C"), today=TODAY) if isinstance(row, Loan)]
            assert len(loans) > 3
            assert source.due_dates_now([loan.loan_id for loan in loans])
            with pytest.raises(IlsRejected, match=f"1143, .*{secret}"), reader.session() as session:
                session.execute(f"SELECT {secret} FROM {table}")
            asking = system.source(OneDatabase(name=made.name, ils=reader), consent=MINORS)
            with pytest.raises(IlsRejected, match=f"1143, .*{birth}"):
                list(asking.loans_due(due_day("C"), today=TODAY))
            granted = statements(SQL_FOLDER / name / "grants.sql", birth=birth, **{database: made.name})
            mariadb_server.execute(*(one for one in granted if f"({birth})" in one))
            assert len(list(asking.loans_due(due_day("C"), today=TODAY))) >= len(loans)
            first_table = statements(SQL_FOLDER / name / "grants.sql", **{database: made.name})[1].split()[3]
            with (
                mariadb_connection.connect(**account, password="mot-de-passe", database=made.name, extra={}) as unbound,
                unbound.cursor() as cursor,
            ):
                for write in (f"DELETE FROM {first_table}", f"DELETE FROM {table}", "CREATE TABLE x (a INTEGER)"):
                    with pytest.raises(pymysql.Error, match="denied"):
                        cursor.execute(write)
        finally:
            mariadb_server.execute("DROP USER IF EXISTS 'reminders'@'127.0.0.1'")


def test_a_view_on_mariadb(mariadb_ils):
    script = SQL_FOLDER / "grants" / "mariadb.sql"
    mariadb_ils.execute("CREATE OR REPLACE VIEW reminders_loans AS SELECT * FROM open_loans")
    mariadb_ils.execute(*statements(script, **{"ils.": f"{mariadb_ils.name}."}))
    try:
        account = {"user": "reminders", "password": "mot-de-passe"}
        assert len(ask(mariadb_ils, "SELECT loan_key FROM reminders_loans", **account)) == 40
        with pytest.raises(IlsRejected, match="1142"):
            ask(mariadb_ils, "SELECT loan_key FROM open_loans", **account)
        with (
            mariadb_ils.server.connect(mariadb_ils.name, **account) as unbound,
            unbound.cursor() as cursor,
            pytest.raises(pymysql.Error, match="denied"),
        ):
            cursor.execute("DELETE FROM reminders_loans")
    finally:
        mariadb_ils.execute("DROP USER IF EXISTS 'reminders'@'127.0.0.1'", "DROP VIEW reminders_loans")


def test_a_view_on_postgresql(postgresql_ils):
    ils, script = postgresql_ils, SQL_FOLDER / "grants" / "postgresql.sql"
    ils.execute("CREATE OR REPLACE VIEW reminders_loans AS SELECT * FROM open_loans")
    ils.execute(*statements(script, **{"DATABASE ils": f"DATABASE {ils.name}"}))
    try:
        assert len(ask(ils, "SELECT loan_key FROM reminders_loans", user="reminders")) == 40
        with pytest.raises(IlsRejected, match=r"42501, .*\(open_loans\)"):
            ask(ils, "SELECT loan_key FROM open_loans", user="reminders")
        with psycopg.connect(ils.server.url(ils.name, user="reminders"), autocommit=True) as unbound:
            assert unbound.execute("SHOW default_transaction_read_only").fetchone() == ("on",)
            unbound.execute("SET default_transaction_read_only = off")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                unbound.execute("DELETE FROM reminders_loans")
    finally:
        ils.execute("DROP VIEW reminders_loans", "DROP OWNED BY reminders", "DROP ROLE reminders")
