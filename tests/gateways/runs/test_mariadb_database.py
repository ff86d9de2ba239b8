"""What may go wrong with an ILS on MariaDB, on a real server."""

from __future__ import annotations

import gc
import time
from contextlib import nullcontext

import pymysql
import pytest

from loan_reminders.domain.errors import IlsRejected, IlsUnavailable
from loan_reminders.domain.loans import RejectedRow
from loan_reminders.domain.runs.extraction import COLUMNS
from loan_reminders.gateways.runs.mariadb_database import check_age
from loan_reminders.gateways.runs.mariadb_errors import ils_error
from tests.scenes.ils_engines import (
    ACCOUNT,
    DUE,
    KEYS,
    SQL,
    TODAY,
    ask,
    assert_no_session_left,
    loans,
    read,
    source,
)


@pytest.fixture
def ils(mariadb_ils):
    return mariadb_ils


def test_one_read_only_snapshot_with_a_time_out(ils):
    asked = "SELECT @@tx_read_only, @@tx_isolation, @@max_statement_time, @@character_set_connection"
    assert ask(ils, asked, call_timeout_ms=7500) == [(1, "REPEATABLE-READ", 7.5, "utf8mb4")]


def test_what_is_changed_while_we_read_is_not_seen(ils):
    rows = source(ils, array_size=5).loans_due(DUE, today=TODAY)
    seen = [next(rows)]
    ils.execute("DELETE FROM open_loans")
    assert len(seen + list(rows)) == len(KEYS)


@pytest.mark.parametrize("engine", ["InnoDB", "MyISAM", "Aria"])
def test_an_account_that_may_write_cannot_write_through_the_session(ils, engine):
    """Read-only is of the session, whatever the account may do outside it, in tables without transactions too."""
    ils.execute("DROP TABLE IF EXISTS other", f"CREATE TABLE other ENGINE={engine} AS SELECT * FROM open_loans")
    for statement in ("DELETE FROM other", "TRUNCATE other", "DROP TABLE other", "UPDATE other SET title = 'x'"):
        with pytest.raises(IlsRejected, match="1792, la requête écrit, et la session ne fait que lire"):
            ask(ils, statement, user="root", password="")
    with pytest.raises(IlsRejected, match="1792"):
        ask(ils, "SELECT * FROM open_loans FOR UPDATE", user="root", password="")
    assert ils.count("other") == len(KEYS)
    ils.execute("DROP TABLE other")


def test_the_session_stays_read_only_after_its_transaction(ils):
    with ils.database(user="root", password="").session() as session:
        session.execute("COMMIT")
        with pytest.raises(IlsRejected, match="1792"):
            session.execute("DELETE FROM open_loans")
    assert ils.count() == len(KEYS)


SENDING = f"SELECT COUNT(*) FROM information_schema.processlist WHERE user = '{ACCOUNT}' AND info LIKE 'SELECT a%'"
DESK_WRITES = ("SET SESSION lock_wait_timeout = 10", "DELETE FROM other WHERE a = 1")


@pytest.fixture
def large(ils):
    """Four thousand rows of a thousand signs; four times over, they are more than sockets hold."""
    ils.execute(
        "DROP TABLE IF EXISTS other",
        "CREATE TABLE other (a INTEGER PRIMARY KEY, b VARCHAR(1000)) ENGINE=InnoDB",
        "INSERT INTO other SELECT seq, REPEAT('x', 1000) FROM seq_1_to_4000",
    )
    yield ils
    ils.execute("DROP TABLE other", "DROP VIEW IF EXISTS seen")


@pytest.mark.parametrize("change", ["ALTER TABLE other ENGINE=MyISAM", "CREATE VIEW seen AS SELECT * FROM other"])
def test_the_desk_can_write_to_tables_that_a_reader_locks_while_we_fetch(large, change):
    """Nobody knows what is behind a view: it is read whole, too."""
    large.execute(change)
    with large.database(array_size=10).session() as session:
        answer = session.execute("SELECT a, b, b AS c, b AS d, b AS e FROM other")
        large.execute(*DESK_WRITES)
        assert len(answer.fetchmany()) == 10
        assert large.server.execute(SENDING) == ((0,),)


def test_rows_of_innodb_stay_on_the_server_until_they_are_fetched(large):
    with large.database(array_size=10).session() as session:
        answer = session.execute("SELECT a, b, b AS c, b AS d, b AS e FROM other")
        assert len(answer.fetchmany()) == 10
        assert large.server.execute(SENDING) == ((1,),)
        large.execute(*DESK_WRITES)


def test_a_query_that_takes_too_long_is_given_up(ils):
    started = time.monotonic()
    with pytest.raises(IlsUnavailable, match="1969, la base a mis trop de temps à répondre"):
        ask(ils, "SELECT COUNT(*) FROM seq_1_to_100000 a, seq_1_to_100000 b", call_timeout_ms=300)
    assert time.monotonic() - started < 20
    assert_no_session_left(ils)


def test_a_server_that_hangs_is_given_up_too(ils):
    """It does not keep its own time-out."""
    with pytest.raises(IlsUnavailable, match="2013, la connexion est coupée, ou le serveur ne répond plus"):
        ask(ils, "SELECT SLEEP(30)", patience_ms=-4500)
    for session in ils.server.sessions(ACCOUNT):
        ils.server.execute(f"KILL {session}")  # it does not notice before its sleep is over that we left
    assert_no_session_left(ils)


