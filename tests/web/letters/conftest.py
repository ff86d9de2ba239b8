"""A batch of letters on the pages: its ledger, its PDF in a folder, and its loans in an ILS on the Oracle wire."""

from __future__ import annotations

import json
import shutil
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from loan_reminders.settings.library_toml import settings
from sql.demo.oddities import STAGE_DAYS
from tests.scenes.batch_desk import closed_batch
from tests.simulators.oracle_server import SERVICE, OracleServer

TODAY = datetime.now(ZoneInfo("Europe/Paris")).date()
"""The day of the pages' own clock."""

DUE = TODAY + timedelta(days=STAGE_DAYS["F"])
"""Loans whose first reminder is due today, and whose second is not for days."""


@pytest.fixture(scope="session")
def library_of_today(tmp_path_factory):
    from sql.demo.generator import build_library

    path = tmp_path_factory.mktemp("ils") / "library.db"
    build_library(path, today=TODAY)
    return path


@pytest.fixture
def ils(monkeypatch, tmp_path, library_of_today):
    """The ILS that the pages ask; its `faults` may be switched on."""
    database = tmp_path / "library.db"
    shutil.copyfile(library_of_today, database)
    with OracleServer(database) as server:
        extra = {"service_name": SERVICE}
        values = {"host": server.host, "port": server.port, "login": server.user, "password": server.password}
        monkeypatch.setenv("AIRFLOW_CONN_ILS_ORACLE", json.dumps({"conn_type": "oracle", **values, "extra": extra}))
        yield server


@pytest.fixture
def desk(installed, monkeypatch, tmp_path, ledger, ils):
    """A batch of today with four letters, closed."""
    from loan_reminders.domain.loans import Loan
    from loan_reminders.hooks.ils import loan_source
    from tests.scenes.aleph import CODES

    # However busy the machine is: an ILS that is slow is not what most of these tests are about.
    monkeypatch.setattr("loan_reminders.web.letters.printing.WAIT_S", 60.0)
    monkeypatch.setenv("REMINDERS_STORAGE", str(tmp_path / "letters"))
    source = loan_source(settings().ils, codes=CODES)
    open_loans = [row for row in source.loans_due(DUE, today=TODAY) if isinstance(row, Loan)][:5]
    groups = [*([one] for one in open_loans[:3]), open_loans[3:]]
    return closed_batch(ledger, tmp_path / "library.db", tmp_path / "letters", groups)
