"""How `make test` shares the suite among processes: what is started for many tests starts once.

Each process has its own PostgreSQL, Airflow home and module fixtures, so a file of tests stays in one process; the
folders below need one whole Airflow, and all their files go to the same process. What takes longest begins first, so
that the processes end together.
"""

from __future__ import annotations

from pathlib import Path

from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).resolve().parents[1]
ONE_INSTALLATION = ("tests/e2e/", "tests/security/", "tests/browser/")
LONGEST_FIRST = (
    *ONE_INSTALLATION,
    "tests/faults/",
    "tests/airflow/",
    "tests/services/",
    "tests/rendering/",
    "tests/ledger/",
)


def processes(cores: int) -> int:
    """How many processes run tests on so many cores: they compute about half of the time, and wait for the rest."""
    return max(2, cores + cores // 2)


def needs_the_installation(nodeid: str) -> bool:
    """Whether a test is of those that share a running Airflow."""
    return nodeid.startswith(ONE_INSTALLATION)


def share_of(nodeid: str) -> str:
    """What a test must not be parted from: its file, or all that uses the one installation."""
    return "installation" if needs_the_installation(nodeid) else nodeid.split("::", 1)[0]


def turn_of(nodeid: str) -> int:
    """The place of a test's folder among the others: what takes longest comes first."""
    return next((turn for turn, folder in enumerate(LONGEST_FIRST) if nodeid.startswith(folder)), len(LONGEST_FIRST))


def turn_alone(nodeid: str) -> int:
    """The place of a test in a single process: the installation's first, so that it can be stopped after them.

    Of those the browser's come last: they press what the others count.
    """
    if nodeid.startswith("tests/browser/"):
        return 1
    return 0 if needs_the_installation(nodeid) else 2


class WholeFiles(LoadScopeScheduling):
    """Gives each process the next file when it has nearly done its last."""

    def _split_scope(self, nodeid: str) -> str:
        return share_of(nodeid)
