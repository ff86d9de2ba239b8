"""Was a loan renewed or returned? One short query a loan, on the wire."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from loan_reminders.domain.errors import IlsUnavailable
from loan_reminders.domain.loans import Loan
from sql.demo.generator import make_library
from sql.demo.tables import write_sqlite
from tests.contract.aleph import TODAY, due_day, ymd
from tests.contract.test_loan_source import assert_no_session_left, read, source
from tests.simulators.oracle_server import OracleServer


@pytest.fixture(scope="module")
def library():
    return make_library(today=TODAY, patrons=60, loans=750)


@pytest.fixture
def server(library, tmp_path):
    write_sqlite(tmp_path / "library.db", library)
    with OracleServer(tmp_path / "library.db") as running:
        yield running


def change(path, statement, *values):
    with closing(sqlite3.connect(path)) as connection, connection:
        assert connection.execute(statement, values).rowcount == 1


def test_the_present_date_of_loans_tells_renewals_from_returns(library, tmp_path):
    path = tmp_path / "library.db"
    write_sqlite(path, library)
    with OracleServer(path) as server:
        loans = [loan for loan in read(source(server)) if isinstance(loan, Loan)][:4]
        ids = [loan.loan_id for loan in loans]
        renewed, returned, lost, kept = (loan_id.rpartition("-")[0::2] for loan_id in ids)
        where = "WHERE z36_rec_key = ? AND z36_number = ?"
        change(path, f"UPDATE z36 SET z36_due_date = 20260501 {where}", *renewed)
        change(path, f"DELETE FROM z36 {where}", *returned)
        change(path, f"UPDATE z36 SET z36_status = 'L' {where}", *lost)
        assert kept
        found = source(server).due_dates_now(ids)
        assert {loan_id: ymd(day) for loan_id, day in found.items()} == {
            ids[0]: 20260501,
            ids[3]: ymd(due_day("C")),
        }
        assert_no_session_left(server)


def test_the_present_date_cannot_be_asked_when_the_ils_is_down(server):
    server.faults.refuse = 12514
    with pytest.raises(IlsUnavailable):
        source(server).due_dates_now(["000000001000010-1"])
