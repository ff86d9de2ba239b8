"""An operator is thin: whoever reads one sees its verb at a glance."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

LINES = 10
FOLDER = Path("plugins/loan_reminders/operators")
CALLED_BY_AIRFLOW = frozenset({"execute", "execute_complete", "resume"})
OUR_VERBS = frozenset({"work", "ask", "ask_for"})
"""What `execute` of a base class hands over to."""


def _verbs(code: str) -> Iterator[tuple[str, int]]:
    """Each verb of a module with its lines, those of its docstring left out."""
    for owner in (node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.ClassDef)):
        for method in (node for node in owner.body if isinstance(node, ast.FunctionDef)):
            if method.name in CALLED_BY_AIRFLOW | OUR_VERBS:
                body = method.body[1:] if ast.get_docstring(method) is not None else method.body
                lines = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
                yield f"{owner.name}.{method.name}", lines


def too_thick(root: Path) -> list[str]:
    """A sentence for each verb of an operator below `root` that is longer than it may be."""
    return [
        f"{path.relative_to(root)}: {name} has {lines} lines, {LINES} at most"
        for path in sorted((root / FOLDER).glob("*.py"))
        for name, lines in _verbs(path.read_text(encoding="utf-8"))
        if lines > LINES
    ]
