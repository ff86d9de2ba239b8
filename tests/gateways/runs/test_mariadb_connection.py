"""Who is let in by a MariaDB, and how a connection says it: on a real server."""

from __future__ import annotations

import socket
import traceback

import pytest

from loan_reminders.domain.errors import IlsRejected, IlsUnavailable
from loan_reminders.gateways.runs.mariadb_connection import connect
from loan_reminders.gateways.runs.mariadb_database import MariaDbDatabase
from tests.scenes.ils_engines import (
    ACCOUNT,
    PASSWORD,
    ask,
)

AT = f"{ACCOUNT}@'127.0.0.1'"


@pytest.fixture
def ils(mariadb_ils):
    return mariadb_ils


def test_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    down = MariaDbDatabase(lambda: _connect(port=port))
    told = r"^Connexion au SIGB : 2003, le serveur est injoignable\. "
    with pytest.raises(IlsUnavailable, match=told), down.session():
        pass


def test_somebody_listens_who_never_answers():
    told = "2013, la connexion est coupée, ou le serveur ne répond plus"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        mute = MariaDbDatabase(lambda: _connect(port=silent.getsockname()[1], call_timeout_ms=-4500))
        with pytest.raises(IlsUnavailable, match=told), mute.session():
            pass


def _connect(*, port, extra=None, call_timeout_ms=60_000):
    return connect(
        host="127.0.0.1",
        port=port,
        login="x",
        password="x",
        database="x",
        extra=extra or {},
        call_timeout_ms=call_timeout_ms,
    )


@pytest.mark.parametrize(
    ("made", "options", "told"),
    [
        ("SELECT 1", {"password": "faux-Secret"}, "Connexion au SIGB : 1045, identifiant ou mot de passe incorrect"),
        ("SELECT 1", {"user": "personne"}, "Connexion au SIGB : 1045, identifiant ou mot de passe incorrect"),
        ("SELECT 1", {"database": "nulle_part"}, "Connexion au SIGB : 1044, le compte n'a pas de droit sur cette base"),
        ("SELECT 1", {"database": "nulle_part", "user": "root", "password": ""}, "1049, cette base n'existe pas"),
        (f"ALTER USER {AT} ACCOUNT LOCK", {}, "Connexion au SIGB : 4151, le compte est verrouillé"),
        (f"ALTER USER {AT} PASSWORD EXPIRE", {}, "1820, le mot de passe a expiré"),
    ],
)
def test_a_connection_that_is_refused(ils, made, options, told):
    ils.execute(made)
    try:
        with pytest.raises(IlsRejected, match=told) as error:
            ask(ils, "SELECT title FROM open_loans", **options)
    finally:
        ils.execute(f"ALTER USER {AT} IDENTIFIED BY '{PASSWORD}' ACCOUNT UNLOCK")
    words = "".join(traceback.format_exception(error.value))
    assert ACCOUNT not in words
    assert "Secret" not in words


def test_too_many_sessions_pass_by_themselves(ils):
    ils.execute(f"ALTER USER {AT} WITH MAX_USER_CONNECTIONS 1")
    try:
        with (
            ils.database().session(),
            pytest.raises(IlsUnavailable, match="1226, le compte a atteint une de ses limites"),
        ):
            ask(ils, "SELECT 1")
    finally:
        ils.execute(f"ALTER USER {AT} WITH MAX_USER_CONNECTIONS 0")


def test_too_few_rights_name_the_table_or_the_column_and_not_the_account(ils):
    ils.execute(
        "DROP TABLE IF EXISTS other",
        "CREATE TABLE other (a INTEGER, secret INTEGER)",
        f"GRANT SELECT ON {ils.name}.open_loans TO {AT}",
        f"REVOKE SELECT ON {ils.name}.* FROM {AT}",
    )
    try:
        with pytest.raises(IlsRejected, match=r"1142, il manque au compte un droit sur cette table \(other\)\. "):
            ask(ils, "SELECT * FROM other")
        ils.execute(f"GRANT SELECT (a) ON {ils.name}.other TO {AT}")
        assert ask(ils, "SELECT a FROM other") == []
        told = r"1143, il manque au compte un droit sur cette colonne \(secret, other\)\. "
        with pytest.raises(IlsRejected, match=told):
            ask(ils, "SELECT secret FROM other")
    finally:
        ils.execute(f"GRANT SELECT ON {ils.name}.* TO {AT}", "DROP TABLE other")


@pytest.mark.parametrize(
    ("extra", "told"),
    [
        ({"foo": 1}, "extra inconnu : foo. Extras permis : connect_timeout, "),
        ({"connect_timeout": "bientôt"}, "extra connect_timeout : valeurs permises : un nombre de secondes"),
        ({"connect_timeout": "0"}, "extra connect_timeout"),
        ({"ssl_mode": "OUI"}, "extra ssl_mode : valeurs permises : DISABLED, PREFERRED"),
        ({"ssl_ca": "/nulle/part.pem"}, "extra ssl_ca : valeurs permises : des fichiers PEM"),
        ({"ssl": "{"}, "extra ssl : valeurs permises : un objet JSON"),
        ({"ssl": {"capath": "/etc"}}, "extra ssl : valeurs permises : un objet JSON"),
    ],
)
def test_a_wrong_extra_is_told_before_anything_is_connected(extra, told):
    with pytest.raises(IlsRejected, match=told):
        _connect(port=1, extra=extra)


def test_the_connection_is_encrypted_where_the_server_offers_it(ils):
    authority = ils.server.certificate
    cipher = "SELECT variable_value FROM information_schema.session_status WHERE variable_name = 'ssl_cipher'"
    for extra in (
        {},
        {"ssl_mode": "required"},
        {"ssl_ca": str(authority)},
        {"ssl": f'{{"ca": "{authority}"}}', "ssl_mode": "VERIFY_IDENTITY"},
    ):
        ((found,),) = ask(ils, cipher, extra=extra)
        assert found
    assert ask(ils, cipher, extra={"ssl_mode": "DISABLED"}) == [("",)]


def test_a_server_that_is_not_the_one_expected_is_not_spoken_to(ils, tmp_path):
    from tests.simulators.certificates import self_made_certificate

    with pytest.raises(IlsRejected, match=r"2026, la connexion chiffrée \(TLS\) n'a pas pu être établie"):
        ask(ils, "SELECT 1", extra={"ssl_ca": str(self_made_certificate(tmp_path))})


def test_an_account_that_must_be_encrypted_is_told_so(ils):
    ils.execute(f"ALTER USER {AT} REQUIRE SSL")
    try:
        assert ask(ils, "SELECT 1") == [(1,)]
        with pytest.raises(IlsRejected, match="1045"):
            ask(ils, "SELECT 1", extra={"ssl_mode": "DISABLED"})
    finally:
        ils.execute(f"ALTER USER {AT} REQUIRE NONE")
