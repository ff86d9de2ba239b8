"""The fictional library behind the Oracle wire, with an account that may only read; and Airflow's own tables."""

from __future__ import annotations

import pytest

from sql.demo.generator import build_library
from tests.scenes.aleph import TODAY
from tests.scenes.checked_ils import PASSWORD, connect
from tests.simulators.oracle_dictionary import Dictionary
from tests.simulators.oracle_server import Faults, OracleServer


@pytest.fixture(scope="module")
def ils_database(tmp_path_factory):
    path = tmp_path_factory.mktemp("ils") / "library.db"
    build_library(path, today=TODAY)
    return path


@pytest.fixture(scope="module")
def ils_running(ils_database):
    with OracleServer(ils_database, password=PASSWORD) as server:
        yield server


@pytest.fixture
def server(ils_running, monkeypatch):
    ils_running.faults, ils_running.dictionary = Faults(), Dictionary()
    ils_running.statements.clear()
    connect(monkeypatch, ils_running)
    yield ils_running
    ils_running.faults, ils_running.dictionary = Faults(), Dictionary()


@pytest.fixture(scope="session")
def airflow_tables():
    """Airflow's own tables, in the test's own folder."""
    import warnings

    from airflow.utils.db import initdb

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Alembic's, about Airflow's own configuration
        initdb()
