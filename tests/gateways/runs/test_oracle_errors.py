"""Every code of the table of Oracle's errors, given by a server on the wire or by the driver itself."""

from __future__ import annotations

import re
import socket
import sqlite3
from contextlib import closing

import oracledb
import pytest
from oracledb import errors as driver_errors

from loan_reminders.domain.errors import RETRIED, TO_MEND, IlsRejected, IlsUnavailable
from loan_reminders.gateways.runs.oracle_errors import ORACLE_ERRORS, ils_error
from tests.scenes.aleph import assert_no_session_left
from tests.scenes.oracle_misfortunes import BY_THE_DRIVER
from tests.simulators.oracle_server import SERVICE, Faults, OracleServer

DOING = "Connexion au SIGB"
SERVERS = sorted(code for code in ORACLE_ERRORS if code.startswith("ORA-"))
LISTENERS = [code for code in SERVERS if code.startswith("ORA-12")]
MADE_BY_HAND = {"DPI-1072", "DPY-2017", "DPY-3015", "DPY-4033", "DPY-4035"}
"""What neither a server in Python nor this machine can bring the driver to say: its own maker of errors says it."""
SECRETS = ("Dupont", "Secret", "ILS")


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    path = tmp_path_factory.mktemp("ils") / "empty.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE z36 (z36_id TEXT)")
        connection.execute("INSERT INTO z36 VALUES ('R1')")
        connection.commit()
    return path


@pytest.fixture(scope="module")
def running(database):
    with OracleServer(database) as server:
        yield server


@pytest.fixture
def server(running):
    yield running
    running.faults = Faults()


def asked(**connecting):
    """One session that asks for a row; the error it meets."""
    given = {"user": "ILS", "password": "ils", "service_name": SERVICE, **connecting}
    try:
        with closing(oracledb.connect(**given)) as connection, closing(connection.cursor()) as cursor:
            cursor.execute("SELECT z36_id FROM z36")
            cursor.fetchall()
    except (oracledb.Error, OSError) as error:
        return ils_error(error, DOING)
    pytest.fail("no error at all")


def at(server, **more):
    return asked(host=server.host, port=server.port, **more)


def is_said(error, code):
    """The error is of the class and in the words of the table, and tells nothing of the data or the account."""
    cause = ORACLE_ERRORS[code]
    assert type(error) is (IlsUnavailable if cause.temporary else IlsRejected)
    assert error.cause.startswith(f"{DOING} : {code}, {cause.words}")
    what_next = RETRIED if cause.temporary else TO_MEND
    assert str(error) == f"{error.cause}. {what_next} Remède : {cause.remedy}."
    assert error.remedy == cause.remedy
    assert not [secret for secret in SECRETS if secret in str(error)]


@pytest.mark.parametrize("code", SERVERS)
def test_a_code_of_the_server_is_known_at_log_in_and_in_a_query(server, code):
    server.faults.refuse_login = int(code[4:])
    is_said(at(server), code)
    server.faults.refuse_login = 0
    server.faults.fail_query = int(code[4:])
    is_said(at(server), code)
    assert_no_session_left(server)


@pytest.mark.parametrize("code", LISTENERS)
def test_a_code_of_the_listener_is_known(server, code):
    server.faults.refuse = int(code[4:])
    said_by_driver = {"ORA-12505": "DPY-6003", "ORA-12514": "DPY-6001"}
    is_said(at(server), said_by_driver.get(code, code))


@pytest.mark.parametrize(
    ("ora", "expected", "words"),
    [
        (65000, IlsUnavailable, "ORA-65000. "),
        (20001, IlsUnavailable, "ORA-20001. "),
        (602, IlsUnavailable, "ORA-00602, la connexion est coupée. "),
        (979, IlsRejected, "ORA-00979. "),
        (1, IlsRejected, "ORA-00001. "),
    ],
)
def test_an_unknown_code_of_the_server_is_said_and_quotes_nothing(server, ora, expected, words):
    server.faults.fail_query = ora
    error = at(server)
    assert type(error) is expected
    assert words in str(error)
    assert error.remedy
    assert "Dupont" not in str(error)


