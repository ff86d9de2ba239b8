"""The recipes of CONTRIBUTING.md lead to places and names that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.simulators.compose_file import ROOT

PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PLACE = re.compile(r"(?:plugins|tests|templates|sql|docs|dags)/[^`<]*|\w+\.toml")
PLACES = sorted(found for found in set(re.findall(r"`([^`]+)`", PAGE)) if PLACE.fullmatch(found))
STEPS = re.split(r"^(?:\d+\.|\*|#+) ", PAGE.split("\n## A channel\n", 1)[1], flags=re.MULTILINE)
NAME = re.compile(r"[A-Z][A-Z_]+|[A-Z][a-z]+(?:[A-Z][a-z]+)*")


def code(place: str) -> str:
    path = ROOT / place
    files = [path] if path.is_file() else [file for file in path.rglob("*.py") if file.is_file()]
    return "\n".join(file.read_text(encoding="utf-8") for file in files if file.suffix == ".py")


def named() -> list[tuple[str, str]]:
    """Each name of a step, and the places of code that the step leads to, in one text."""
    found = []
    for step in STEPS:
        words = re.findall(r"`([^`]+)`", step)
        places = "\n".join(code(word) for word in words if PLACE.fullmatch(word) and Path(word).suffix in {".py", ""})
        found += [(word, places) for word in words if NAME.fullmatch(word)]
    return found


@pytest.mark.parametrize("place", PLACES)
def test_every_place_exists(place: str) -> None:
    assert (ROOT / place).exists()


def test_every_name_is_in_a_place_of_its_step() -> None:
    names = named()
    assert {"STAGE_CHANNELS", "CapSettings", "RUN_LASTS", "CLASSES", "SLOTS"} <= {name for name, _ in names}
    assert [name for name, places in names if not re.search(rf"\b{name}\b", places)] == []
