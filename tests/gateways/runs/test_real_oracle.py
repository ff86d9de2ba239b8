"""The claim itself, on a real Oracle whose address ORACLE_TEST_DSN gives: our script loads, the golden loans come back.

    docker run -d -p 127.0.0.1:1521:1521 --env-file oracle.env -e APP_USER=ILS gvenzl/oracle-free:23-slim-faststart
    ORACLE_TEST_DSN=127.0.0.1:1521/FREEPDB1 ORACLE_TEST_USER=ILS ORACLE_TEST_PASSWORD=… pytest -m oracle

Never on an ILS: the account's schema must be empty, and what is made there is dropped again.
"""

from __future__ import annotations

import os
import re
from contextlib import closing, suppress

import oracledb
import pytest

from loan_reminders.domain.loans import Loan
from loan_reminders.gateways.runs.loan_source import IlsLoanSource
from loan_reminders.gateways.runs.oracle_database import OracleDatabase
from sql.demo.oddities import STAGE_DAYS
from sql.demo.oracle_script import write_script
from tests.scenes.aleph import CODES, TODAY, due_day
from tests.scenes.sources import SOURCES, in_order

SAID = ("ORACLE_TEST_DSN", "ORACLE_TEST_USER", "ORACLE_TEST_PASSWORD")
OTHERS_TABLES = "SELECT table_name FROM user_tables UNION ALL SELECT view_name FROM user_views"
_FOR_SQLPLUS = re.compile(r"(?:SET|ALTER SESSION|WHENEVER|COMMIT|EXIT)\b")

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.skipif(
        any(name not in os.environ for name in SAID), reason=f"a real Oracle needs {', '.join(SAID)} (sql/README.md)"
    ),
]


def connect():
    dsn, user, password = (os.environ[name] for name in SAID)
    return oracledb.connect(
        user=user, password=password, dsn=dsn, tcp_connect_timeout=10, retry_count=20, retry_delay=3
    )


def statements(script):
    """The script's statements without SQL*Plus's own commands, which are lines of their own."""
    lines = [line for line in script.splitlines() if not line.startswith("--") and not _FOR_SQLPLUS.match(line)]
    return [statement for statement in "\n".join(lines).split(";\n") if statement.strip()]


@pytest.fixture(scope="module", params=SOURCES)
def source(request, library, tmp_path_factory):
    """The library in an empty schema of a throw-away Oracle, dropped at the end."""
    source, path = SOURCES[request.param], tmp_path_factory.mktemp("oracle") / "library.sql"
    system = source.system
    write_script(path, system.schema, system.rows(library, TODAY), views=system.view_statements())
    with closing(connect()) as connection, connection.cursor() as cursor:
        found = [name for (name,) in cursor.execute(OTHERS_TABLES)]
        if found:
            pytest.fail(
                f"the schema of {os.environ['ORACLE_TEST_USER']} is not empty ({len(found)} tables): nothing done"
            )
        try:
            for statement in statements(path.read_text(encoding="ascii")):
                cursor.execute(statement)
            connection.commit()
            yield source
        finally:
            made = [f"TABLE {table} PURGE" for table in system.schema.columns]
            for drop in ["VIEW reminders_loans", *made] if system.views else made:
                with suppress(oracledb.DatabaseError):  # not made yet when the script failed
                    cursor.execute(f"DROP {drop}")


@pytest.mark.parametrize("stage", STAGE_DAYS)
def test_the_golden_loans_come_out_of_a_real_oracle(source, library, stage):
    gateway = IlsLoanSource(
        OracleDatabase(connect), sql=source.due_sql, now_sql=source.now_sql, binds=source.binds, codes=CODES
    )
    found = list(gateway.loans_due(due_day(stage), today=TODAY))
    told = [one if isinstance(one, Loan) else (one.loan_id, one.patron_id, one.column) for one in found]
    expected = source.expected(library, due_day(stage))
    assert in_order(told) == expected
    loans = [one for one in expected if isinstance(one, Loan)][:100]
    assert gateway.due_dates_now([loan.loan_id for loan in loans]) == {loan.loan_id: loan.due_date for loan in loans}


def test_it_parses_with_the_binds_that_are_sent(source):
    with closing(connect()) as connection, connection.cursor() as cursor:
        cursor.parse(source.due_sql)
        cursor.parse(source.now_sql)
