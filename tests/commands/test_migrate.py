"""`loan-reminders migrate`: the tables of the ledger, made or removed by hand."""

from __future__ import annotations

import pytest

from loan_reminders.commands import migrate
from loan_reminders.ledger.tables import SCHEMA_REVISION
from tests.simulators.postgres import EmbeddedPostgres


@pytest.mark.parametrize("variable", ["REMINDERS_LEDGER_URL", "AIRFLOW_CONN_REMINDERS_LEDGER"])
def test_the_ledger_is_where_the_environment_says(
    postgres_server: EmbeddedPostgres,
    empty_database: str,
    variable: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("REMINDERS_LEDGER_URL", "AIRFLOW_CONN_REMINDERS_LEDGER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, postgres_server.url(empty_database))
    assert migrate.main(["upgrade"]) == 0
    assert capsys.readouterr().out == f"registre à la révision {SCHEMA_REVISION}\n"
    assert migrate.main(["downgrade", "--revision", "base"]) == 0
    assert capsys.readouterr().out == "registre à la révision aucune\n"


@pytest.mark.parametrize("action", ["upgrade", "downgrade"])
def test_a_revision_that_there_is_not_is_told(
    action: str, postgres_server: EmbeddedPostgres, empty_database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        migrate.main([action, "--revision", "faute", "--url", postgres_server.url(empty_database)])
    assert end.value.code == 2
    assert "--revision faute : révision inconnue" in capsys.readouterr().err


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("REMINDERS_LEDGER_URL", "AIRFLOW_CONN_REMINDERS_LEDGER"):
        monkeypatch.delenv(name, raising=False)
    assert migrate.main(["current"]) == 1
    said = capsys.readouterr().err
    assert said.startswith(
        "Connexion reminders_ledger : manque. La donner dans l'interface d'Airflow, en AIRFLOW_CONN_…"
    )
    assert "REMINDERS_LEDGER_URL ou REMINDERS_LEDGER_URL_FILE" in said
