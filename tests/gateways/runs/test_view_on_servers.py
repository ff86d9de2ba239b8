"""A view of the site's own on a real PostgreSQL and a real MariaDB: the script that makes it, and its golden loans."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from loan_reminders.domain.loans import Loan
from loan_reminders.gateways.runs.loan_source import IlsLoanSource
from sql.demo.oddities import STAGE_DAYS
from sql.demo.systems.tables import fill, statements
from sql.demo.view import TABLES, VIEW, view_rows
from tests.scenes.aleph import CODES, SQL_FOLDER, TODAY, due_day
from tests.scenes.library_systems import connection_to, gateway_to
from tests.scenes.sources import SOURCES, in_order

ENGINES = {"mariadb": "mariadb_server", "postgresql": "postgres_server"}


@pytest.fixture(scope="module", params=ENGINES)
def source(request, library):
    server, system = request.getfixturevalue(ENGINES[request.param]), SimpleNamespace(engine=request.param)
    name = server.create_database()
    try:
        with connection_to(system, server, name) as connection:
            cursor = connection.cursor()
            for script in (VIEW.ddl, SQL_FOLDER / "view" / f"create_{request.param}.sql"):
                for statement in statements(script):
                    cursor.execute(statement)
            rows = view_rows(library, today=TODAY)
            fill(
                connection,
                {table: [dict(zip(TABLES[table], row, strict=True)) for row in rows[table]] for table in rows},
            )
        view = SOURCES["view"]
        yield IlsLoanSource(
            gateway_to(system, server, name).ils, sql=view.due_sql, now_sql=view.now_sql, binds={}, codes=CODES
        )
    finally:
        server.drop_database(name)


@pytest.mark.parametrize("stage", STAGE_DAYS)
def test_the_golden_loans_of_a_stage(source, library, stage):
    expected = SOURCES["view"].expected(library, due_day(stage))
    found = list(source.loans_due(due_day(stage), today=TODAY))
    told = [one if isinstance(one, Loan) else (one.loan_id, one.patron_id, one.column) for one in found]
    assert in_order(told) == expected
    assert len(expected) > 3


def test_the_present_due_date_of_each_loan(source):
    loans = [loan for loan in source.loans_due(due_day("O"), today=TODAY) if isinstance(loan, Loan)]
    found = source.due_dates_now([*(loan.loan_id for loan in loans), "999999"])
    assert found == {loan.loan_id: loan.due_date for loan in loans}
