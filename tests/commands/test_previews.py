"""`make previews`: every message of every stage, as it would look."""

from __future__ import annotations

from datetime import datetime

import pytest

from loan_reminders.commands import previews
from loan_reminders.commands.previews import write_index, write_previews
from loan_reminders.domain.stages import STAGE_CHANNELS, Channel, Stage
from loan_reminders.settings.library_toml import ROOT, read_settings

ENDINGS = {
    Channel.EMAIL: {".eml", ".html", ".txt"},
    Channel.SMS: {".txt"},
    Channel.LETTER: {".pdf"},
    Channel.REGISTERED_LETTER: {".pdf"},
}


def test_each_channel_of_each_stage_is_shown_and_listed(tmp_path, monkeypatch):
    monkeypatch.setattr("loan_reminders.commands.previews.shutil.which", lambda _: None)
    ours = read_settings(ROOT / "library.toml")
    files = write_previews(ours, tmp_path, now=datetime(2026, 12, 4, 10, tzinfo=ours.zone))
    for stage in Stage:
        for channel in STAGE_CHANNELS[stage]:
            made = [path for path in files if path.parent == tmp_path / stage / channel]
            assert {path.suffix for path in made} == ENDINGS[channel]
            assert all(path.stat().st_size for path in made)
    page = write_index(tmp_path, files).read_text(encoding="utf-8")
    assert [path for path in files if f"href='{path.relative_to(tmp_path)}'" not in page] == []
    assert page.count("<h2>") == sum(len(STAGE_CHANNELS[stage]) for stage in Stage)


def test_a_folder_that_holds_something_is_not_touched(tmp_path, capsys):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(SystemExit) as end:
        previews.main(["--sortie", str(tmp_path)])
    assert end.value.code == 2
    assert "un dossier nouveau ou vide est attendu" in capsys.readouterr().err
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_wrong_settings_are_told(tmp_path, capsys, monkeypatch):
    from loan_reminders.settings.library_toml import settings

    monkeypatch.setenv("REMINDERS_CONFIG", str(tmp_path / "nowhere.toml"))
    settings.cache_clear()
    try:
        assert previews.main(["--sortie", str(tmp_path / "new")]) == 1
    finally:
        settings.cache_clear()
    assert "nowhere.toml : fichier illisible" in capsys.readouterr().err
