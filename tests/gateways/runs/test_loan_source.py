"""The ILS gateway on a real socket: what goes wrong, and what it leaves behind."""

from __future__ import annotations

import socket
import sqlite3
import time
import traceback
from contextlib import closing

import oracledb
import pytest

from loan_reminders.domain.errors import IlsRejected, IlsUnavailable
from loan_reminders.domain.loans import Loan, RejectedRow
from loan_reminders.gateways.runs.binds import bind_names
from loan_reminders.gateways.runs.loan_source import IlsLoanSource
from loan_reminders.gateways.runs.oracle_database import OracleDatabase
from sql.demo.tables import BINDS, write_sqlite
from tests.scenes.aleph import ALEPH_SQL, CODES, NOW_SQL, TODAY, assert_no_session_left, due_day, read, source
from tests.simulators.oracle_backend import ALEPH_TYPES, DATE
from tests.simulators.oracle_server import OracleServer

LOAN_DATE = "z36.z36_loan_date                          AS loan_date"
WRONG = "wrong-Secret"
TITLE = "TRIM(z13.z13_title)"
assert LOAN_DATE in ALEPH_SQL
assert TITLE in ALEPH_SQL


@pytest.fixture(scope="module")
def database(library, tmp_path_factory):
    path = tmp_path_factory.mktemp("ils") / "library.db"
    write_sqlite(path, library)
    return path


@pytest.fixture
def server(database):
    with OracleServer(database) as running:
        yield running


def test_the_ids_alone_are_those_of_the_loans_and_of_the_rows_that_cannot_be_read(server):
    ids = list(source(server, array_size=10).loan_ids_due(due_day("C"), today=TODAY))
    assert ids
    assert ids == [row.loan_id for row in read(source(server))]
    assert_no_session_left(server)


def assert_tells_no_data(error):
    told = "".join(traceback.format_exception(error.value))
    assert "Dupont" not in told
    assert WRONG not in told


def test_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    loans = IlsLoanSource(
        OracleDatabase(
            lambda: oracledb.connect(user="ILS", password="ils", host="127.0.0.1", port=port, service_name="DEMO")
        ),
        sql=ALEPH_SQL,
        now_sql=NOW_SQL,
        binds=BINDS,
        codes=CODES,
    )
    with pytest.raises(IlsUnavailable, match=r"^Connexion au SIGB : DPY-6005, pas d'écouteur .*adresse\. Nouvel essai"):
        read(loans)


def test_the_listener_does_not_know_the_service(server):
    server.faults.refuse = 12514
    with pytest.raises(IlsUnavailable, match="DPY-6001, l'écouteur Oracle ne connaît pas le service"):
        read(source(server))
    assert_no_session_left(server)


def test_an_operating_system_error_counts_as_unavailable():
    def connect():
        raise TimeoutError("nobody")

    loans = IlsLoanSource(OracleDatabase(connect), sql=ALEPH_SQL, now_sql=NOW_SQL, binds=BINDS, codes=CODES)
    with pytest.raises(IlsUnavailable, match="Connexion au SIGB : TimeoutError"):
        read(loans)


def test_a_wrong_password_is_permanent_and_is_not_repeated(server):
    with pytest.raises(IlsRejected, match=r"ORA-01017, identifiant ou mot de passe incorrect\. Prév") as error:
        read(source(server, password=WRONG))
    server.unlock()
    assert_tells_no_data(error)
    assert_no_session_left(server)


