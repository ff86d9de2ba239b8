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

WITHOUT_RULES = {
    "domain/ports": "protocols only: what keeps them is tested in gateways/ and ledger/",
    "ledger/tables": "tables only: tests/ledger/test_migrations.py holds them against the migrations",
    "ledger/migrations": "run by Alembic: tests/ledger/test_migrations.py runs them",
    "ledger/migrations/versions": "run by Alembic: tests/ledger/test_migrations.py runs them",
}
"""Folders that need no test in the same place, each with the reason."""


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
    """A sentence for each folder of a room without tests in the same place, and for each of tests without a room.

    What lies at the top of a room is shared by its trades: their tests are enough for it.
    """
    code = {path.parent.relative_to(root / PACKAGE) for path in modules_of(root)}
    code = {folder for folder in code if folder.parts and folder.parts[0] in ROOMS}
    tests = {
        path.parent.relative_to(root / "tests") for room in ROOMS for path in (root / "tests" / room).rglob("test_*.py")
    }
    tops = {Path(test.parts[0]) for test in tests}
    bare = {folder for folder in code - tests - tops if folder.as_posix() not in WITHOUT_RULES}
    homeless = tests - code - {Path(room) for room in ROOMS if (root / PACKAGE / room).is_dir()}
    idle = {folder for folder in WITHOUT_RULES if not (root / PACKAGE / folder).is_dir()}
    return [
        *(f"{PACKAGE / folder}: no test in tests/{folder}" for folder in sorted(bare)),
        *(f"tests/{folder}: no folder {PACKAGE / folder}" for folder in sorted(homeless)),
        *(f"tests/lint/folders.py: there is no folder {PACKAGE / folder} any more" for folder in sorted(idle)),
    ]
