"""A fictional library of 750 loans, made once, and forty loans in a database of each engine."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from loan_reminders.gateways.runs.ils_database import Engine
from sql.demo.generator import make_library
from tests.scenes.aleph import TODAY
from tests.scenes.ils_engines import FORTY, mariadb_at_hand, oracle_at_hand, postgres_at_hand


@pytest.fixture(scope="session")
def library():
    return make_library(today=TODAY, patrons=60, loans=750)


@pytest.fixture(params=list(Engine))
def ils(request, tmp_path):
    """Forty open loans of one day, in a database of each engine."""
    with ExitStack() as opened:
        if request.param is Engine.ORACLE:
            yield opened.enter_context(oracle_at_hand(tmp_path))
        else:
            yield request.getfixturevalue(f"{request.param}_ils")


@pytest.fixture(scope="session")
def postgresql_database(postgres_server):
    """One for all tests of this session."""
    with postgres_at_hand(postgres_server) as made:
        yield made


@pytest.fixture(scope="session")
def mariadb_database(mariadb_server):
    """One for all tests of this session."""
    with mariadb_at_hand(mariadb_server) as made:
        yield made


@pytest.fixture
def postgresql_ils(postgresql_database):
    """The same on PostgreSQL alone."""
    postgresql_database.execute(*FORTY)
    return postgresql_database


@pytest.fixture
def mariadb_ils(mariadb_database):
    """The same on MariaDB alone."""
    mariadb_database.execute(*FORTY)
    return mariadb_database
