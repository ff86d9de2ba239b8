"""The rules of `python -m tests.lint`: each finds what breaks it, and the repository breaks none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import scenes
from tests.lint.__main__ import ROOT, main
from tests.lint.clocks import clock_readers
from tests.lint.file_lengths import too_long, written_files
from tests.lint.folders import WITHOUT_RULES, not_mirrored, too_full
from tests.lint.imports_among_tests import importing_tests
from tests.lint.operators import too_thick


@pytest.mark.parametrize(
    ("file", "lines", "found"),
    [
        ("dags/courtesy_notice.py", 40, []),
        ("dags/courtesy_notice.py", 41, ["dags/courtesy_notice.py: 41 lines, 40 at most"]),
        ("plugins/loan_reminders/domain/loans.py", 300, []),
        (
            "plugins/loan_reminders/domain/loans.py",
            301,
            ["plugins/loan_reminders/domain/loans.py: 301 lines, 300 at most"],
        ),
        ("tests/domain/test_loans.py", 301, ["tests/domain/test_loans.py: 301 lines, 300 at most"]),
        ("pyproject.toml", 301, ["pyproject.toml: 301 lines, 300 at most"]),
        ("requirements.txt", 3000, []),
        (".venv/lib/long.py", 3000, []),
    ],
)
def test_a_file_that_is_too_long_is_named(tmp_path: Path, file: str, lines: int, found: list[str]) -> None:
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text("x = 1\n" * lines, encoding="utf-8")
    assert too_long(tmp_path) == found


def write(root: Path, *files: str, text: str = "") -> None:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(text, encoding="utf-8")


PACKAGE = "plugins/loan_reminders"
SOUND = (
    f"{PACKAGE}/domain/loans.py",
    f"{PACKAGE}/domain/sms/text.py",
    *(f"{PACKAGE}/{folder}/of_another_kind.py" for folder in WITHOUT_RULES),
    "tests/domain/sms/test_text.py",
    "tests/ledger/test_migrations.py",
)
"""A small house that keeps the rules."""


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ([], []),
        ([f"{PACKAGE}/web/__init__.py", f"{PACKAGE}/hooks/ils.py", "tests/airflow/test_dags.py"], []),
        ([f"{PACKAGE}/domain/email/words.py"], [f"{PACKAGE}/domain/email: no test in tests/domain/email"]),
        (
            [f"{PACKAGE}/domain/email/words.py", "tests/domain/email/__init__.py"],
            [f"{PACKAGE}/domain/email: no test in tests/domain/email"],
        ),
        ([f"{PACKAGE}/domain/email/words.py", "tests/domain/email/test_words.py"], []),
        (["tests/domain/mail/test_words.py"], [f"tests/domain/mail: no folder {PACKAGE}/domain/mail"]),
        ([f"{PACKAGE}/commands/migrate.py"], [f"{PACKAGE}/commands: no test in tests/commands"]),
    ],
)
def test_a_folder_without_its_like_on_the_other_side_is_named(
    tmp_path: Path, more: list[str], found: list[str]
) -> None:
    write(tmp_path, *SOUND, *more)
    assert not_mirrored(tmp_path) == found


def test_a_folder_that_was_excused_and_is_gone_is_named(tmp_path: Path) -> None:
    write(tmp_path, *(file for file in SOUND if "domain/ports" not in file))
    assert not_mirrored(tmp_path) == [f"tests/lint/folders.py: there is no folder {PACKAGE}/domain/ports any more"]


def test_a_folder_that_is_too_full_is_named(tmp_path: Path) -> None:
    for folder in ("domain/runs", "ledger/migrations/versions"):
        write(
            tmp_path, *(f"{PACKAGE}/{folder}/m{number}.py" for number in range(15)), f"{PACKAGE}/{folder}/__init__.py"
        )
    assert too_full(tmp_path) == []
    for folder in ("domain/runs", "ledger/migrations/versions"):
        write(tmp_path, f"{PACKAGE}/{folder}/one_more.py")
    assert too_full(tmp_path) == [f"{PACKAGE}/domain/runs: 16 modules, 15 at most"]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("from tests.ledger.email.test_feedback import left", 1),
        ("    import tests.web.test_desk", 1),
        ("from tests.scenes.builders import a_loan", 0),
        ("from tests.scenes import testimony", 0),
    ],
)
def test_a_file_of_tests_that_another_imports_is_named(tmp_path: Path, line: str, found: int) -> None:
    write(tmp_path, "tests/web/test_x.py", text=f"x = 1\n{line}\n")
    assert importing_tests(tmp_path) == ["tests/web/test_x.py, line 2: imports a file of tests"] * found


@pytest.mark.parametrize(
    ("method", "lines", "found"),
    [("execute", 10, False), ("execute", 11, True), ("work", 11, True), ("resume", 11, True), ("_plan", 11, False)],
)
def test_an_operator_that_is_too_thick_is_named(tmp_path: Path, method: str, lines: int, found: bool) -> None:
    body = "        x = 1\n" * lines
    code = f'class Send:\n    def {method}(self):\n        """Its verb.\n\n        More of it.\n        """\n{body}'
    write(tmp_path, f"{PACKAGE}/operators/send.py", text=code)
    said = [f"{PACKAGE}/operators/send.py: Send.{method} has {lines} lines, 10 at most"]
    assert too_thick(tmp_path) == (said if found else [])


@pytest.mark.parametrize(
    ("file", "line", "found"),
    [
        ("services/email/send.py", "today = datetime.now(zone).date()", True),
        ("domain/loans.py", "x = date.today()", True),
        ("ledger/desk.py", "at = time.time()", True),
        ("gateways/sms/x.py", "until = time.monotonic() + 5", False),
        ("operators/base.py", "return datetime.now(self.config.zone)", False),
        ("web/desk.py", "now = datetime.now(zone)", False),
    ],
)
def test_a_room_without_clock_that_reads_one_is_named(tmp_path: Path, file: str, line: str, found: bool) -> None:
    write(tmp_path, f"{PACKAGE}/{file}", text=f"{line}\n")
    said = f"{PACKAGE}/{file}, line 1: reads the clock; it is to be given the moment, or a clock"
    assert clock_readers(tmp_path) == [said] * found


def test_the_index_of_scenes_names_each_of_them_once() -> None:
    said = re.findall(r"(?m)^    (\w+)  ", scenes.__doc__ or "")
    assert sorted(said) == sorted(path.stem for path in (ROOT / "tests/scenes").glob("[!_]*.py"))


def test_the_repository_keeps_the_rules(capsys: pytest.CaptureFixture[str]) -> None:
    names = {path.relative_to(ROOT).as_posix() for path in written_files(ROOT)}
    assert {"dags/courtesy_notice.py", "README.md", "templates/_layouts/letter.typ", "tests/conftest.py"} <= names
    assert (main(), capsys.readouterr().out) == (0, "")
