"""The rules of `python -m tests.lint`: each finds what breaks it, and the repository breaks none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lint.__main__ import ROOT, main
from tests.lint.file_lengths import too_long, written_files


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


def test_the_repository_keeps_the_rules(capsys: pytest.CaptureFixture[str]) -> None:
    names = {path.relative_to(ROOT).as_posix() for path in written_files(ROOT)}
    assert {"dags/courtesy_notice.py", "README.md", "templates/_layouts/letter.typ", "tests/conftest.py"} <= names
    assert (main(), capsys.readouterr().out) == (0, "")
