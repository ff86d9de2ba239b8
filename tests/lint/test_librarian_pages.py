"""What the librarians' pages of the documentation set in italics is on the screen: ours, or Airflow's in French."""

from __future__ import annotations

import html
import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    *sorted((ROOT / "docs/bibliothecaires").glob("*.md")),
    ROOT / "docs/mise_en_service.md",
    ROOT / "docs/retention.md",
]
WANTED = ("une_journee", "jour_manque", "greve", "imprimer", "recommandes", "stop", "contestation")
"""A day, a missed day, a strike, printing, registered letters, STOP, a reader who contests."""

PACKAGE = ROOT / "plugins/loan_reminders"
SHOWN = [PACKAGE / room for room in ("web", "french", "operators", "commands")] + [PACKAGE / "dag_arguments.py"]
CLEARED = "Marquer comme réussi"
"""Airflow makes this button's words of two."""


def plain(text: str) -> str:
    """Entities, apostrophes and no-break spaces as one types them."""
    return re.sub(r"\s+", " ", html.unescape(text).replace("’", "'"))


def texts(node: object) -> Iterator[str]:
    for child in node.values() if isinstance(node, dict) else ():
        yield from texts(child)
    if isinstance(node, str):
        yield plain(node)


@pytest.fixture(scope="module")
def ours() -> str:
    files = [file for place in SHOWN for file in ([place] if place.is_file() else place.rglob("*"))]
    return plain("\n".join(file.read_text(encoding="utf-8") for file in files if file.suffix in (".py", ".j2", ".js")))


@pytest.fixture(scope="module")
def airflows() -> set[str]:
    found = importlib.util.find_spec("airflow")
    assert found is not None
    french = list((Path(str(found.origin)).parent / "ui").rglob("fr/*.json"))
    assert french
    return {text for file in french for text in texts(json.loads(file.read_text(encoding="utf-8")))}


def labels(page: Path) -> list[str]:
    return sorted(set(re.findall(r"(?<![*\w])\*([^*\s][^*\n]*)\*(?![*\w])", page.read_text(encoding="utf-8"))))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_is_in_italics_is_on_the_screen(page: Path, ours: str, airflows: set[str]) -> None:
    found = labels(page)
    assert found
    missing = [
        label for label in found
        if plain(label) not in airflows and label != CLEARED and not re.search(
            rf"""(?:[>"'|.]|« ?|}}}} ?|\. ) ?{re.escape(plain(label))}(?: ?[<"'{{(,:]| »)""", ours)
    ]  # fmt: skip
    assert missing == []


def test_the_pages_that_a_librarian_needs_are_there() -> None:
    assert {page.stem for page in PAGES} >= set(WANTED)