@pytest.mark.parametrize(
    ("text", "instead", "told"),
    [
        ("z13.z13_title", "z13.z13_nope", r"ORA-00904, cette colonne ou fonction .* \(\"Z13\".\"Z13_NOPE\"\)"),
        ("LEFT JOIN z13\n", "LEFT JOIN z99 z13\n", r"ORA-00942, cette table ou vue.*\(\"ILS\".\"Z99\"\)"),
        ("WHERE z36.z36_due_date", "WHERE WHERE z36.z36_due_date", "ORA-00933"),
        ("AS price_text", "AS price", "ne rend pas les colonnes : price_text. Corriger"),
        ("AS email,", "AS mel,", "ne rend pas les colonnes : email. Corriger"),
        (":due_ymd", ":due_day", "binds sans valeur : due_day. Corriger"),
        ("loan.loan_number\n", "loan.loan_number;", "ORA-00911"),
    ],
)
def test_a_statement_the_server_or_the_contract_refuses_is_permanent(server, text, instead, told):
    sql = ALEPH_SQL.replace(text, instead)
    assert sql != ALEPH_SQL
    with pytest.raises(IlsRejected, match=told):
        read(source(server, sql=sql))
    assert_no_session_left(server)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (1034, IlsUnavailable),
        (1033, IlsUnavailable),
        (1089, IlsUnavailable),
        (3113, IlsUnavailable),
        (1555, IlsUnavailable),
        (12170, IlsUnavailable),
        (600, IlsUnavailable),
        (99999, IlsUnavailable),
        (942, IlsRejected),
        (979, IlsRejected),
        (1031, IlsRejected),
        (1722, IlsRejected),
        (28000, IlsRejected),
    ],
)
def test_an_error_of_the_query_is_temporary_or_permanent_and_quotes_nothing(server, code, expected):
    server.faults.fail_query = code
    with pytest.raises((IlsUnavailable, IlsRejected)) as error:
        read(source(server))
    assert error.type is expected
    assert_tells_no_data(error)
    assert_no_session_left(server)


@pytest.mark.parametrize("code", [0, 1555, 3113])
def test_a_failure_between_two_fetches_comes_after_the_loans_already_read(server, code):
    server.faults.fail_fetch_after = 1
    server.faults.fail_fetch_with = code
    loans = source(server, array_size=10).loans_due(due_day("C"), today=TODAY)
    with pytest.raises(IlsUnavailable, match="Lecture du SIGB") as error:
        list(loans)
    assert_tells_no_data(error)
    assert_no_session_left(server)


def test_loans_come_before_the_last_is_read(server):
    server.faults.fail_fetch_after = 1
    loans = source(server, array_size=10).loans_due(due_day("C"), today=TODAY)
    first = [next(loans) for _ in range(15)]
    assert len(first) == 15
    with pytest.raises(IlsUnavailable):
        list(loans)


def test_a_server_that_hangs_is_given_up_after_the_time_out(server):
    server.faults.hang = True
    started = time.monotonic()
    with pytest.raises(IlsUnavailable, match="DPY-4024, la base a mis trop de temps"):
        read(source(server, call_timeout_ms=300))
    assert time.monotonic() - started < 5
    assert_no_session_left(server)


def test_everything_happens_in_one_read_only_transaction_that_is_rolled_back(server):
    assert read(source(server))
    said = [statement.strip() for statement in server.statements]
    assert said == ["SET TRANSACTION READ ONLY", ALEPH_SQL.strip(), "ROLLBACK", "COMMIT"]  # the last is the log-off's
    assert_no_session_left(server)


def test_a_write_is_refused_inside_that_transaction(server):
    with oracledb.connect(user=server.user, password=server.password, dsn=server.dsn) as connection:
        cursor = connection.cursor()
        cursor.execute("SET TRANSACTION READ ONLY")
        with pytest.raises(oracledb.DatabaseError, match="ORA-01456"):
            cursor.execute("DELETE FROM z36")


def test_an_abandoned_stream_closes_its_connection(server):
    loans = source(server, array_size=10).loans_due(due_day("C"), today=TODAY)
    assert isinstance(next(loans), Loan)
    assert server.sessions == 1
    loans.close()
    assert_no_session_left(server)
    assert "ROLLBACK" in server.statements


def test_a_day_without_loans_gives_an_empty_stream(server):
    assert list(source(server).loans_due(TODAY.replace(year=1999), today=TODAY)) == []


