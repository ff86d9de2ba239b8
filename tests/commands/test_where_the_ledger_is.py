"""Every command finds the ledger where tasks and pages find it, wherever Airflow keeps the connection."""

from __future__ import annotations

import json

import pytest

from loan_reminders.commands.registry import COMMANDS, main

CONNECTION = "reminders_ledger"
VARIABLES = ("REMINDERS_LEDGER_URL", "REMINDERS_LEDGER_URL_FILE", f"AIRFLOW_CONN_{CONNECTION.upper()}")
ASKED = (
    (0, "migrate", "current"),
    (0, "purge"),
    (0, "dispute-flag"),
    (1, "dispute-file", "--pret", "x", "--sortie", "file.pdf"),
    (0, "sms-costs", "--bibliotheque", "montclar", "--depuis", "2026-11-01", "--jusqu-a", "2026-11-30"),
    (0, "rebuild-counters", "--bibliotheque", "montclar"),
    (0, "effect"),
    (1, "reader-data", "--lecteur", "x", "--sortie", "file.pdf"),
    (1, "reader-correct", "--terminer", "1"),
    (1, "reader-object", "--lever", "1", "--motif", "x"),
    (1, "reader-hold", "--lever", "1", "--motif", "x"),
    (1, "reader-erase", "--lecteur", "x"),
)
"""Each command that needs the ledger, asked about what is not in it, and how it ends then."""

WITHOUT = {"check-settings", "check-ils", "doctor", "dags", "preview", "roles", "prepare"}
"""Commands that need no ledger, and those that ask Airflow for each of its connections by themselves."""


@pytest.fixture
def nowhere(monkeypatch):
    """An installation that says nowhere where the ledger is."""
    from airflow.sdk.configuration import clear_secrets_backends_cache

    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "server")
    clear_secrets_backends_cache()
    yield
    clear_secrets_backends_cache()


@pytest.fixture
def fields(postgres_server, ledger_database):
    """The connection to a ledger that holds nothing."""
    extra = {"host": str(postgres_server.socket_folder)}
    return {"conn_type": "postgres", "login": "postgres", "schema": ledger_database, "extra": extra}


@pytest.fixture
def in_connections_json(nowhere, fields, monkeypatch, tmp_path):
    """Kept where docker-compose.yaml keeps it."""
    file = tmp_path / "connections.json"
    file.write_text(json.dumps({CONNECTION: fields}), encoding="utf-8")
    monkeypatch.setenv("AIRFLOW__SECRETS__BACKEND", "airflow.secrets.local_filesystem.LocalFilesystemBackend")
    monkeypatch.setenv("AIRFLOW__SECRETS__BACKEND_KWARGS", json.dumps({"connections_file_path": str(file)}))


@pytest.fixture
def in_airflows_database(nowhere, fields, airflow_tables):
    """Kept where Airflow's form keeps it."""
    from airflow.models.connection import Connection
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    with create_session() as session:
        session.add(Connection(conn_id=CONNECTION, **fields | {"extra": json.dumps(fields["extra"])}))
    yield
    with create_session() as session:
        session.execute(delete(Connection).where(Connection.conn_id == CONNECTION))


@pytest.mark.parametrize("place", ["in_connections_json", "in_airflows_database"])
def test_every_command_finds_it(place, request, capsys):
    request.getfixturevalue(place)
    for status, *words in ASKED:
        ended = main(words)
        said = capsys.readouterr()
        assert "où est le registre" not in said.err, words
        assert ended == status, (words, said)


def test_no_command_is_forgotten():
    assert {words[0] for _, *words in ASKED} | WITHOUT == set(COMMANDS)
