"""The fields of a connection of type oracle: how a session is opened with them, and what is said of wrong ones."""

from __future__ import annotations

import inspect
import json
import socket
import sqlite3
import threading
import time
from contextlib import closing

import oracledb
import pytest

from loan_reminders.domain.errors import IlsRejected, IlsUnavailable
from loan_reminders.gateways.runs.oracle_connection import ALLOWED, CONNECT_SECONDS
from tests.scenes.aleph import assert_no_session_left
from tests.scenes.oracle_accounts import account, opened_by_gateway, wait_for_abandoned_logins
from tests.simulators.certificates import self_made_certificate
from tests.simulators.oracle_server import SERVICE, OracleServer


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    path = tmp_path_factory.mktemp("ils") / "empty.db"
    sqlite3.connect(path).close()
    return path


@pytest.fixture(scope="module")
def server(database):
    with OracleServer(database) as running:
        yield running


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return self_made_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def secure(database, certificate):
    with OracleServer(database, certificate=certificate) as running:
        yield running


@pytest.fixture(scope="module")
def wallet(certificate, tmp_path_factory):
    """A folder with the certificates to trust, as the thin driver reads it."""
    folder = tmp_path_factory.mktemp("wallet")
    (folder / "ewallet.pem").write_bytes(certificate.read_bytes())
    return folder


def opened(account):
    """What one session says: its schema, and the statements it began with."""
    with closing(account.connect()) as connection:
        return connection.current_schema


def descriptor(server, protocol="TCP"):
    return (
        f"(DESCRIPTION=(RETRY_COUNT=1)(ADDRESS=(PROTOCOL={protocol})(HOST={server.host})(PORT={server.port}))"
        f"(CONNECT_DATA=(SERVICE_NAME={SERVICE})))"
    )


@pytest.mark.parametrize("extra", [{"service_name": SERVICE}, {"sid": SERVICE}, json.dumps({"service_name": SERVICE})])
def test_a_service_or_a_sid_leads_to_the_server(server, extra):
    assert opened(account(server, extra=extra)) is None
    assert_no_session_left(server)


def test_the_schema_field_is_the_schema_of_the_tables_when_an_extra_names_the_service(server):
    assert opened(account(server, schema="UNS50")) == "UNS50"
    assert opened(account(server, schema="UNS50", extra={"sid": SERVICE})) == "UNS50"


def test_the_schema_field_alone_is_the_service_and_nothing_else(server):
    """Airflow's hook makes it the schema too, which a real server refuses (ORA-01435)."""
    assert opened(account(server, schema=SERVICE, extra=None)) is None


@pytest.mark.parametrize("extra", [None, "", "{}", {}])
def test_a_whole_descriptor_may_stand_in_the_host(server, extra):
    assert opened(account(host=descriptor(server), port=None, extra=extra)) is None
    assert opened(account(host=f"{server.host}:{server.port}/{SERVICE}", port=None, extra=extra)) is None


def test_a_whole_descriptor_may_stand_in_the_extra(server):
    for host in ("", None, "written down for people"):
        assert opened(account(host=host, port=None, extra={"dsn": descriptor(server)}, schema="UNS50")) == "UNS50"


def test_a_name_of_tnsnames_is_looked_up_in_the_folder(server, tmp_path):
    (tmp_path / "tnsnames.ora").write_text(f"PROD = {descriptor(server)}\n")
    for fields in ({"host": "PROD", "extra": {}}, {"host": "", "extra": {"dsn": "PROD"}}):
        extra = {**fields["extra"], "config_dir": str(tmp_path)}
        assert opened(account(host=fields["host"], port=None, extra=extra)) is None
    with pytest.raises(IlsRejected, match="DPY-4000, le nom TNS est inconnu"):
        opened_by_gateway(account(host="TEST", port=None, extra={"config_dir": str(tmp_path)}))


def test_the_session_has_the_librarys_zone(server):
    server.statements.clear()
    opened(account(server))
    assert server.statements[0] == "ALTER SESSION SET TIME_ZONE = 'Europe/Paris'"
    server.statements.clear()
    opened(account(server, zone=None))
    assert not [said for said in server.statements if "TIME_ZONE" in said]


def test_a_zone_the_server_does_not_know_is_told_and_leaves_no_session(server):
    with pytest.raises(IlsRejected, match=r"ORA-01882, la base ne connaît pas le fuseau.*library\.time_zone"):
        opened_by_gateway(account(server, zone="Mars/Phobos"))
    assert_no_session_left(server)
    with pytest.raises(IlsRejected, match="fuseau horaire illisible"):
        account(zone="Europe/Paris' --")