def test_the_size_of_a_fetch_changes_nothing(server):
    whole, by_seven = read(source(server)), read(source(server, array_size=7))
    assert len(whole) > 70
    assert whole == by_seven


def test_only_the_binds_a_statement_names_are_passed(server):
    sql = ALEPH_SQL.replace(":bor_library", "'ALEPH'").replace(":adm_library", "'UNS50'")
    assert bind_names(sql) == {"due_ymd", "today_ymd", *BINDS} - {"bor_library", "adm_library"}
    assert len(read(source(server, sql=sql))) == len(read(source(server)))


def test_days_are_also_offered_as_dates(server):
    """A statement over DATE columns binds the due day as a range, and the day of the run."""
    words = "z36.z36_due_date = :due_ymd"
    assert words in ALEPH_SQL
    sql = ALEPH_SQL.replace(
        words,
        "SUBSTR(:due_from, 1, 10) = '2026-03-03' AND SUBSTR(:due_to, 1, 10) = '2026-03-04'"
        " AND SUBSTR(:now_ts, 1, 10) = '2026-03-01' AND z36.z36_due_date = 20260303",
    )
    assert len(read(source(server, sql=sql))) == len(read(source(server)))


def test_a_bind_in_a_comment_or_a_text_is_none():
    assert bind_names("-- :a\nSELECT ':b', 'it''s :c' /* :d\n:e */ FROM t WHERE x = :F AND y = :g_1") == {"f", "g_1"}
    assert bind_names("SELECT due_gmt::date FROM checkout WHERE id = :loan_key::bigint") == {"loan_key"}


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("0 AS loan_date", "missing"),
        ("CAST(NULL AS NUMBER) AS loan_date", "missing"),
        ("20260231 AS loan_date", "not_a_date"),
        ("1.5 AS loan_date", "not_a_date"),
        ("'demain' AS loan_date", "not_a_date"),
    ],
)
def test_rows_that_cannot_be_read_come_as_rejected_rows(server, expression, code):
    rows = read(source(server, sql=ALEPH_SQL.replace(LOAN_DATE, expression)))
    assert rows
    assert {type(row) for row in rows} == {RejectedRow}
    assert {(row.code, row.column) for row in rows} == {(code, "loan_date")}
    assert all(row.patron_id and row.loan_id for row in rows)


def test_dates_of_oracles_own_type_are_read(database):
    with OracleServer(database, types={**ALEPH_TYPES, "loan_date": DATE}) as server:
        rows = read(source(server, sql=ALEPH_SQL.replace(LOAN_DATE, "'2026-02-10 09:30:00' AS loan_date")))
    assert {row.loan_date.isoformat() for row in rows} == {"2026-02-10"}


def test_text_that_is_not_utf_8_stops_nobody(server):
    rows = read(source(server, sql=ALEPH_SQL.replace(TITLE, "X'4CE9'")))
    assert {row.title for row in rows if isinstance(row, Loan)} == {"Lé"}


def test_a_loan_held_twice_comes_twice_and_held_often_is_a_wrong_join(library, tmp_path):
    path = tmp_path / "twice.db"
    write_sqlite(path, library)
    again = "INSERT INTO z36 SELECT * FROM z36 WHERE z36_id = 'ONEIL-C     ' LIMIT 1"
    with closing(sqlite3.connect(path)) as connection:
        (twice,) = connection.execute("SELECT z36_rec_key || '-' || z36_number FROM z36 WHERE z36_id LIKE 'ONEIL-C %'")
        connection.execute(again)
        connection.commit()
        with OracleServer(path) as server:
            assert [row.loan_id for row in read(source(server))].count(twice[0]) == 2
        for _ in range(9):
            connection.execute(again)
        connection.commit()
    with OracleServer(path) as server, pytest.raises(IlsRejected, match=rf"un même prêt : {twice[0]} \(11 lignes\)\. "):
        read(source(server))
