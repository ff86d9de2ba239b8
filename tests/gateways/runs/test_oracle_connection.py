"""The fields of a connection of type oracle: how a session is opened with them, and what is said of wrong ones."""

from __future__ import annotations

import inspect
import json
import os
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing

import oracledb
import pytest

from loan_reminders.domain.errors import IlsRejected, IlsUnavailable
from loan_reminders.gateways.runs.oracle_connection import ALLOWED, CONNECT_SECONDS, OracleAccount
from loan_reminders.gateways.runs.oracle_database import OracleDatabase
from loan_reminders.settings.library_toml import ROOT
from tests.scenes.aleph import assert_no_session_left
from tests.simulators.certificates import self_made_certificate
from tests.simulators.oracle_server import SERVICE, OracleServer

NAME = "ils_oracle"
SECRET = "a-Secret"


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


def account(server=None, **fields):
    """The account of an Airflow Connection with these fields."""
    given = {
        "name": NAME,
        "host": server.host if server else "db.example",
        "port": server.port if server else None,
        "login": "ILS",
        "password": "ils",
        "schema": None,
        "extra": {"service_name": SERVICE},
        "zone": "Europe/Paris",
    }
    return OracleAccount(**{**given, **fields})


def opened(account):
    """What one session says: its schema, and the statements it began with."""
    with closing(account.connect()) as connection:
        return connection.current_schema


def opened_by_gateway(account):
    with OracleDatabase(account.connect).session():
        pytest.fail("nothing went wrong")


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


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"extra": {"service": "X"}}, r"extra inconnu : service ; extras permis : cclass, config_dir"),
        ({"extra": {"service_name": "X", "Tcp_connect_timeout": 3}}, r"extra inconnu : Tcp_connect_timeout"),
        ({"extra": "service_name=X"}, "le champ Extra n'est pas du JSON"),
        ({"extra": '["service_name"]'}, "le champ Extra n'est pas du JSON"),
        ({"extra": {"service_name": "X", "call_timeout": 60000}}, r"call_timeout ne .* ils\.call_timeout_seconds"),
        ({"extra": {"service_name": "X", "mode": "sysdba"}}, "un compte de lecture se connecte sans privilège"),
        ({"extra": {"service_name": "X", "password": SECRET}}, "c'est le champ Password"),
        ({"extra": {"service_name": "X", "sid": "Y"}}, "ne garder qu'un de ces extras : service_name, sid"),
        ({"extra": {"service_name": "X", "dsn": "Y"}}, "ne garder qu'un de ces extras : service_name, dsn"),
        ({"extra": {}}, "il manque le service"),
        ({"host": "", "extra": {"service_name": "X"}}, "il manque l'adresse"),
        ({"host": None, "extra": {}}, "il manque l'adresse"),
        ({"login": ""}, r"il manque l'identifiant \(Login\) ou le mot de passe"),
        ({"password": None}, r"il manque l'identifiant \(Login\) ou le mot de passe"),
        ({"schema": "UNS50; DROP"}, "le champ Schema n'est pas un nom de schéma"),
        ({"extra": {"dsn": "(DESCRIPTION=(ADDRESS=(HOST=h))"}}, "parenthèses"),
        ({"host": "(DESCRIPTION=(ADDRESS=(HOST=h))", "extra": {}}, "parenthèses"),
        ({"extra": {"service_name": 12}}, "l'extra service_name doit être un texte"),
        ({"extra": {"service_name": "X", "protocol": "ssl"}}, "l'extra protocol doit être l'un de : tcp, tcps"),
        ({"extra": {"service_name": "X", "purity": "clean"}}, "l'extra purity doit être l'un de : default, new, self"),
        ({"extra": {"service_name": "X", "tcp_connect_timeout": "10 s"}}, "un nombre entier de 1 à 300"),
        (
            {"extra": {"service_name": "X", "retry_count": 50}},
            "retry_count doit être un nombre entier de 0 à 5",
        ),
        ({"extra": {"service_name": "X", "thick_mode": "oui"}}, "l'extra thick_mode doit être true ou false"),
        ({"extra": {"service_name": "X", "config_dir": "/nowhere"}}, "config_dir nomme un dossier qui n'existe pas"),
        ({"extra": {"service_name": "X", "wallet_location": "/nowhere"}}, "wallet_location nomme un dossier qui n'ex"),
        (
            {"extra": {"service_name": "X", "wallet_location": "/tmp"}},
            "/tmp n'a pas de fichier ewallet",
        ),
        (
            {"extra": {"service_name": "X", "wallet_location": "/tmp", "thick_mode": True}},
            "le portefeuille /tmp n'a pas de fichier cwallet",
        ),
        (
            {"extra": {"service_name": "X", "thick_mode": True, "thick_mode_lib_dir": "/tmp"}},
            r"/tmp n'a pas de client Oracle \(libclntsh\) : y installer Instant Client 19",
        ),
        (
            {"extra": {"service_name": "X", "thick_mode": True, "thick_mode_lib_dir": "/nowhere"}},
            "thick_mode_lib_dir nomme un dossier qui n'existe pas",
        ),
        ({"extra": {"service_name": "X", "thick_mode_lib_dir": "/tmp"}}, "ne sert qu'avec thick_mode = true"),
    ],
)
def test_a_field_that_cannot_be_used_is_told_before_anything_is_connected(fields, told):
    with pytest.raises(IlsRejected, match=told) as error:
        account(**{"password": SECRET, **fields})
    assert str(error.value).startswith(f"Connexion {NAME} : ")
    assert "La corriger dans Airflow (Administration, Connexions)" in str(error.value)
    assert SECRET not in str(error.value)
    assert error.value.cause
    assert error.value.remedy


def test_thick_mode_without_a_client_on_the_machine_is_told_with_what_to_install():
    """In a process of its own: the first connection of a process decides its mode."""
    script = """
from loan_reminders.domain.errors import IlsRejected
from loan_reminders.gateways.runs.oracle_connection import OracleAccount
from loan_reminders.gateways.runs.oracle_database import OracleDatabase
account = OracleAccount(name="ils_oracle", host="db", port=None, login="ILS", password="ils", schema=None,
                        extra={"service_name": "X", "thick_mode": True}, zone=None)
try:
    with OracleDatabase(account.connect).session():
        pass
except IlsRejected as error:
    print(error)
"""
    told = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(ROOT / "plugins")},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "DPI-1047, le client Oracle du mode « thick » est introuvable ou incomplet" in told
    assert "Remède : mettre la connexion en mode « thick » avec Instant Client 19" in told
