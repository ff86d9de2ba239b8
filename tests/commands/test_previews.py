"""`make previews`: every message of every stage, as it would look."""

from __future__ import annotations

import io
import re
import tarfile
from datetime import datetime

import pytest

from loan_reminders.commands import previews
from loan_reminders.commands.previews import write_index, write_previews
from loan_reminders.domain.stages import STAGE_CHANNELS, Channel, Stage
from loan_reminders.settings.library_toml import ROOT, Settings, read_settings
from tests.scenes.sentences import as_typed

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


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("loan_reminders.commands.previews.shutil.which", lambda _: None)
    (tmp_path / "file").write_text("")
    assert previews.main(["--sortie", str(tmp_path / "file" / "below")]) == 1
    assert "écriture impossible" in capsys.readouterr().err


def test_a_broken_chromium_costs_the_images_alone(tmp_path, capsys, monkeypatch):
    broken = tmp_path / "chromium"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setattr("loan_reminders.commands.previews.shutil.which", lambda name: {"chromium": broken}.get(name))
    monkeypatch.setattr(Settings, "all_stages", (Stage.COURTESY_NOTICE,))
    assert previews.main(["--sortie", str(tmp_path / "seen")]) == 0
    assert "Le Chromium d'ici ne marche pas (CalledProcessError)" in as_typed(capsys.readouterr().out)
    assert list((tmp_path / "seen").rglob("fr-*.html"))


def test_a_broken_pdftoppm_is_told(tmp_path, capsys, monkeypatch):
    broken = tmp_path / "pdftoppm"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setattr("loan_reminders.commands.previews.shutil.which", lambda name: {"pdftoppm": broken}.get(name))
    monkeypatch.setattr(Settings, "all_stages", (Stage.FIRST_REMINDER,))
    assert previews.main(["--sortie", str(tmp_path / "seen")]) == 1
    assert "pdftoppm ne fait pas les images" in capsys.readouterr().err


def test_a_folder_that_holds_something_is_not_touched(tmp_path, capsys):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(SystemExit) as end:
        previews.main(["--sortie", str(tmp_path)])
    assert end.value.code == 2
    assert "un dossier nouveau ou vide est attendu" in capsys.readouterr().err
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_all_of_it_goes_to_the_standard_output_as_one_archive(capfdbinary, monkeypatch):
    """From a container, whose own files are out of reach. Of the messages one stage is enough here."""
    monkeypatch.setattr("loan_reminders.commands.previews.shutil.which", lambda _: None)
    monkeypatch.setattr(Settings, "all_stages", (Stage.COURTESY_NOTICE,))
    assert previews.main(["--sortie", "-"]) == 0
    out, err = capfdbinary.readouterr()
    with tarfile.open(fileobj=io.BytesIO(out)) as archive:
        names = archive.getnames()
    assert "apercus/index.html" in names
    assert any(re.fullmatch(r"apercus/courtesy_notice/email/fr-.+\.eml", name) for name in names)
    assert "Aucun Chromium" in err.decode()
    assert f"{len([name for name in names if '.' in name]) - 1} fichiers. À ouvrir : apercus/index.html" in as_typed(
        err.decode()
    )


def test_wrong_settings_are_told(tmp_path, capsys, monkeypatch):
    from loan_reminders.settings.library_toml import settings

    monkeypatch.setenv("REMINDERS_CONFIG", str(tmp_path / "nowhere.toml"))
    settings.cache_clear()
    try:
        assert previews.main(["--sortie", str(tmp_path / "new")]) == 1
    finally:
        settings.cache_clear()
    assert "nowhere.toml : fichier illisible" in capsys.readouterr().err
