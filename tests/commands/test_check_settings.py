"""`make check-settings`: an installation's own words, before it is used."""

from __future__ import annotations

import os
import subprocess
import sys

from loan_reminders.settings.library_toml import ROOT

EXAMPLE = ROOT / "library.toml"


def check(path):
    return subprocess.run(
        [sys.executable, "-m", "loan_reminders", "check-settings"],
        env={**os.environ, "REMINDERS_CONFIG": str(path), "PYTHONPATH": str(ROOT / "plugins")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_is_wrong_is_said_with_its_key_and_what_is_allowed(tmp_path):
    wrong = tmp_path / "library.toml"
    wrong.write_text(EXAMPLE.read_text(encoding="utf-8").replace('hour = "10:00"', 'hour = "25:00"'), encoding="utf-8")
    answer = check(wrong)
    assert answer.returncode == 1
    assert 'stages.overdue_notice.hour = "25:00" : il faut une heure de 00:00 à 23:59' in answer.stderr
    assert "Traceback" not in answer.stderr


def test_the_example_is_accepted():
    answer = check(EXAMPLE)
    assert (answer.returncode, answer.stderr) == (0, "")
