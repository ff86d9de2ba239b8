"""*Test* of each of our types of connection, by Airflow's own REST API, over the wires of the simulators."""

from __future__ import annotations

import json
import re

import pytest

from loan_reminders.hooks.connection_types.provider_info import provider_info
from tests.simulators.imap_server import ImapServer

TYPES = {each["connection-type"]: each for each in provider_info()["connection-types"]}


@pytest.fixture(scope="module")
def known(installation):
    """The connections of the installation, by id: what its own runs use."""
    names = {"allmysms": "ALLMYSMS", "ils": "ILS_ORACLE", "mail_relay": "MAIL_RELAY"}
    return {name: json.loads(installation.env[f"AIRFLOW_CONN_{variable}"]) for name, variable in names.items()}


@pytest.fixture
def tried(installation):
    """What *Test* answers for a form that is filled in and not yet saved."""

    def asked(conn_type, *, extra=(), **fields):
        body = {"connection_id": "essai", "conn_type": conn_type, **fields, "extra": json.dumps(dict(extra))}
        answer = installation.api.call("POST", "connections/test", json=body)
        return answer["status"], answer["message"]

    return asked


def standard(connection, *left_out):
    return {
        name: value
        for name, value in connection.items()
        if name in ("host", "port", "login", "password", "schema") and name not in left_out
    }


def test_airflow_offers_the_types_with_their_fields_in_french(installation):
    session = installation.api.session
    metas = session.get(f"{installation.url}/ui/connections/hook_meta", timeout=120).json()
    found = {meta["connection_type"]: meta for meta in metas if meta["connection_type"] in TYPES}
    assert sorted(found) == sorted(TYPES)
    for name, meta in found.items():
        fields = TYPES[name]["conn-fields"]
        assert meta["hook_name"] == TYPES[name]["hook-name"]
        assert {key: field["schema"]["title"] for key, field in meta["extra_fields"].items()} == {
            key: field["label"] for key, field in fields.items()
        }
        assert meta["standard_fields"]["password"]["title"] in ("Mot de passe", "Clé d'API")


def test_the_credit_is_asked_and_nothing_is_sent(installation, known, tried):
    before = installation.sms.read_bytes() if installation.sms.exists() else b""
    extra = {"login_in_clear": True, "connect_timeout_s": None, "read_timeout_s": ""}
    fine, said = tried("allmysms", **standard(known["allmysms"]), extra=extra)
    assert fine, said
    assert re.fullmatch(r"allmysms répond : il reste [\d\u202f]+ SMS d'un segment\. Rien n'a été envoyé\.", said), said
    assert (installation.sms.read_bytes() if installation.sms.exists() else b"") == before


@pytest.mark.parametrize(
    ("changes", "extra", "told"),
    [
        ({"password": "0" * 32}, {"login_in_clear": True}, "refuse"),
        ({}, {}, "login_in_clear"),
        ({"port": 1}, {"login_in_clear": True}, "allmysms"),
        (
            {},
            {"login_in_clear": True, "read_timeout_s": "demain"},
            "read_timeout_s = « demain » : un nombre",
        ),
        ({"login": None}, {"login_in_clear": True}, "il manque login"),
    ],
)
def test_what_allmysms_does_not_accept_is_red_with_the_sentence(known, tried, changes, extra, told):
    fine, said = tried("allmysms", **{**standard(known["allmysms"]), **changes}, extra=extra)
    assert not fine
    assert told in said
    assert known["allmysms"]["password"] not in said
    assert not re.search("relancer la tâche|Nouvel essai|inattendue", said), said


EMPTY = {"sid": None, "sslmode": None, "ssl_mode": "", "ssl_ca": None}
"""The fields of the form that are other engines'."""


def test_the_ils_on_oracle_makes_the_first_steps_of_check_ils(known, tried):
    extra = {"engine": "oracle", **known["ils"]["extra"], **EMPTY}
    fine, said = tried("ils", **standard(known["ils"]), extra=extra)
    assert fine, said
    assert said.startswith("Serveur joint, compte accepté : Oracle")
    assert "Le compte ne peut que lire." in said
    assert said.endswith("La suite : loan-reminders check-ils.")


def test_the_ils_on_postgresql_says_of_an_account_that_it_could_write(installation, tried):
    fields = {"login": "postgres", "schema": "ledger", "host": str(installation.postgres.socket_folder)}
    fine, said = tried("ils", **fields, extra={"engine": "postgres", **EMPTY, "service_name": ""})
    assert fine, said
    assert said.startswith("Serveur joint, compte accepté : PostgreSQL")
    assert "pourrait écrire" in said
    assert "demander à l'administrateur de la base un compte qui n'a que SELECT" in said