@pytest.mark.parametrize(("kill", "told"), [("KILL", "2013, la connexion est coupée|1927"), ("KILL QUERY", "1317")])
def test_a_session_killed_between_two_fetches(large, kill, told, recwarn):
    """Nor does anything complain afterwards: PyMySQL alone would go on reading from a connection that is closed."""
    columns = ", ".join(f"{'b' if name in WORDS else 'a'} AS {name}" for name in COLUMNS)
    rows = source(large, sql=f"SELECT {columns} FROM other", array_size=5).loan_ids_due(DUE, today=TODAY)
    assert [next(rows) for _ in range(5)] == ["1-1", "2-2", "3-3", "4-4", "5-5"]
    (session,) = large.server.sessions(ACCOUNT)
    large.server.execute(f"{kill} {session}")
    with pytest.raises(IlsUnavailable, match=f"^Lecture du SIGB : ({told})"):
        list(rows)
    assert_no_session_left(large)
    del rows
    gc.collect()
    assert not list(recwarn)


WORDS = ("title", "author", "address_1", "address_2")


def test_zero_dates_set_one_row_aside(ils):
    ils.execute(
        loans("901", loan_date="'0000-00-00 00:00:00'"),
        loans("902", loan_date="'2026-02-31 10:00:00'"),  # the server keeps it as a zero date
        loans("903", due_date="'0000-00-00 00:00:00'"),
    )
    found = read(ils)
    assert len(found) == len(KEYS) + 3
    assert {(row.loan_id, row.column) for row in found if isinstance(row, RejectedRow)} == {
        ("901", "loan_date"),
        ("902", "loan_date"),
        ("903", "due_date"),
    }
    sql = SQL.replace("loan_date,", "CAST('0000-00-00' AS DATE) AS loan_date,", 1)
    assert {row.raw["loan_date"] for row in read(ils, sql=sql) if row.loan_id == "001"} <= {"0000-00-00", None}


def test_a_zero_date_is_no_date_of_an_open_loan(ils):
    ils.execute("UPDATE open_loans SET due_date = '0000-00-00' WHERE loan_key = '002'")
    assert source(ils).due_dates_now(["001", "002"]) == {"001": DUE}


def test_bytes_are_read_as_the_text_they_are(ils):
    """A BLOB, and text in a column of another encoding; UTF-8 in a latin1 column comes as it is held."""
    ils.execute(
        "DROP TABLE IF EXISTS other",
        "CREATE TABLE other (a BLOB, b BLOB, c VARCHAR(20) CHARACTER SET latin1, d VARCHAR(20) CHARACTER SET latin1)",
        "INSERT INTO other VALUES (X'4CC3A9', X'4CE9', 'Lé', X'4CC3A9')",
    )
    assert ask(ils, "SELECT a, b, c, d FROM other") == [("Lé", "Lé", "Lé", "LÃ©")]
    ils.execute("DROP TABLE other")


def test_the_blanks_that_char_is_padded_with_are_not_kept(ils):
    found = read(ils, sql=SQL.replace("branch,", "RPAD(branch, 20, ' ') AS branch,"))
    assert {row.branch for row in found} == {"BUDRT"}


def test_a_zone_that_the_server_does_not_know_leaves_it_its_own(ils, caplog):
    with caplog.at_level("INFO"):
        assert ask(ils, "SELECT @@time_zone") == [("SYSTEM",)]
    assert "ne connaît pas le fuseau Europe/Paris : il garde le sien" in caplog.text


@pytest.mark.parametrize(
    ("version", "refused"),
    [("5.5.62-MariaDB", True), ("10.0.38-MariaDB", False), ("5.5.62", True), ("5.6.51-log", False), ("8.0.36", False)],
)
def test_a_server_too_old_to_read_without_writing_is_refused(version, refused):
    with pytest.raises(IlsRejected, match=rf"trop ancien \({version}\)") if refused else nullcontext():
        check_age(version, mariadb="MariaDB" in version)


@pytest.mark.parametrize(
    ("code", "state", "error"),
    [
        (1040, "08004", IlsUnavailable), (1053, "08S01", IlsUnavailable), (1205, "HY000", IlsUnavailable),
        (1213, "40001", IlsUnavailable), (3024, "HY000", IlsUnavailable), (2006, None, IlsUnavailable),
        (1030, "HY000", IlsUnavailable), (9999, None, IlsUnavailable),
        (1064, "42000", IlsRejected), (1194, "HY000", IlsRejected), (1356, "HY000", IlsRejected),
        (3118, "HY000", IlsRejected), (1862, "HY000", IlsRejected), (1055, "42000", IlsRejected),
        (1222, "21000", IlsRejected), (1690, "22003", IlsRejected),
    ],
)  # fmt: skip
def test_an_error_of_the_server_is_temporary_or_permanent_by_its_code(code, state, error):
    given = pymysql.OperationalError(code, "la valeur 'Dupont' est fausse")
    given.sqlstate = state
    found = ils_error(given, "Requête au SIGB")
    assert type(found) is error
    assert str(code) in str(found)
    assert "Dupont" not in str(found)
