"""Accounts of an Oracle database as an Airflow Connection tells of them, and how a session of one fails."""

from __future__ import annotations

import gc
import threading

import pytest

from loan_reminders.gateways.runs.oracle_connection import LOGIN_THREAD, OracleAccount
from loan_reminders.gateways.runs.oracle_database import OracleDatabase
from tests.simulators.oracle_server import SERVICE

CONNECTION = "ils_oracle"


def account(server=None, **fields):
    """The account of an Airflow Connection with these fields."""
    given = {
        "name": CONNECTION,
        "host": server.host if server else "db.example",
        "port": server.port if server else None,
        "login": "ILS",
        "password": "ils",
        "schema": None,
        "extra": {"service_name": SERVICE},
        "zone": "Europe/Paris",
    }
    return OracleAccount(**{**given, **fields})


def opened_by_gateway(account):
    with OracleDatabase(account.connect).session():
        pytest.fail("nothing went wrong")


def wait_for_abandoned_logins():
    """Until the driver has noticed that its server is gone, and dropped the sockets that it never closes itself."""
    for thread in threading.enumerate():
        if thread.name == LOGIN_THREAD:
            thread.join(timeout=10)
            assert not thread.is_alive()
    gc.collect()
