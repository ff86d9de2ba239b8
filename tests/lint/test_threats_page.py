"""Every test that docs/threats.md names exists, and is a test."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/threats.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`([\w./]+\.py)((?:::\w+)+)`", PAGE)))


def names(file: Path) -> set[str]:
    """The tests of a file, those of a class behind its name."""
    found = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            found.add(f"::{node.name}")
        elif isinstance(node, ast.ClassDef):
            found |= {f"::{node.name}::{one.name}" for one in node.body if isinstance(one, ast.FunctionDef)}
    return {name for name in found if name.rsplit("::", 1)[-1].startswith("test_")}


@pytest.mark.parametrize(("file", "name"), NAMED, ids=[name for _, name in NAMED])
def test_a_test_that_is_named_exists(file: str, name: str) -> None:
    assert name in names(ROOT / "tests" / file)


def test_every_line_of_every_table_names_its_test() -> None:
    rows = [line for line in PAGE.splitlines() if re.match(r"\| (?!tries to|finds)", line)]
    assert len(rows) > 40
    assert [row for row in rows if "::" not in row] == []


def test_everybody_of_the_list_is_there() -> None:
    chapters = " ".join(line for line in PAGE.splitlines() if line.startswith("## "))
    for who in ("stranger", "provider", "reader", "librarian", "templates", "row", "mail server", "backup"):
        assert who in chapters, who
