"""Which tests of a parallel run stay together, and which begin first."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.simulators.postgres import alone
from tests.workers import LONGEST_FIRST, ROOT, STARTED_ONCE, share_of, turn_of

INSTALLATION, ACCOUNTS = "tests/e2e/test_installation.py::test_a", "tests/security/test_sso.py::test_a[a::b]"
BROWSER, DOCKER = "tests/browser/test_pages.py::test_a", "tests/e2e/test_docker_files.py::test_a"
LEDGER, LINT = "tests/ledger/test_upgrades.py::test_a", "tests/lint/test_pins.py::test_a"


@pytest.mark.parametrize(
    ("nodeid", "share"),
    [
        (INSTALLATION, "installation"),
        ("tests/security/test_running.py::test_a", "installation"),
        (BROWSER, "installation"),
        (ACCOUNTS, "fab"),
        ("tests/security/test_roles_per_library.py::test_a", "fab"),
        (DOCKER, "tests/e2e/test_docker_files.py"),
        ("tests/commands/test_roles.py::test_a", "tests/commands/test_roles.py"),
    ],
)
def test_files_that_take_the_same_servers_are_one_share(nodeid: str, share: str) -> None:
    assert share_of(nodeid) == share


def test_no_test_starts_the_same_servers_in_a_second_process(request: pytest.FixtureRequest) -> None:
    """By what the tests ask for, as pytest has collected them: all of them, in `make test`."""
    items = [item for item in request.session.items if isinstance(item, pytest.Function)]
    asked = {(name, item.nodeid) for item in items for name in STARTED_ONCE if name in item.fixturenames}
    assert {(name, nodeid) for name, nodeid in asked if share_of(nodeid) != name} == set()


def test_the_tests_of_one_file_are_one_share_with_its_fixtures() -> None:
    assert share_of("tests/lint/test_pins.py::test_a[b]") == share_of("tests/lint/test_pins.py::Some::test_c")
    assert share_of("tests/lint/test_pins.py::test_a") != share_of("tests/lint/test_workers.py::test_a")


@pytest.mark.parametrize("folder", LONGEST_FIRST)
def test_the_folders_that_begin_first_exist(folder: str) -> None:
    assert (ROOT / folder).is_dir()


def test_what_takes_longest_begins_first_and_shares_follow_each_other_so_that_servers_can_be_stopped() -> None:
    """What presses the buttons of the installation comes after what counts."""
    faults = "tests/faults/test_faults.py::test_a"
    mixed = [LINT, DOCKER, LEDGER, ACCOUNTS, BROWSER, faults, INSTALLATION]
    assert sorted(mixed, key=turn_of) == [INSTALLATION, BROWSER, ACCOUNTS, faults, DOCKER, LEDGER, LINT]


def test_servers_of_two_processes_start_one_after_the_other() -> None:
    """As root they make PostgreSQL's account on a new machine; two at once, and one finds it half made."""
    code = "from tests.simulators.postgres import EmbeddedPostgres as P; P.in_new_folder(durable=False).remove()"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with alone():
        process = subprocess.Popen([sys.executable, "-c", code], env=environment)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(3)
    assert process.wait(60) == 0
