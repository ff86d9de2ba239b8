"""Each kind of ILS on Oracle, asked about itself through the wire."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime

import oracledb
import pytest

from loan_reminders.domain.runs.extraction import COLUMNS
from loan_reminders.gateways.runs.checks.oracle import OracleInspection
from loan_reminders.gateways.runs.oracle_database import OracleDatabase
from tests.scenes.aleph import TODAY, assert_no_session_left, due_day
from tests.scenes.sources import SOURCES
from tests.simulators.oracle_server import OracleServer


@pytest.fixture(params=SOURCES)
def source(request):
    return SOURCES[request.param]


@pytest.fixture
def server(source, library, tmp_path):
    source.write(tmp_path / "library.db", library)
    with OracleServer(tmp_path / "library.db", types=source.types) as running:
        yield running


def test_its_statements_are_understood_and_have_a_plan(server, source):
    def connect():
        return oracledb.connect(user=server.user, password=server.password, dsn=server.dsn)

    asked = OracleInspection(OracleDatabase(connect), sql=source.due_sql, now_sql=source.now_sql, binds=source.binds)
    assert set(COLUMNS) <= set(asked.columns())
    asked.ask_about_no_loan()
    assert asked.refused_tables() == {}
    assert len(asked.tables()) >= 1
    reads = asked.whole_reads(due_day("C"), today=TODAY)
    assert all(read.table == read.table.upper() for read in reads)
    (explained,) = [said for said in server.statements if said.startswith("EXPLAIN PLAN")]
    assert ":due" not in explained
    assert ":today" not in explained
    assert_no_session_left(server)


def test_a_plan_cannot_be_made_in_the_read_only_transaction_itself(server):
    """Oracle writes the plan to a table of the session's own: why that transaction is ended first."""
    with closing(oracledb.connect(user=server.user, password=server.password, dsn=server.dsn)) as connection:
        cursor = connection.cursor()
        cursor.execute("SET TRANSACTION READ ONLY")
        with pytest.raises(oracledb.DatabaseError, match="ORA-01456"):
            cursor.execute("EXPLAIN PLAN SET STATEMENT_ID = 'x' FOR SELECT 1 AS one FROM dual")


def test_values_stand_in_the_text_of_a_plan_as_oracle_writes_them():
    from loan_reminders.gateways.runs.checks.oracle import _literal

    assert _literal(20260303) == "20260303"
    assert _literal("d'Artagnan") == "'d''Artagnan'"
    assert _literal(datetime(2026, 3, 3)) == "DATE '2026-03-03'"
