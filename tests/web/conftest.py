"""What the tests of the pages share: one ledger a file, emptied after each test, and how they find it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from loan_reminders.ledger.repository import PostgresLedger
from loan_reminders.settings.library_toml import settings
from tests.simulators.postgres import EmbeddedPostgres
from tests.web.client import TOKEN, connection_to


@pytest.fixture(scope="module")
def database_of_the_file(postgres_server: EmbeddedPostgres, ledger_template: str) -> Iterator[str]:
    """The name of a ledger that the tests of one file use one after the other: to copy one for each takes longer."""
    name = postgres_server.create_database(template=ledger_template)
    yield name
    postgres_server.drop_database(name)


@pytest.fixture
def ledger_database(postgres_server: EmbeddedPostgres, database_of_the_file: str) -> Iterator[str]:
    """The name of an empty ledger."""
    from loan_reminders.ledger.tables import metadata

    yield database_of_the_file
    # Neither foreign keys nor triggers stand in the way of an administrator who says that this is a replica.
    deletions = "; ".join(f"DELETE FROM {name}" for name in metadata.tables)
    postgres_server.execute(f"SET session_replication_role = replica; {deletions}", database=database_of_the_file)


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
