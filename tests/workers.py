"""How `make test` shares the suite among processes: what is started for many tests starts once.

Each process has its own PostgreSQL, Airflow home and module fixtures, so a file of tests stays in one process. Files
whose tests take one whole Airflow, or the web servers with accounts, go to the same process, one after the other: these
are stopped after the last of them. What takes longest begins first, so that the processes end together.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).resolve().parents[1]
BROWSER = "tests/browser/"
"""Its tests look at the installation, and press what others count."""
STARTED_ONCE = ("installation", "fab")
"""Fixtures that start servers for tests of several files."""
THEIR_FOLDERS = ("tests/e2e/", "tests/security/", BROWSER)
LONGEST_FIRST = (
    "tests/faults/",
    "tests/e2e/",
    "tests/security/",
    "tests/airflow/",
    "tests/services/",
    "tests/rendering/",
    "tests/ledger/",
)


def processes(cores: int) -> int:
    """How many processes run tests on so many cores: they compute about half of the time, and wait for the rest."""
    return max(2, cores + cores // 2)


@cache
def share_of_file(file: str) -> str:
    """What a file of tests must not be parted from: the servers that its functions take, or itself."""
    if file.startswith(BROWSER):
        return "installation"
    if not file.startswith(THEIR_FOLDERS):
        return file
    text = (ROOT / file).read_text(encoding="utf-8")
    return next((name for name in STARTED_ONCE if re.search(rf"(?m)^def \w+\([^)]*\b{name}\b", text)), file)


def share_of(nodeid: str) -> str:
    """What a test must not be parted from."""
    return share_of_file(nodeid.split("::", 1)[0])


def needs_the_installation(nodeid: str) -> bool:
    """Whether a test is of those that share a running Airflow."""
    return share_of(nodeid) == "installation"


def turn_of(nodeid: str) -> tuple[int, bool]:
    """The place of a test among the others: what takes longest comes first, the browser's last of its share."""
    share, order = share_of(nodeid), (*STARTED_ONCE, *LONGEST_FIRST)
    if share not in order:
        share = next((folder for folder in LONGEST_FIRST if nodeid.startswith(folder)), "")
    return (order.index(share) if share else len(order)), nodeid.startswith(BROWSER)


class WholeFiles(LoadScopeScheduling):
    """Gives each process the next file when it has nearly done its last."""

    def _split_scope(self, nodeid: str) -> str:
        return share_of(nodeid)
