"""`make check-settings`: an installation's own words, before it is used."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from loan_reminders.settings.library_toml import ROOT
from tests.scenes.several_libraries import settings_of, use, write_libraries

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


def test_each_file_of_a_folder_is_checked_and_a_wrong_one_hides_no_other(tmp_path):
    folder = write_libraries(tmp_path / "libraries", "rivage", "colline")
    words = folder / "rivage" / "templates" / "overdue_notice" / "sms" / "text.txt.j2"
    words.parent.mkdir(parents=True)
    words.write_text("{{ rien }}", encoding="utf-8")
    (folder / "plage.toml").write_text(settings_of("plage", ('hour = "10:00"', 'hour = "25:00"')), encoding="utf-8")
    answer = check(folder)
    assert answer.returncode == 1
    assert answer.stdout == f"{folder / 'colline.toml'} et les modèles : valides\n"
    assert f"{folder / 'plage.toml'} : 1 valeur à corriger" in answer.stderr
    assert f"{folder / 'rivage.toml'} : overdue_notice/sms/text.txt.j2, ligne 1 : « rien »" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_one_library_of_a_folder_is_checked_by_its_code(tmp_path, monkeypatch, capsys):
    from loan_reminders.commands.check_settings import main

    folder = use(monkeypatch, write_libraries(tmp_path / "libraries", "rivage", "colline"))
    (folder / "colline.toml").write_text("?", encoding="utf-8")
    assert main(["--bibliotheque", "rivage"]) == 0
    assert capsys.readouterr() == (f"{folder / 'rivage.toml'} et les modèles : valides\n", "")
    with pytest.raises(SystemExit) as end:
        main(["--bibliotheque", "plage"])
    assert end.value.code == 2
    assert "pas de bibliothèque « plage » ici ; connues : colline, rivage" in capsys.readouterr().err
    for file in folder.glob("*.toml"):
        file.unlink()
    assert main([]) == 1
    assert "aucun fichier de bibliothèque" in capsys.readouterr().err
