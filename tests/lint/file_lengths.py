"""No file of code that one cannot read in a sitting; a DAG file is a table of contents."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

LINES = 300
DAG_LINES = 40
WRITTEN = (".py", ".sql", ".sh", ".typ", ".j2", ".toml", ".yaml", ".css", ".mako", ".md")
"""What people write and read. Pins, fonts and recorded answers are made by programs."""

PLACES = ("dags", "docker", "docs", "plugins", "sql", "templates", "tests")


def written_files(root: Path) -> Iterator[Path]:
    """Every file that people wrote, in the order of its name."""
    yield from sorted(path for path in root.iterdir() if path.is_file() and path.suffix in WRITTEN)
    for place in PLACES:
        yield from sorted(path for path in (root / place).rglob("*") if path.is_file() and path.suffix in WRITTEN)


def too_long(root: Path) -> list[str]:
    """A sentence for each file below `root` with more lines than its kind may have."""
    faults = []
    for path in written_files(root):
        name = path.relative_to(root)
        limit = DAG_LINES if name.parts[0] == "dags" and path.suffix == ".py" else LINES
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > limit:
            faults.append(f"{name}: {lines} lines, {limit} at most")
    return faults
