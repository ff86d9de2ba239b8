"""What ruff, mypy and import-linter cannot say, as part of `make lint`: the rules about files and SQL statements.

    python -m tests.lint

Prints each fault with its file; ends with 1 when there is any.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.lint.clocks import clock_readers
from tests.lint.file_lengths import too_long
from tests.lint.folders import not_mirrored, too_full
from tests.lint.imports_among_tests import importing_tests
from tests.lint.operators import too_thick
from tests.lint.statements import refused_by_sqlfluff, unsound_statements
from tests.lint.typography import unspaced

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    rules = (
        too_long, too_full, not_mirrored, importing_tests, too_thick, clock_readers, unsound_statements,
        refused_by_sqlfluff, unspaced,
    )  # fmt: skip
    faults = [fault for rule in rules for fault in rule(ROOT)]
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
