"""What every room's tests may use: a PostgreSQL server, and fresh ledgers on it.

Airflow reads its configuration at import, whichever test imports it first: it gets a folder of its own, this
repository's DAGs and plugins, and no examples, so that nobody's home is touched.
"""

from __future__ import annotations

import atexit
import gc
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from loan_reminders.ledger.repository import PostgresLedger
    from tests.e2e.installation import Installation
    from tests.e2e.process_list import ArgumentsSeen
    from tests.scenes.world import World
    from tests.simulators.mariadb import MariaDb
    from tests.simulators.postgres import EmbeddedPostgres


ROOT = Path(__file__).resolve().parents[1]
HOME = tempfile.mkdtemp(prefix="airflow-")
atexit.register(shutil.rmtree, HOME, ignore_errors=True)
RUNNING = pytest.StashKey[ExitStack]()
"""The installation, to be stopped."""
os.environ.update(
    AIRFLOW_HOME=HOME,
    AIRFLOW__CORE__DAGS_FOLDER=str(ROOT / "dags"),
    AIRFLOW__CORE__PLUGINS_FOLDER=str(ROOT / "plugins"),
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """Several processes: see tests/workers.py."""
    from tests.workers import WholeFiles

    config.option.loadscopereorder = False
    return WholeFiles(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Three processes for two cores: about half of the time a test waits for a server or a process of its own."""
    from tests.workers import processes

    return processes(len(os.sched_getaffinity(0)))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first, and what shares servers comes together."""
    from tests.workers import turn_of

    items.sort(key=lambda item: turn_of(item.nodeid))


def pytest_collection_finish() -> None:
    """What was collected stays to the end: nobody need look through it again and again for what is of no more use."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """Stop Airflow after the last test that needs it: its scheduler would take half a core from all the others."""
    from tests.workers import needs_the_installation

    yield
    if needs_the_installation(item.nodeid) and not (nextitem and needs_the_installation(nextitem.nodeid)):
        item.config.stash.get(RUNNING, ExitStack()).close()


@pytest.fixture(autouse=True)
def _letters_of_this_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """A place for letters: the mark of what left lies there, and each test has a ledger of its own."""
    monkeypatch.setenv("REMINDERS_STORAGE", str(Path(HOME, "letters", uuid.uuid4().hex)))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL server of this session's own."""
    from tests.simulators.postgres import EmbeddedPostgres

    server = EmbeddedPostgres.in_new_folder(durable=False)
    yield server
    server.remove()


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[MariaDb]:
    """A MariaDB server of this session's own; what needs it is skipped where it is not installed."""
    from tests.simulators import mariadb

    if not mariadb.available():
        pytest.skip(mariadb.MISSING)
    with mariadb.MariaDb() as server:
        yield server


@pytest.fixture
def empty_database(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """The name of a database of this test's own, without a table."""
    name = postgres_server.create_database()
    yield name
    postgres_server.drop_database(name)


@pytest.fixture(scope="session")
def ledger_template(postgres_server: EmbeddedPostgres) -> str:
    """The name of a migrated, empty ledger to copy."""
    from loan_reminders.commands.migrate import upgrade

    name = postgres_server.create_database()
    upgrade(postgres_server.url(name))
    return name


@pytest.fixture(scope="module")
def database_of_the_file(postgres_server: EmbeddedPostgres, ledger_template: str) -> Iterator[str]:
    """The name of a ledger that the tests of one file use one after the other: to copy one for each takes longer."""
    name = postgres_server.create_database(template=ledger_template)
    yield name
    postgres_server.drop_database(name)


@pytest.fixture
def ledger_database(postgres_server: EmbeddedPostgres, database_of_the_file: str) -> Iterator[str]:
    """The name of a migrated, empty ledger, emptied again afterwards. For a test that changes tables: `own_ledger`."""
    yield database_of_the_file
    postgres_server.empty_ledger(database_of_the_file)


@pytest.fixture
def own_ledger(postgres_server: EmbeddedPostgres, ledger_template: str) -> Iterator[str]:
    """The name of a migrated, empty ledger of this test's own."""
    name = postgres_server.create_database(template=ledger_template)
    yield name
    postgres_server.drop_database(name)


@pytest.fixture
def ledger_url(postgres_server: EmbeddedPostgres, ledger_database: str) -> str:
    """Its URL."""
    return postgres_server.url(ledger_database)


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[PostgresLedger]:
    """It, opened for the library `demo`."""
    from loan_reminders.ledger.connect import connect

    with connect(ledger_url, library="demo") as opened:
        yield opened


@pytest.fixture(scope="session")
def arguments_seen() -> Iterator[ArgumentsSeen]:
    """The arguments of all programs, from before the installation starts."""
    from tests.e2e.process_list import ArgumentsSeen

    with ArgumentsSeen() as seen:
        yield seen


@pytest.fixture(scope="session")
def installation(arguments_seen: ArgumentsSeen, pytestconfig: pytest.Config) -> Iterator[Installation]:
    """One whole installation for all tests that need a running Airflow, started once; with users of every role."""
    from datetime import datetime

    from loan_reminders.domain.stages import Stage
    from loan_reminders.settings.library_toml import settings
    from tests.e2e.installation import Installation

    folder = Path(tempfile.mkdtemp(prefix="lr-", dir="/tmp"))
    today = datetime.now(settings().zone).date()
    users = {"lecteur": "viewer", "chef": "op", "personne": ""}
    with ExitStack() as until_the_last:
        pytestconfig.stash[RUNNING] = until_the_last
        until_the_last.callback(shutil.rmtree, folder, ignore_errors=True)
        running = until_the_last.enter_context(Installation(folder, today=today, more_users=users, planted=True))
        running.api.wait_for_dags([stage.value for stage in Stage], timeout=300, alive=running.check_alive)
        for stage in Stage:
            running.api.unpause(stage.value)
        yield running


@pytest.fixture
def world(ledger: PostgresLedger, tmp_path: Path) -> Iterator[World]:
    """The use cases, and Airflow's own classes, on real servers."""
    from tests.scenes.world import ListedLoans, World
    from tests.simulators.allmysms_server import AllMySmsServer
    from tests.simulators.smtp_sink import SmtpSink

    (tmp_path / "mail").mkdir()
    with SmtpSink(tmp_path / "mail") as mail, AllMySmsServer() as sms:
        yield World(ledger=ledger, ils=ListedLoans(), mail=mail, sms=sms)
