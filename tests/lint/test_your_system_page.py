"""docs/your_system.md is followed line by line by somebody who does not know us: what it names exists."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from loan_reminders.domain.runs.extraction import CodeMapping, parse_row
from loan_reminders.settings.ils import IlsSettings

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "your_system.md").read_text(encoding="utf-8")
LINKS = sorted(set(re.findall(r"\]\(\.\./([^)#]+)(?:#[\w-]+)?\)", PAGE)))


@pytest.mark.parametrize("place", LINKS)
def test_every_link_leads_somewhere(place):
    assert (ROOT / place).exists()


def test_the_links_are_there():
    assert len(LINKS) > 4


@pytest.mark.parametrize("target", sorted(set(re.findall(r"make ([a-z-]+)", PAGE))))
def test_every_target_of_make_exists(target):
    assert re.search(rf"^{target}:.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_the_settings_shown_are_read():
    (shown,) = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)
    values = tomllib.loads(shown)["ils"]
    assert IlsSettings.model_validate(values | {"kind": "koha"}).patron_categories["staff"] == ["Staff", "Faculty"]


def test_the_columns_it_calls_needed_are_enough():
    sentence = PAGE.partition("must have a value:")[2].partition(";")[0]
    needed = re.findall(r"`(\w+)`", sentence)
    assert len(needed) == 4
    row = {"loan_key": 1, "loan_date": "2026-02-10", "due_date": "2026-03-03", "patron_id": 7}
    assert set(needed) == set(row)
    assert parse_row(row, CodeMapping()).loan_id == "1"
