"""The README, and the pages that hold its long parts, name commands, files, settings and DAGs that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from loan_reminders.commands.registry import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("README.md", "docs/channels.md", "docs/bibliothecaires/les_pages.md")
README = "\n".join((ROOT / page).read_text(encoding="utf-8") for page in PAGES)
CODE = "\n".join(
    path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "plugins").rglob("*.py"))
    if "migrations" not in path.parts
)
EXPLAINED = (ROOT / "library.toml").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def found(pattern: str) -> list[str]:
    names = sorted(set(re.findall(pattern, README)))
    assert names, f"nothing in the README looks like {pattern}"
    return names


@pytest.mark.parametrize("target", found(r"`make ([a-z-]+)`"))
def test_every_target_of_make_exists(target: str) -> None:
    assert re.search(rf"^{target}:.*##", MAKEFILE, flags=re.MULTILINE)


@pytest.mark.parametrize("command", found(r"loan-reminders ([a-z-]+)"))
def test_every_command_exists(command: str) -> None:
    assert command in COMMANDS


@pytest.mark.parametrize(
    "place", found(r"[`(]((?:dags|docs|docker|plugins|sql|templates|tests|\.ci)/[\w./-]*\w/?)[`)]")
)
def test_every_file_exists(place: str) -> None:
    assert (ROOT / place).exists()


@pytest.mark.parametrize("variable", found(r"\b(REMINDERS_\w+)"))
def test_every_variable_is_read(variable: str) -> None:
    assert f'"{variable}"' in CODE


@pytest.mark.parametrize("setting", found(r"`\[([a-z.]+)\](?: [a-z_]+)?`"))
def test_every_section_of_the_settings_exists(setting: str) -> None:
    if setting != "scheduler":  # Airflow's own
        assert re.search(rf"^#? ?\[{re.escape(setting)}\]", EXPLAINED, flags=re.MULTILINE)


@pytest.mark.parametrize(("section", "key"), re.findall(r"`\[([a-z.]+)\] ([a-z_]+)`", README))
def test_every_setting_is_explained_where_it_is_set(section: str, key: str) -> None:
    if section != "scheduler":
        of_section = EXPLAINED.split(f"[{section}]", 1)[1].split("\n[", 1)[0]
        assert re.search(rf"^#? ?{key}\b", of_section, flags=re.MULTILINE)


@pytest.mark.parametrize("dag", found(r"\bDAGs? `(\w+)`"))
def test_every_dag_exists(dag: str) -> None:
    assert (ROOT / f"dags/{dag}.py").is_file()


@pytest.mark.parametrize("page", found(r"(?m)^\| \*([^*]+)\* \|"))
def test_every_page_of_the_librarians_has_its_tab(page: str) -> None:
    assert f'"{page}"' in (ROOT / "plugins/loan_reminders/web/frame.py").read_text(encoding="utf-8")
