"""A folder of libraries: the demo's settings under other codes and names, and what a test changes in one of them."""

from __future__ import annotations

from pathlib import Path

from loan_reminders.settings.library_toml import ROOT

EXAMPLE = (ROOT / "library.toml").read_text(encoding="utf-8")


def settings_of(code, *changes):
    """The text of a library's file; `changes` are pairs: what stands in the demo's file, and what takes its place."""
    text = EXAMPLE.replace('code = "montclar"', f'code = "{code}"', 1)
    text = text.replace('"BU Montclar"', f'"BU {code.capitalize()}"'[:21])
    text = text.replace("Bibliothèque universitaire de Montclar", f"Bibliothèque de {code.capitalize()}")
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after)
    return text


def write_libraries(folder: Path, *codes, **changes):
    """Write `<code>.toml` for each code into a folder; `changes` are those of single codes. Returns the folder."""
    folder.mkdir(exist_ok=True, parents=True)
    for code in codes:
        (folder / f"{code}.toml").write_text(settings_of(code, *changes.get(code, ())), encoding="utf-8")
    return folder


def use(monkeypatch, folder):
    """Make it the installation's, for this test."""
    monkeypatch.setenv("REMINDERS_CONFIG", str(folder))
    return folder
