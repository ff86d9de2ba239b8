"""The Airflow Connection `reminders_ledger` opens the ledger, however its host is written."""

from __future__ import annotations

import json

import pytest

from loan_reminders.hooks.ledger import ledger
from tests.scenes.ledger_runs import opened
from tests.simulators.postgres import EmbeddedPostgres


@pytest.mark.parametrize("form", ["uri", "json, host", "json, extra"])
def test_the_connection_opens_the_ledger(
    postgres_server: EmbeddedPostgres, ledger_database: str, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = str(postgres_server.socket_folder)
    fields = {"conn_type": "postgres", "login": "postgres", "schema": ledger_database}
    forms = {
        "uri": postgres_server.url(ledger_database),
        "json, host": json.dumps({**fields, "host": folder}),
        "json, extra": json.dumps({**fields, "extra": {"host": folder, "cursor": "dictcursor"}}),
    }
    monkeypatch.setenv("AIRFLOW_CONN_REMINDERS_LEDGER", forms[form])
    with ledger(library="demo") as found:
        assert found.run(opened(found).run_id).planned is False
