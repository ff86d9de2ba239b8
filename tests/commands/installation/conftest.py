"""An installation in miniature for the doctor: its servers real or simulated, told to Airflow as connections."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import pytest

from loan_reminders.commands import doctor as command


class Doctor:
    """Runs `loan-reminders doctor` and keeps what it says."""

    def __init__(self, monkeypatch):
        self._monkeypatch = monkeypatch
        self.now = lambda: datetime.now(UTC)
        monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "server")

    def connect(self, conn_id, **values):
        self._monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(values))

    def __call__(self, *names, more=()):
        """The status, and what is said as text."""
        out = io.StringIO()
        status = command.main([*(f"--only={name}" for name in names), *more], now=lambda: self.now(), out=out)
        return status, out.getvalue()

    def findings(self, name, *more):
        """The findings of one check, as a program reads them, and the status."""
        status, said = self(name, more=["--json", *more])
        told = json.loads(said)
        (library,) = told["libraries"]
        (check,) = library["checks"]
        assert check["name"] == name
        order = ["fine", "warning", "failure"]
        assert (
            order.index(told["outcome"]) == order.index(library["outcome"]) == order.index(check["outcome"]) == status
        )
        for finding in check["findings"]:
            assert bool(finding["means"]) == bool(finding["do"]) == (finding["outcome"] != "fine")
        return status, check["findings"]


@pytest.fixture
def doctor(monkeypatch):
    return Doctor(monkeypatch)