def test_an_unknown_code_of_the_listener_is_a_refusal_of_the_listener(server):
    server.faults.refuse = 12999
    assert at(server).cause == f"{DOING} : ORA-12999, {ORACLE_ERRORS['DPY-6000'].words}"


def test_a_code_is_temporary_or_not_as_the_driver_thinks_of_it(server):
    """What python-oracledb calls recoverable is tried again."""
    for number in driver_errors.ERR_RECOVERABLE_ERROR_CODES:
        known = ORACLE_ERRORS.get(f"ORA-{number:05d}")
        assert known is None or known.temporary, number
    for number, said in driver_errors.ERR_ORACLE_ERROR_XREF.items():
        known = ORACLE_ERRORS.get(f"ORA-{number:05d}")
        if said == driver_errors.ERR_CONNECTION_CLOSED:
            assert known is None or known.temporary, number


def test_a_missing_table_is_named_and_nothing_else_is(server, database):
    with closing(oracledb.connect(user="ILS", password="ils", dsn=server.dsn)) as connection:
        with pytest.raises(oracledb.DatabaseError) as error:
            connection.cursor().execute("SELECT 1 FROM z99 WHERE z99_id = 'Dupont'")
        assert '("ILS"."Z99")' in str(ils_error(error.value, DOING))


def nobody_there():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return {"host": "127.0.0.1", "port": listener.getsockname()[1]}


@pytest.mark.parametrize(
    ("connecting", "words"),
    [
        (nobody_there, "DPY-6005, pas d'écouteur Oracle à cette adresse. Nouvel essai"),
        (lambda: {"host": "nowhere.invalid"}, "gaierror, le nom du serveur est inconnu. Nouvel essai"),
    ],
)
def test_what_the_network_says_is_said(connecting, words):
    error = asked(**connecting())
    assert type(error) is IlsUnavailable
    assert words in str(error)


def test_a_server_that_never_answers_the_first_packet_is_given_up():
    with socket.create_server(("127.0.0.1", 0), backlog=1) as silent:
        full = [socket.create_connection(silent.getsockname()[:2]) for _ in range(2)]
        try:
            error = asked(host="127.0.0.1", port=silent.getsockname()[1], tcp_connect_timeout=0.2)
        finally:
            for client in full:
                client.close()
    assert type(error) is IlsUnavailable
    assert "le serveur ne répond pas à temps" in str(error)


ELSEWHERE = {
    "DPI-1047": "test_oracle_connection_fields",
    "DPY-4000": "test_oracle_connection",
    "DPY-6002": "test_oracle_connection",
    "DPY-6005": "test_what_the_network_says_is_said",
    "DPY-6006": "test_oracle_connection",
}
"""Where a code is tested that needs more: a certificate, a folder, a process of its own."""


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the driver forgets its proxy's socket
@pytest.mark.parametrize("code", sorted(BY_THE_DRIVER))
def test_a_code_of_the_driver_is_known(server, code):
    with pytest.raises((oracledb.Error, OSError)) as error:
        BY_THE_DRIVER[code](server)
    said = ils_error(error.value, DOING)
    if code == "DPY-6000":
        assert "ORA-12999, l'écouteur Oracle refuse la connexion" in str(said)
    else:
        is_said(said, code)


@pytest.mark.parametrize("code", sorted(MADE_BY_HAND))
def test_a_code_of_the_driver_that_nothing_here_can_provoke_is_known(code):
    made = driver_errors._Error(f"{code}: some words about ILS Dupont")
    is_said(ils_error(made.exc_type(made), DOING), code)


def test_no_code_of_the_table_is_left_out():
    tested = {*SERVERS, *BY_THE_DRIVER, *MADE_BY_HAND, *ELSEWHERE}
    assert tested == ORACLE_ERRORS.keys()


@pytest.mark.parametrize("code", sorted(ORACLE_ERRORS))
def test_each_code_says_what_to_ask_whom(code):
    cause = ORACLE_ERRORS[code]
    assert cause.words[0].islower()
    assert not cause.words.endswith(".")
    assert re.match(r"demander à l'administrateur|corriger|mettre|redémarrer", cause.remedy)
