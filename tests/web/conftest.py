"""What the tests of the pages share: the ledger of `library.toml`, and how they find it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from loan_reminders.ledger.repository import PostgresLedger
from loan_reminders.settings.library_toml import settings
from tests.simulators.postgres import EmbeddedPostgres
from tests.web.client import TOKEN, connection_to


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[PostgresLedger]:
    """It, opened for the library of `library.toml`, as the pages do."""
    from loan_reminders.ledger.connect import connect

    with connect(ledger_url, library=settings().library.code) as opened:
        yield opened


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, postgres_server: EmbeddedPostgres, ledger_database: str) -> None:
    """The connection of the pages to that ledger, and the secret of the address that the SMS provider calls."""
    monkeypatch.setenv("AIRFLOW_CONN_REMINDERS_LEDGER", connection_to(postgres_server, ledger_database))
    monkeypatch.setenv("REMINDERS_SMS_CALLBACK_TOKEN", TOKEN)
