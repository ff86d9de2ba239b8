"""People who are told of red and late runs, by a mail server of their own."""

from __future__ import annotations

import json

import pytest

from loan_reminders.settings.library_toml import ROOT
from loan_reminders.watching import alerts
from tests.scenes.alerted_team import TEAM, told_to
from tests.simulators.smtp_sink import SmtpSink


@pytest.fixture
def sink(tmp_path):
    with SmtpSink(tmp_path / "mails") as running:
        yield running


@pytest.fixture
def ours(sink, tmp_path, monkeypatch):
    config = told_to(tmp_path, [TEAM])
    monkeypatch.setattr(alerts, "settings", lambda: config)
    plain = {"disable_ssl": True, "disable_tls": True}
    relay = {"conn_type": "smtp", "host": "127.0.0.1", "port": sink.port, "extra": plain}
    monkeypatch.setenv("AIRFLOW_CONN_ALERT_RELAY", json.dumps(relay))
    monkeypatch.setenv("REMINDERS_STORAGE", str(tmp_path / "letters"))
    return config


@pytest.fixture(scope="module")
def dags():
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(dag_folder=str(ROOT / "dags"), collect_dags=True).dags
