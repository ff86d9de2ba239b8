"""A file of tests stands alone: what two of them need is a scene, or a fixture of their folder."""

from __future__ import annotations

import re
from pathlib import Path

_ANOTHER = re.compile(r"\s*(?:from|import) tests\.(?:\w+\.)*test_\w+")


def importing_tests(root: Path) -> list[str]:
    """A sentence for each line below `root` that imports a file of tests."""
    return [
        f"{path.relative_to(root)}, line {number}: imports a file of tests"
        for path in sorted((root / "tests").rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if _ANOTHER.match(line)
    ]
