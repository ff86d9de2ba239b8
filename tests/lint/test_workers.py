"""Which tests of a parallel run stay together, and which begin first."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tests.simulators.postgres import alone
from tests.workers import LONGEST_FIRST, ONE_INSTALLATION, ROOT, needs_the_installation, share_of, turn_alone, turn_of

USES = re.compile(r"(?m)^def \w+\([^)]*\binstallation\b")


def test_all_that_needs_the_installation_is_one_share() -> None:
    ids = [f"{folder}test_{name}.py::test_it[a::b]" for folder in ONE_INSTALLATION for name in ("one", "other")]
    assert {share_of(nodeid) for nodeid in ids} == {"installation"}


def test_every_user_of_the_installation_is_in_its_folders() -> None:
    """Elsewhere a second Airflow would start beside the first."""
    users = [path for path in (ROOT / "tests").rglob("test_*.py") if USES.search(path.read_text(encoding="utf-8"))]
    assert len(users) > 2
    assert [path for path in users if not path.relative_to(ROOT).as_posix().startswith(ONE_INSTALLATION)] == []


def test_the_tests_of_one_file_are_one_share_with_its_fixtures() -> None:
    assert share_of("tests/lint/test_pins.py::test_a[b]") == share_of("tests/lint/test_pins.py::Some::test_c")
    assert share_of("tests/lint/test_pins.py::test_a") != share_of("tests/lint/test_workers.py::test_a")


@pytest.mark.parametrize("folder", LONGEST_FIRST)
def test_the_folders_that_begin_first_exist(folder: str) -> None:
    assert (ROOT / folder).is_dir()


def test_what_takes_longest_begins_first() -> None:
    names = [
        "tests/domain/test_a.py::a",
        "tests/ledger/test_b.py::b",
        "tests/e2e/test_c.py::c",
        "tests/faults/test_d.py::d",
    ]
    assert sorted(names, key=turn_of) == [names[2], names[3], names[1], names[0]]


def test_what_presses_buttons_comes_after_what_counts() -> None:
    names = ["tests/browser/test_a.py::a", "tests/e2e/test_b.py::b", "tests/web/test_c.py::c"]
    assert sorted(names, key=turn_alone) == [names[1], names[0], names[2]]
    assert sorted(names[:2], key=turn_of) == [names[1], names[0]]


def test_those_of_the_installation_follow_each_other_so_that_it_can_be_stopped() -> None:
    names = [
        f"{folder}test_it.py::a" for folder in ("tests/airflow/", *ONE_INSTALLATION, "tests/domain/", "tests/web/")
    ]
    for turn in (turn_alone, turn_of):
        assert [needs_the_installation(name) for name in sorted(names, key=turn)] == [True] * 3 + [False] * 3


def test_servers_of_two_processes_start_one_after_the_other() -> None:
    """As root they make PostgreSQL's account on a new machine; two at once, and one finds it half made."""
    code = "from tests.simulators.postgres import EmbeddedPostgres as P; P.in_new_folder(durable=False).remove()"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with alone():
        process = subprocess.Popen([sys.executable, "-c", code], env=environment)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(3)
    assert process.wait(60) == 0
