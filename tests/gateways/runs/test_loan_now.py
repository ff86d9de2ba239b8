"""Was a loan renewed or returned? A few questions for many loans, on the wire."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from loan_reminders.domain.errors import IlsUnavailable
from loan_reminders.domain.loans import Loan
from loan_reminders.gateways.runs.binds import bind_names, together
from sql.demo.tables import write_sqlite
from tests.scenes.aleph import assert_no_session_left, due_day, read, source, ymd
from tests.simulators.oracle_server import OracleServer


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
        there = source(server).on_loan_now(ids)
        assert there.keys() - found.keys() == {ids[2]}
        assert there[ids[2]] == due_day("C")
        assert_no_session_left(server)


@pytest.mark.parametrize(("column", "told"), [("", True), (", 1 AS told", True), (", 0 AS told", False)])
def test_a_sites_own_statement_need_not_say_whether_a_loan_is_reminded_of(server, column, told):
    own = source(server, now_sql=f"SELECT z36_due_date AS d{column} FROM z36 WHERE z36_rec_key = :loan_key")
    loan = next(loan for loan in read(source(server)) if isinstance(loan, Loan))
    assert own.due_dates_now([loan.loan_id]) == ({loan.loan_id: loan.due_date} if told else {})
    assert own.on_loan_now([loan.loan_id]) == {loan.loan_id: loan.due_date}


def test_the_present_date_cannot_be_asked_when_the_ils_is_down(server):
    server.faults.refuse = 12514
    with pytest.raises(IlsUnavailable):
        source(server).due_dates_now(["000000001000010-1"])


def test_many_loans_are_asked_about_in_a_few_questions(server):
    loans = [loan for loan in read(source(server)) if isinstance(loan, Loan)]
    ids = [loan.loan_id for loan in loans] + [f"{place:015d}-1" for place in range(150)]
    server.statements.clear()
    found = source(server).due_dates_now(ids)
    assert found == {loan.loan_id: loan.due_date for loan in loans}
    questions = [said for said in server.statements if "SELECT" in said]
    assert len(questions) == -(-len(ids) // 64) < 10
    # Full questions have one text, so that the server keeps its plan.
    assert len(set(questions)) <= 2
    server.statements.clear()
    assert source(server).due_dates_now([]) == {}
    assert not server.statements


def test_a_question_put_together_keeps_quotes_and_comments_as_they_are():
    sql = "SELECT d AS due_date FROM z -- :loan_key here\n WHERE k = :loan_key AND n = :LOAN_NUMBER AND x = ':loan_key'"
    statement, binds = together(sql, ["A-1", "B-2"])
    assert statement.count("UNION ALL") == 7
    assert statement.count("-- :loan_key here") == statement.count("':loan_key'") == 8
    assert bind_names(statement) == {name for name in binds if "as_number" not in name}
    assert (binds["loan_key_1"], binds["loan_number_1"], binds["loan_key_7"]) == ("B", "2", None)


def test_a_key_that_is_a_number_column_is_asked_for_by_a_number_or_by_nothing():
    """A text that is no number would stop the whole question (ORA-01722): loans from before another system are such."""
    ids = ["217-1", "001300434000001-217", "ITEM", "f3a1b2c4-9d-1", "²", "9" * 19, ""]
    _, binds = together("SELECT d AS due_date FROM z WHERE k = :loan_key_as_number", ids)
    asked = [binds[f"loan_key_as_number_{place}"] for place in range(8)]
    assert asked == [217, 1300434000001, None, None, None, None, None, None]
