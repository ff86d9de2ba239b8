"""A view of the site's own on a real PostgreSQL and a real MariaDB: one text, the same golden loans."""

from __future__ import annotations

import pytest

from loan_reminders.domain.errors import IlsRejected
from loan_reminders.domain.loans import Loan
from loan_reminders.gateways.runs.loan_source import IlsLoanSource
from loan_reminders.gateways.runs.mariadb_database import MariaDbDatabase
from loan_reminders.gateways.runs.postgres_database import PostgresDatabase
from sql.demo.oddities import STAGE_DAYS
from sql.demo.oracle_systems import statements_of
from sql.demo.systems.tables import fill
from tests.scenes.aleph import CODES, SQL_FOLDER, TODAY, due_day
from tests.scenes.sources import VIEW, in_order

PASSWORD = "only-reads"


@pytest.fixture(scope="module", params=["postgresql", "mariadb"])
def database(request, library):
    """The tables, the view as its file makes it, and an account that may read nothing else."""
    server = request.getfixturevalue("postgres_server" if request.param == "postgresql" else "mariadb_server")
    name = server.create_database()
    opened = _postgres(server, name) if request.param == "postgresql" else _mariadb(server, name)
    with opened[0]() as connection:
        _make(connection, request.param, library)
        for grant in opened[2]:
            with connection.cursor() as cursor:
                cursor.execute(grant)
        connection.commit()
    yield opened[1]
    server.drop_database(name)


def _postgres(server, name):
    import psycopg

    url, account = server.url(name).replace("postgresql+psycopg", "postgresql"), f"reader_{name}"
    grants = [
        f"CREATE ROLE {account} LOGIN PASSWORD '{PASSWORD}'",
        f"GRANT SELECT ON reminders_loans TO {account}",
    ]
    return (
        lambda: psycopg.connect(url),
        PostgresDatabase(lambda: psycopg.connect(url, user=account, password=PASSWORD)),
        grants,
    )


def _mariadb(server, name):
    account = f"r{name}"
    grants = [
        f"CREATE USER '{account}'@'%' IDENTIFIED BY '{PASSWORD}'",
        f"GRANT SELECT ON {name}.reminders_loans TO '{account}'@'%'",
    ]
    return (
        lambda: server.connect(name),
        MariaDbDatabase(lambda: server.connect(name, user=account, password=PASSWORD)),
        grants,
    )


def _make(connection, engine, library):
    tables, found = VIEW.system.schema, VIEW.system.rows(library, TODAY)
    rows = {
        name: [dict(zip(columns, row, strict=True)) for row in found[name]] for name, columns in tables.columns.items()
    }
    with connection.cursor() as cursor:
        for statement in statements_of(tables.ddl):
            cursor.execute(statement)
    fill(connection, rows)
    with connection.cursor() as cursor:
        for statement in statements_of(SQL_FOLDER / "view" / f"create_{engine}.sql"):
            cursor.execute(statement)


@pytest.fixture(scope="module")
def source(database):
    return IlsLoanSource(database, sql=VIEW.due_sql, now_sql=VIEW.now_sql, binds={}, codes=CODES)


@pytest.mark.parametrize("stage", STAGE_DAYS)
def test_the_view_gives_the_golden_loans(source, library, stage):
    found = list(source.loans_due(due_day(stage), today=TODAY))
    told = [one if isinstance(one, Loan) else (one.loan_id, one.patron_id, one.column) for one in found]
    assert in_order(told) == VIEW.expected(library, due_day(stage))


def test_the_present_date_of_each_loan(source, library):
    loans = [one for one in VIEW.expected(library, due_day("O")) if isinstance(one, Loan)]
    found = source.due_dates_now([loan.loan_id for loan in loans] + ["999999"])
    assert found == {loan.loan_id: loan.due_date for loan in loans}


def test_the_account_sees_nothing_but_the_view_and_cannot_write(database):
    for statement in ("SELECT loan_id FROM site_loans", "DELETE FROM site_loans"):
        with pytest.raises(IlsRejected), database.session() as session:
            session.execute(statement, {}).fetchmany()
