"""Settings changed while the web server runs hold for the next request: « Renvoyer » sends where tasks send."""

from __future__ import annotations

import os

import pytest

from loan_reminders.settings.library_toml import ROOT, settings
from tests.web.client import browsing

USUAL = (ROOT / "library.toml").read_text(encoding="utf-8")
REDIRECT = '\n[redirect]\nemail = "essai@bu.example.fr"\nmobile = "06 00 00 00 01"\n'


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Writes the library's file, an hour after it was written before."""
    path, hours = tmp_path / "library.toml", iter(range(1, 9))
    monkeypatch.setenv("REMINDERS_CONFIG", str(path))

    def write(text):
        path.write_text(text, encoding="utf-8")
        at = 1_800_000_000 + 3600 * next(hours) - 10**8
        os.utime(path, (at, at))

    yield write
    settings.cache_clear()


@pytest.mark.usefixtures("installed")
def test_a_redirect_and_its_end_hold_at_once(written):
    written(USUAL)
    with browsing("admin") as client:
        assert "rien n&#39;atteint les lecteurs" not in client.get("/installation").text
        written(USUAL + REDIRECT)
        assert "rien n&#39;atteint les lecteurs" in client.get("/installation").text
        assert settings().redirection() is not None
        written(USUAL)
        assert "rien n&#39;atteint les lecteurs" not in client.get("/installation").text
        assert settings().redirection() is None


@pytest.mark.usefixtures("installed")
def test_a_file_that_became_wrong_is_told_and_mended_without_a_restart(written):
    written(USUAL)
    with browsing("admin") as client:
        written(USUAL.replace('code = "', 'code = "NON '))
        for answer in (client.get("/installation"), client.post("/lecteurs/renvoi", data={"lecteur": "P1"})):
            assert (answer.status_code, "réglages de cette bibliothèque" in answer.text) == (503, True)
        written(USUAL)
        assert client.get("/installation").status_code == 200
