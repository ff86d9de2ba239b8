"""`loan-reminders dispute-file`: the file of a loan that a reader contests."""

from __future__ import annotations

import io
import stat
from pathlib import Path

import pikepdf
import pytest

from loan_reminders.commands import dispute_file
from loan_reminders.ledger.connect import connect
from loan_reminders.settings.library_toml import settings
from tests.scenes.disputed_loan import a_whole_story, two_loans
from tests.scenes.ledger_runs import rows

PERSONAL = ("Camille", "camille.martin", "33639980001", "2100000000017")


@pytest.fixture
def ledger(ledger_url):
    with connect(ledger_url, library=settings().library.code) as opened:
        yield opened


@pytest.fixture
def by_command(monkeypatch, ledger_url, tmp_path):
    monkeypatch.setenv("REMINDERS_STORAGE", str(tmp_path / "letters"))
    monkeypatch.setenv("REMINDERS_LEDGER_URL", ledger_url)
    output = tmp_path / "dossier.pdf"
    return output, lambda *words: dispute_file.main([*words, "--sortie", str(output)])


@pytest.mark.parametrize(
    "words", [("--pret", "L1"), ("--code-barres", "0935000123"), ("--reference", "MD-0000AAAA"),
              ("--recommande", "1A 234 567 8901 2")],
)  # fmt: skip
def test_the_command_writes_the_file(ledger, by_command, capsys, words):
    a_whole_story(ledger)
    output, command = by_command
    assert command(*words) == 0
    with pikepdf.open(io.BytesIO(output.read_bytes())) as read:
        assert len(read.pages) >= 2
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    assert "4 envois" in capsys.readouterr().out
    assert not list(output.parent.glob(".dossier-*"))


def test_the_file_goes_to_the_standard_output_and_the_words_beside_it(ledger, by_command, capfdbinary):
    """From a container, whose own files are out of reach."""
    a_whole_story(ledger)
    assert dispute_file.main(["--pret", "L1", "--sortie", "-"]) == 0
    out, err = capfdbinary.readouterr()
    with pikepdf.open(io.BytesIO(out)) as read:
        assert len(read.pages) >= 2
    assert out.startswith(b"%PDF-")
    assert b"4 envois" in err


def test_a_terminal_is_given_no_file_and_nothing_is_noted(ledger, by_command, capsys, monkeypatch):
    a_whole_story(ledger)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert dispute_file.main(["--pret", "L1", "--sortie", "-"]) == 1
    out, err = capsys.readouterr()
    assert (out, "exec -T" in err) == ("", True)
    assert rows(ledger, "SELECT 1 FROM journal") == []


def test_the_command_finds_nothing(ledger, by_command, capsys):
    output, command = by_command
    assert command("--pret", "rien") == 1
    assert "aucun prêt" in capsys.readouterr().err
    assert not output.exists()


def test_the_command_lists_what_to_choose_from(ledger, by_command, capsys):
    two_loans(ledger)
    output, command = by_command
    assert command("--code-barres", "0935000123") == 1
    said = capsys.readouterr().err
    assert "--pret L-new  (prêté le 29/10/2026, à rendre le 26/11/2026)" in said
    assert not [word for word in PERSONAL if word in said]
    assert command("--pret", "L-old") == 0
    assert output.exists()


def test_the_command_says_that_it_cannot_write(ledger, by_command, capsys):
    a_whole_story(ledger)
    assert dispute_file.main(["--pret", "L1", "--sortie", str(Path("/nulle/part/dossier.pdf"))]) == 1
    assert "écriture impossible" in capsys.readouterr().err


def test_the_command_wants_one_way_to_search(by_command):
    for words in ((), ("--pret", "1", "--recommande", "2")):
        with pytest.raises(SystemExit):
            by_command[1](*words)
