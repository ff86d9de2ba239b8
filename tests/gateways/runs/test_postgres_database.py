"""What may go wrong with an ILS on PostgreSQL, on a real server."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
import traceback

import psycopg
import pytest

from loan_reminders.domain.errors import IlsRejected, IlsUnavailable
from loan_reminders.domain.loans import Loan, RejectedRow
from loan_reminders.gateways.runs import postgres_database
from loan_reminders.gateways.runs.postgres_database import PostgresDatabase
from loan_reminders.gateways.runs.postgres_errors import ils_error
from tests.scenes.ils_engines import ACCOUNT, DUE, SQL, TODAY, ask, assert_no_session_left, loans, read, source


@pytest.fixture
def ils(postgresql_ils):
    return postgresql_ils


def test_one_read_only_snapshot_in_the_zone_of_the_library(ils):
    names = ("transaction_read_only", "transaction_isolation", "timezone", "statement_timeout", "application_name")
    asked = ", ".join(f"current_setting('{name}')" for name in names)
    (found,) = ask(ils, f"SELECT {asked}", call_timeout_ms=7000)
    assert found == ("on", "repeatable read", "Europe/Paris", "7s", "loan_reminders")


def test_what_is_changed_while_we_read_is_not_seen(ils):
    rows = source(ils, array_size=5).loans_due(DUE, today=TODAY)
    seen = [next(rows)]
    ils.execute("DELETE FROM open_loans")
    assert len(seen + list(rows)) == 40


def test_the_owner_of_the_tables_cannot_write_either(ils):
    """Read-only is of the transaction, whatever the account may do outside it."""
    for statement in ("DELETE FROM open_loans", "DROP TABLE open_loans", "SELECT * FROM open_loans FOR UPDATE"):
        with pytest.raises(IlsRejected, match="25006, la requête écrit, et la session ne fait que lire"):
            ask(ils, statement, user="postgres")
    with pytest.raises(IlsRejected, match="0A000"):
        ask(ils, "WITH gone AS (DELETE FROM open_loans RETURNING *) SELECT * FROM gone", user="postgres")
    assert ils.count() == 40


def test_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    down = PostgresDatabase(lambda: psycopg.connect(f"host=127.0.0.1 port={port}"))
    told = r"^Connexion au SIGB : 08001, le serveur est injoignable\. "
    with pytest.raises(IlsUnavailable, match=told), down.session():
        pass


def test_somebody_listens_who_never_answers():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        mute = PostgresDatabase(lambda: psycopg.connect(f"host=127.0.0.1 port={port} connect_timeout=2"))
        with pytest.raises(IlsUnavailable, match="le serveur ne répond pas à temps"), mute.session():
            pass


@pytest.mark.parametrize(
    ("made", "options", "error", "told"),
    [
        (f"ALTER ROLE {ACCOUNT} NOLOGIN", {}, IlsRejected, "28000, le compte n'a pas le droit de se connecter"),
        (f"ALTER ROLE {ACCOUNT} CONNECTION LIMIT 0", {}, IlsUnavailable, "53300, trop de sessions"),
        ("SELECT 1", {"user": "personne"}, IlsRejected, "28000, le compte n'a pas le droit de se connecter"),
        ("SELECT 1", {"database": "nulle_part"}, IlsRejected, "3D000, cette base n'existe pas"),
        ("SELECT 1", {"libpq": {"foo": "1"}}, IlsRejected, "une option de la connexion"),
        ("SELECT 1", {"libpq": {"options": "-c nope=1"}}, IlsRejected, "42704, un réglage"),
    ],
)
def test_a_connection_that_is_refused(ils, made, options, error, told):
    ils.execute(made)
    try:
        with pytest.raises(error, match=f"^Connexion au SIGB : .*{told}") as refused:
            ask(ils, "SELECT 1", **options)
    finally:
        ils.execute(f"ALTER ROLE {ACCOUNT} LOGIN CONNECTION LIMIT -1")
    assert ACCOUNT not in "".join(traceback.format_exception(refused.value))


@pytest.fixture
def with_password(ils):
    """The server asks everybody but its owner for a password."""
    path = ils.server.folder / "pg_hba.conf"
    before = path.read_text()
    path.write_text("local all postgres trust\nlocal all all scram-sha-256\n")
    _reload(ils, lets_in=False)
    yield ils
    path.write_text(before)
    _reload(ils, lets_in=True)


def _reload(ils, *, lets_in):
    """The server reads its file again in its own time."""
    ils.server.execute("SELECT pg_reload_conf()")
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            ask(ils, "SELECT 1")
        except IlsRejected:
            if not lets_in:
                return
        else:
            if lets_in:
                return
        time.sleep(0.02)
    raise AssertionError("the server does not read pg_hba.conf again")


def test_a_wrong_password_and_one_that_expired(with_password):
    with_password.execute(f"ALTER ROLE {ACCOUNT} PASSWORD 'juste'")
    right, wrong = {"libpq": {"password": "juste"}}, {"libpq": {"password": "faux-Secret"}}
    assert ask(with_password, "SELECT 1", **right) == [(1,)]
    told = "28P01, identifiant ou mot de passe incorrect, ou mot de passe expiré"
    with pytest.raises(IlsRejected, match=told) as error:
        ask(with_password, "SELECT 1", **wrong)
    assert "Secret" not in "".join(traceback.format_exception(error.value))
    with_password.execute(f"ALTER ROLE {ACCOUNT} VALID UNTIL '2020-01-01'")
    try:
        with pytest.raises(IlsRejected, match="28P01"):
            ask(with_password, "SELECT 1", **right)
    finally:
        with_password.execute(f"ALTER ROLE {ACCOUNT} VALID UNTIL 'infinity'")


def test_too_few_rights_name_the_table(ils):
    ils.execute("CREATE TABLE IF NOT EXISTS secret (a INTEGER)")
    with pytest.raises(IlsRejected, match=r"42501, il manque un droit au compte \(secret\)\. Prév"):
        ask(ils, "SELECT * FROM secret")


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("SELECT nope(1)", "42883"),
        ("SELECT CAST('20260231' AS DATE)", "22008, une date est hors du calendrier"),
        ("SELECT CAST('Dupont' AS INTEGER)", "22P02, un texte du SIGB n'est pas du type attendu"),
        ("SELECT title::numeric FROM open_loans", "22P02"),
        ("SELECT * FROM ailleurs.prets", r"42P01, cette table ou vue n'existe pas \(ailleurs\.prets\)"),
        ("SELECT 1/0", "22012, division par zéro"),
    ],
)
def test_a_statement_that_the_data_or_the_server_refuse(ils, statement, told):
    with pytest.raises(IlsRejected, match=told) as error:
        ask(ils, statement)
    assert "Dupont" not in "".join(traceback.format_exception(error.value))


def test_a_query_that_takes_too_long_is_given_up(ils):
    started = time.monotonic()
    with pytest.raises(IlsUnavailable, match="57014, la base a mis trop de temps à répondre"):
        ask(ils, "SELECT pg_sleep(60)", call_timeout_ms=300)
    assert time.monotonic() - started < 20
    assert_no_session_left(ils)


def test_a_server_that_hangs_is_given_up_too(ils, monkeypatch):
    """It does not keep its own time-out: its process is stopped, as a machine in trouble does."""
    monkeypatch.setattr(postgres_database, "PATIENCE_SECONDS", 0.5)
    stopped: list[int] = []

    def stop():
        while not stopped:
            for pid in ils.processes():
                os.kill(pid, signal.SIGSTOP)
                stopped.append(pid)

    def ask_it():
        with ils.database(call_timeout_ms=1500).session() as session:
            helper.start()
            helper.join()
            session.execute("SELECT title FROM open_loans").fetchmany()

    helper = threading.Thread(target=stop)
    try:
        with pytest.raises(IlsUnavailable, match="le serveur ne répond pas à temps"):
            ask_it()
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    assert_no_session_left(ils)


def test_a_session_killed_between_two_fetches(ils):
    rows = source(ils, array_size=5).loans_due(DUE, today=TODAY)
    first = [next(rows) for _ in range(5)]
    assert {type(row) for row in first} == {Loan}
    for pid in ils.processes():
        ils.server.execute(f"SELECT pg_terminate_backend({pid})")
    told = r"^Lecture du SIGB : (57P01, la session a été arrêtée|la connexion est coupée)"
    with pytest.raises(IlsUnavailable, match=told):
        list(rows)
    assert_no_session_left(ils)


def test_dates_that_python_has_not_stop_nobody(ils):
    moments = ("'infinity'", "'-infinity'", "'0044-03-15 12:00 BC'", "'20260-03-02'")
    ils.execute(*(loans(f"9{place}", loan_date=moment) for place, moment in enumerate(moments)))
    found = read(ils)
    rejected = [row for row in found if isinstance(row, RejectedRow)]
    assert len(found) == 44
    assert {(row.loan_id, row.code, row.column) for row in rejected} == {
        (f"9{place}", "not_a_date", "loan_date") for place in range(4)
    }
    assert rejected[0].raw["loan_date"] == "infinity"


@pytest.mark.parametrize("kind", ["DATE", "TIMESTAMP", "TIMESTAMPTZ"])
def test_every_type_of_date_is_read(ils, kind):
    sql = SQL.replace("loan_date,", f"CAST('infinity' AS {kind}) AS loan_date,", 1)
    assert {row.raw["loan_date"] for row in read(ils, sql=sql)} == {"infinity"}
    sql = SQL.replace("loan_date,", f"CAST('2026-02-11 08:00' AS {kind}) AS loan_date,", 1)
    assert {row.loan_date.isoformat() for row in read(ils, sql=sql)} == {"2026-02-11"}


def test_a_moment_in_another_zone_is_of_the_day_it_is_in_the_library(ils):
    ils.execute("DELETE FROM open_loans", loans("1", due_date="'2026-03-02 23:30:00+00'"))
    sql = SQL.replace("due_ymd = :due_ymd", "due_date >= :due_from AND due_date < :due_to")
    assert [row.due_date for row in read(ils, sql=sql)] == [DUE]  # half past midnight in Paris


def test_the_blanks_that_char_pads_with_are_not_kept(ils):
    sql = SQL.replace("branch,", "CAST(branch AS CHAR(20)) AS branch,")
    found = read(ils, sql=sql.replace("loan_key,", "CAST(loan_key AS CHAR(9)) AS loan_key,", 1))
    assert {row.branch for row in found} == {"BUDRT"}
    assert found[0].loan_id == "001"


def test_a_base_without_an_encoding_holds_any_bytes(ils):
    """SQL_ASCII, and a BYTEA: UTF-8 where it is that, else Latin-1; accents in our own statement do no harm."""
    options = "TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'"
    ils.server.execute(f"CREATE DATABASE sans_encodage {options}")
    try:
        for given in ({}, {"libpq": {"client_encoding": "utf8"}}):
            sql = "SELECT convert_from('\\x4cc3a9','SQL_ASCII'), convert_from('\\x4ce9','SQL_ASCII'), 'é' -- été"
            assert ask(ils, sql, database="sans_encodage", **given) == [("Lé", "Lé", "é")]
    finally:
        ils.server.drop_database("sans_encodage")
    assert ask(ils, "SELECT CAST('\\x4ce9' AS BYTEA), CAST('Lé' AS TEXT)") == [("Lé", "Lé")]


def test_a_time_zone_that_the_server_does_not_know(ils):
    class Nowhere:
        key = "Europe/Nulle-Part"

    with pytest.raises(IlsRejected, match=r"22023, une valeur n'est pas permise \(library\.time_zone"):
        ask(ils, "SELECT 1", zone=Nowhere())


@pytest.mark.parametrize(
    ("said", "error", "told"),
    [
        ("FATAL:  authentification par mot de passe échouée pour l'utilisateur « x »", IlsRejected, "28P01"),
        ("FATAL:  le rôle « x » n'est pas autorisé à se connecter", IlsRejected, "28000"),
        ("FATAL:  la base de données « x » n'existe pas", IlsRejected, "3D000"),
        ("FATAL:  aucune entrée dans pg_hba.conf pour l'hôte « 10.0.0.1 »", IlsRejected, "28000"),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "x", no encryption', IlsRejected, "28000"),
        ("FATAL:  désolé, trop de clients sont déjà connectés", IlsUnavailable, "53300"),
        ("FATAL:  the database system is starting up", IlsUnavailable, "57P03"),
        ("FATAL:  le système de bases de données s'arrête", IlsUnavailable, "57P03"),
        ("server closed the connection unexpectedly", IlsUnavailable, "la connexion est coupée"),
        ("server does not support SSL, but SSL was required", IlsRejected, "TLS"),
        ("SSL error: certificate verify failed", IlsRejected, "TLS"),
        ("FATAL:  quelque chose de nouveau", IlsUnavailable, "la connexion est coupée"),
    ],
)
def test_a_refused_connection_is_known_by_the_servers_words(said, error, told):
    found = ils_error(psycopg.OperationalError(f"connection failed: {said}"), "Connexion au SIGB")
    assert isinstance(found, error)
    assert told in str(found)


@pytest.mark.parametrize(
    ("state", "error"),
    [
        ("08006", IlsUnavailable), ("40001", IlsUnavailable), ("40P01", IlsUnavailable), ("53100", IlsUnavailable),
        ("53200", IlsUnavailable), ("57P02", IlsUnavailable), ("57P03", IlsUnavailable), ("25P03", IlsUnavailable),
        ("XX000", IlsUnavailable), ("58030", IlsUnavailable), ("55P03", IlsUnavailable),
        ("42P18", IlsRejected), ("42999", IlsRejected), ("22000", IlsRejected), ("28P01", IlsRejected),
        ("0A000", IlsRejected), ("25006", IlsRejected), ("3F000", IlsRejected), ("P0001", IlsRejected),
    ],
)  # fmt: skip
def test_an_error_of_the_server_is_temporary_or_permanent_by_its_code(state, error):
    raised = psycopg.errors.lookup(state) if state in psycopg.errors._sqlcodes else psycopg.DatabaseError
    given = raised("la valeur « Dupont » est fausse")
    given.sqlstate = state
    found = ils_error(given, "Requête au SIGB")
    assert type(found) is error
    assert state in str(found)
    assert "Dupont" not in str(found)