def test_the_ils_on_mariadb(mariadb_server, tried):
    mariadb_server.execute("CREATE OR REPLACE USER essai@'127.0.0.1' IDENTIFIED BY 'un-mot-de-passe'")
    fields = {"host": mariadb_server.host, "port": mariadb_server.port, "login": "essai", "password": "un-mot-de-passe"}
    try:
        fine, said = tried("ils", **fields, extra={"engine": "mariadb", **EMPTY})
    finally:
        mariadb_server.execute("DROP USER essai@'127.0.0.1'")
    assert fine, said
    assert said.startswith("Serveur joint, compte accepté : MariaDB")


@pytest.mark.parametrize(
    ("fields", "extra", "told"),
    [
        ({"port": 1}, {}, "Pas de connexion : Connexion au SIGB : DPY-6005"),
        ({}, {"service_name": ""}, "il manque le service"),
        ({}, {"engine": "access"}, "de type « ils », qui ne mène à aucune base lisible"),
        ({}, {"ssl_ca": "/nowhere.pem"}, "extra inconnu : ssl_ca"),
    ],
)
def test_an_ils_that_cannot_be_read_is_red_with_what_to_ask_whom(known, tried, fields, extra, told):
    asked = {"engine": "oracle", **known["ils"]["extra"], **EMPTY, **extra}
    fine, said = tried("ils", **{**standard(known["ils"]), **fields}, extra=asked)
    assert not fine
    assert told in said
    assert known["ils"]["password"] not in said
    assert not re.search("relancer la tâche|Nouvel essai|inattendue", said), said


def test_the_relay_is_asked_for_nothing_but_to_be_ready(installation, known, tried):
    before = sorted(installation.mail.rglob("*.eml"))
    fine, said = tried("mail_relay", **standard(known["mail_relay"]), extra={"security": "plain", "timeout": None})
    assert (fine, said) == (
        True, "Le serveur de messagerie répond et accepte cette connexion. Aucun message n'a été envoyé.",
    )  # fmt: skip
    assert sorted(installation.mail.rglob("*.eml")) == before


@pytest.mark.parametrize(
    ("changes", "extra", "told"),
    [
        ({}, {"security": "starttls"}, "n'offre pas ce que la connexion Airflow demande"),
        ({"login": "bu", "password": "un-secret"}, {"security": "plain"}, "partirait en clair"),
        ({"port": 1}, {"security": "plain"}, "ne répond pas"),
        ({}, {"security": "ssl"}, "security = « ssl » : valeurs permises : plain, starttls, tls"),
    ],
)
def test_a_relay_that_cannot_be_used_is_red_with_the_sentence(known, tried, changes, extra, told):
    fine, said = tried("mail_relay", **{**standard(known["mail_relay"]), **changes}, extra=extra)
    assert not fine
    assert told in said
    assert "un-secret" not in said
    assert not re.search("relancer la tâche|Nouvel essai|inattendue", said), said


IN_CLEAR = {"use_ssl": False, "login_in_clear": True, "timeout": 5}


def test_the_folder_of_the_mailbox_is_opened_and_left_as_it_was(tried):
    with ImapServer() as server:
        server.add(b"Subject: one\n\nx", b"Subject: two\n\nx")
        login, password = server.credentials
        where = {"host": "127.0.0.1", "port": server.port, "login": login, "password": password}
        assert tried("bounce_mailbox", **where, extra=IN_CLEAR) == (
            True, "Le dossier « INBOX » s'ouvre : 2 messages. Rien n'a été lu ni déplacé.",
        )  # fmt: skip
        assert not any("FETCH" in command or "STORE" in command for command in server.commands)
        for changes, extra, told in (
            ({"password": "un autre"}, IN_CLEAR, "refuse l'identifiant ou le mot de passe"),
            ({}, {"use_ssl": False}, "partirait en clair"),
            ({"port": 1}, IN_CLEAR, "ne répond pas"),
        ):
            fine, said = tried("bounce_mailbox", **{**where, **changes}, extra=extra)
            assert not fine
            assert told in said
            assert not re.search("relancer la tâche|Nouvel essai|inattendue|un autre", said), said


def test_only_who_may_change_connections_may_try_them(installation):
    import requests

    token = requests.post(
        f"{installation.url}/auth/token",
        json={"username": "biblio", "password": installation.passwords["biblio"]},
        timeout=120,
    ).json()["access_token"]
    answer = requests.post(
        f"{installation.url}/api/v2/connections/test",
        json={"connection_id": "essai", "conn_type": "allmysms", "host": "localhost"},
        headers={"Authorization": f"Bearer {token}"},
        timeout=120,
    )
    assert answer.status_code == 403
