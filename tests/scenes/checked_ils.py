"""`make check-ils` run on an Airflow connection to a simulated Oracle, its clock and its stopwatch standing still."""

from __future__ import annotations

import io
import json
from datetime import datetime

from loan_reminders.commands import check_ils
from tests.scenes.aleph import TODAY, due_day
from tests.simulators.oracle_server import SERVICE

DAY = due_day("C").isoformat()
PASSWORD = "a-long-Secret"


def connect(monkeypatch, server, **changes):
    """Tell Airflow of a connection, and leave its context as it was."""
    values = {"host": server.host, "port": server.port, "login": server.user, "password": server.password}
    connection = {"conn_type": "oracle", **values, "extra": {"service_name": SERVICE}, **changes}
    monkeypatch.setenv("AIRFLOW_CONN_ILS_ORACLE", json.dumps(connection))
    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "client")


def check(*arguments):
    """What the command returns and says; its stopwatch stands still."""
    said = io.StringIO()
    status = check_ils.main(
        arguments or ("--day", DAY),
        now=lambda zone: datetime(TODAY.year, TODAY.month, TODAY.day, 9, tzinfo=zone),
        stopwatch=lambda: 0.0,
        out=said,
    )
    return status, said.getvalue()
