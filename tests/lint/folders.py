"""The shape of the house: no folder that one cannot survey, and tests that lie where what they test lies."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

MODULES = 15
PACKAGE = Path("plugins/loan_reminders")
ROOMS = ("domain", "rendering", "services", "gateways", "ledger", "web", "settings", "commands", "french")
"""Rooms whose tests are below `tests/<room>`; those of operators, hooks and DAGs are in `tests/airflow`."""

GROWING = ("migrations/versions",)
"""Folders that get a module with each change of the ledger, and never lose one."""


def modules_of(root: Path) -> list[Path]:
    """Every module of the package, without the files that only make a folder a package."""
    return sorted(path for path in (root / PACKAGE).rglob("*.py") if path.name != "__init__.py")


def too_full(root: Path) -> list[str]:
    """A sentence for each folder of the package with more modules than one can survey."""
    modules = Counter(path.parent.relative_to(root).as_posix() for path in modules_of(root))
    return [
        f"{folder}: {number} modules, {MODULES} at most"
        for folder, number in sorted(modules.items())
        if number > MODULES and not folder.endswith(GROWING)
    ]


def not_mirrored(root: Path) -> list[str]:
    """A sentence for each folder of a room without tests beside it, and for each folder of tests without a room."""
    faults = []
    for room in ROOMS:
        code = {
            path.parent.relative_to(root / PACKAGE) for path in modules_of(root) if _in(path, root / PACKAGE / room)
        }
        tests = {path.parent.relative_to(root / "tests") for path in (root / "tests" / room).rglob("test_*.py")}
        # Tests of what a folder's parts do together may stand one floor higher.
        bare = {folder for folder in code if not any(_in(test, folder) or test == folder for test in tests)}
        faults += [f"{PACKAGE / folder}: no test in tests/{folder}" for folder in sorted(bare)]
        faults += [f"tests/{folder}: no folder {PACKAGE / folder}" for folder in sorted(tests - code - {Path(room)})]
    return faults


def _in(path: Path, folder: Path) -> bool:
    return folder in path.parents