def test_tcps_with_the_certificates_of_a_wallet(secure, wallet):
    extra = {"service_name": SERVICE, "protocol": "tcps", "wallet_location": str(wallet)}
    assert opened(account(secure, extra={**extra, "ssl_server_dn_match": "false"})) is None
    assert opened(account(secure, extra={**extra, "ssl_server_cert_dn": "CN=sink.example"})) is None
    dsn = {"dsn": descriptor(secure, "TCPS"), "wallet_location": str(wallet), "ssl_server_dn_match": False}
    assert opened(account(host=None, port=None, extra=dsn)) is None
    assert_no_session_left(secure)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, r"DPY-6006, le certificat du serveur porte un autre nom\. .*Remède : demander à l'administrateur de la b"),
        ({"ssl_server_cert_dn": "CN=other"}, "DPY-6002, le certificat du serveur n'est pas celui attendu"),
        ({"wallet_location": None}, "DPY-6005, le certificat du serveur n'est pas reconnu"),
    ],
)
def test_a_server_that_is_not_the_one_expected_is_refused(secure, wallet, more, told):
    extra = {"service_name": SERVICE, "protocol": "tcps", "wallet_location": str(wallet), **more}
    with pytest.raises(IlsRejected, match=told):
        opened_by_gateway(account(secure, extra=extra))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the driver forgets that socket
def test_a_listener_that_speaks_the_other_protocol_is_told(database, secure):
    with OracleServer(database) as server:
        tls = account(server, extra={"service_name": SERVICE, "protocol": "tcps"}, login_seconds=0.3)
        with pytest.raises(IlsUnavailable, match="le serveur ne répond pas à temps"):
            opened_by_gateway(tls)
    wait_for_abandoned_logins()
    with pytest.raises(IlsUnavailable, match="la connexion est coupée"):
        opened_by_gateway(account(secure))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # nor has it closed the one it waits on
@pytest.mark.parametrize("protocol", ["tcp", "tcps"])
def test_a_listener_that_accepts_and_says_nothing_is_given_up(protocol):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host, port = silent.getsockname()[:2]
        extra = {"service_name": SERVICE, "protocol": protocol}
        started = time.monotonic()
        with pytest.raises(IlsUnavailable, match="Connexion au SIGB : TimeoutError, le serveur ne répond pas à temps"):
            opened_by_gateway(account(host=host, port=port, extra=extra, login_seconds=0.3))
        assert time.monotonic() - started < 5
    wait_for_abandoned_logins()


def test_a_session_that_comes_too_late_is_closed(server, monkeypatch):
    connect, arrived = oracledb.connect, threading.Event()

    def slowly(**given):
        assert arrived.wait(5)
        return connect(**given)

    monkeypatch.setattr(oracledb, "connect", slowly)
    with pytest.raises(TimeoutError):
        account(server, login_seconds=0.05).connect()
    server.statements.clear()
    arrived.set()
    deadline = time.monotonic() + 5
    while not server.statements and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.statements
    assert_no_session_left(server)


def test_time_outs_and_retries_reach_the_driver(server, monkeypatch):
    seen = []
    connect = oracledb.connect
    monkeypatch.setattr(oracledb, "connect", lambda **given: seen.append(given) or connect(**given))
    opened(account(server))
    assert seen[-1]["tcp_connect_timeout"] == CONNECT_SECONDS
    opened(
        account(
            server,
            extra={
                "service_name": SERVICE,
                "tcp_connect_timeout": "3",
                "retry_count": 2,
                "retry_delay": 1,
                "expire_time": 5,
                "purity": "self",
                "fetch_decimals": True,
            },
        )
    )
    assert {key: seen[-1][key] for key in ("tcp_connect_timeout", "retry_count", "retry_delay", "expire_time")} == {
        "tcp_connect_timeout": 3,
        "retry_count": 2,
        "retry_delay": 1,
        "expire_time": 5,
    }
    assert seen[-1]["purity"] is oracledb.Purity.SELF
    assert "fetch_decimals" not in seen[-1]


def test_every_extra_that_is_allowed_is_one_of_the_drivers_or_ours():
    known = (
        inspect.signature(oracledb.connect).parameters.keys()
        | inspect.signature(oracledb.ConnectParams).parameters.keys()
    )
    assert set(ALLOWED) - known == {"thick_mode", "thick_mode_lib_dir", "thick_mode_config_dir"}
