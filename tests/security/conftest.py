"""The pages are tried on the same ledger and the same application as in `tests/web`."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.web.conftest import installed, ledger

if TYPE_CHECKING:
    from tests.e2e.fab_airflow import FabAirflow
    from tests.simulators.postgres import EmbeddedPostgres

__all__ = ["installed", "ledger"]


@pytest.fixture
def pages(installed: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The pages on that ledger, with a folder for letters, and closed to the SMS provider."""
    monkeypatch.setenv("REMINDERS_STORAGE", str(tmp_path / "letters"))
    monkeypatch.delenv("REMINDERS_SMS_CALLBACK_TOKEN")


@pytest.fixture(scope="package")
def fab(postgres_server: EmbeddedPostgres, ledger_template: str) -> Iterator[FabAirflow]:
    """Airflow's web servers with FAB, by name and password and by single sign-on, for all tests of accounts."""
    from tests.e2e.fab_airflow import FabAirflow

    ledger = postgres_server.create_database(template=ledger_template)
    folder = Path(tempfile.mkdtemp(prefix="lr-", dir="/tmp"))
    try:
        with FabAirflow(folder, postgres_server, ledger) as running:
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        postgres_server.drop_database(ledger)
