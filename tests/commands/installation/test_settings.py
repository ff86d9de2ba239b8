"""What the doctor finds of settings and templates."""

from __future__ import annotations

import shutil

import pytest

from loan_reminders.settings.library_toml import ROOT, TEMPLATES


@pytest.fixture
def set_to(tmp_path, monkeypatch):
    def write(more="", **changes):
        text = (ROOT / "library.toml").read_text(encoding="utf-8")
        for old, new in changes.values():
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "library.toml").write_text(text + more, encoding="utf-8")
        monkeypatch.setenv("REMINDERS_CONFIG", str(tmp_path / "library.toml"))

    return write


def test_settings_for_production(doctor):
    assert doctor.findings("settings")[0] == 0


def test_a_redirect_is_told(doctor, set_to):
    set_to('\n[redirect]\nemail = "essai@bu.example.org"\nmobile = "06 12 34 56 78"\n')
    status, found = doctor.findings("settings")
    assert status == 1
    assert "Envois détournés" in " ".join(one["what"] for one in found)


def test_a_library_that_keeps_all_for_ever_is_told_and_one_that_removes_is_not(doctor, set_to):
    status, (finding,) = doctor.findings("retention")
    assert (status, finding["what"]) == (0, "Effacement : prêts 4 mois après le retour, lecteurs au bout de 12 mois")
    set_to(only_counted=("erase = true", "erase = false"))
    status, (finding,) = doctor.findings("retention")
    assert status == 1
    assert "Rien n'est effacé" in finding["what"]
    assert "erase = true" in finding["do"]


def test_every_template_is_composed_with_the_worst(doctor):
    status, (finding,) = doctor.findings("templates")
    assert status == 0
    assert finding["details"][0].startswith("SMS le plus cher : 1 segment")


def test_a_template_that_is_wrong_in_a_librarys_own_folder(doctor, tmp_path, monkeypatch):
    from loan_reminders.settings.library_toml import Settings

    shutil.copytree(TEMPLATES, tmp_path / "templates")
    words = tmp_path / "templates/courtesy_notice/email/words.txt.j2"
    words.write_text("{{ unheard_of }}" + words.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(Settings, "templates", tmp_path / "templates")
    status, (finding,) = doctor.findings("templates")
    assert status == 2
    assert "unheard_of" in " ".join(finding["details"])


def test_a_font_that_is_missing(doctor, tmp_path, monkeypatch):
    from loan_reminders.rendering.letters import fonts

    shutil.copytree(fonts.FONTS_FOLDER, tmp_path / "fonts")
    monkeypatch.setattr(fonts, "FONTS_FOLDER", tmp_path / "fonts")
    (tmp_path / "fonts/NotoSansHebrew-Regular.ttf").unlink()
    assert doctor.findings("fonts")[0] == 1
    shutil.copytree(tmp_path / "fonts", tmp_path / "others")
    monkeypatch.setattr(fonts, "FONTS_FOLDER", tmp_path / "others")
    (tmp_path / "others/NotoSans-Bold.ttf").write_bytes(b"no font")
    status, (finding,) = doctor.findings("fonts")
    assert status == 2
    assert "NotoSans-Bold.ttf" in finding["what"]
