"""The page about the structure names places and functions that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
PACKAGE = ROOT / "plugins/loan_reminders"
PLACES = sorted(set(re.findall(r"`((?:plugins|tests|templates|sql)/[^`]*|library\.toml)`", PAGE)))
ROWS = re.findall(r"^\|[^|]+\| `([^`]+)` \| (`[^|]+`) \|$", PAGE, flags=re.MULTILINE)


@pytest.mark.parametrize("place", PLACES)
def test_every_place_exists(place: str) -> None:
    assert (ROOT / place).exists()


@pytest.mark.parametrize(("place", "names"), ROWS)
def test_every_function_is_where_the_page_says(place: str, names: str) -> None:
    path = ROOT / place
    files = [path] if path.is_file() else sorted(path.glob("*.py"))
    code = "\n".join(file.read_text(encoding="utf-8") for file in files)
    for name in re.findall(r"`(\w+)`", names):
        assert re.search(rf"^\s*(?:def|class) {name}\b", code, flags=re.MULTILINE), f"{name} in {place}"


def test_the_way_of_a_loan_has_all_its_steps() -> None:
    assert len(ROWS) >= 15


def test_every_folder_of_a_room_is_a_trade_or_is_named() -> None:
    trades = set(re.findall(r"^\| `(\w+)/` \|", PAGE, flags=re.MULTILINE))
    others = set(re.findall(r"`(\w+/\w+)/`", PAGE))
    folders = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.glob("*/*")
        if path.is_dir() and path.name != "__pycache__"
    }
    unnamed = {folder for folder in folders if folder.split("/")[1] not in trades} - others
    assert (unnamed, trades - {folder.split("/")[1] for folder in folders}) == (set(), set())
