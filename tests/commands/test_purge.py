"""`loan-reminders purge` and `loan-reminders dispute-flag`: count, remove, keep."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from loan_reminders.commands import dispute_flag, purge
from loan_reminders.domain.retention.terms import Terms
from loan_reminders.ledger.connect import connect
from loan_reminders.settings.library_toml import settings
from tests.scenes.ledger_runs import rows
from tests.scenes.planted import Planted, every_row, found, plant


@pytest.fixture
def ledger(ledger_url):
    with connect(ledger_url, library=settings().library.code) as opened:
        yield opened


@pytest.fixture
def told(ledger, monkeypatch, ledger_url, tmp_path):
    """A reader whose loan ended long ago, and one whose loan ended yesterday; both were seen lately."""
    monkeypatch.setenv("REMINDERS_STORAGE", str(tmp_path))
    monkeypatch.setenv("REMINDERS_LEDGER_URL", ledger_url)
    today = datetime.now(settings().zone).date()
    terms = Terms.on(today, loan_months=4, reader_months=12)
    old, yesterday = terms.loans_until, today - timedelta(days=1)
    plant(ledger, tmp_path, [
        Planted(number=1, ended_on=old, seen_on=terms.readers_until),
        Planted(number=2, ended_on=yesterday, seen_on=yesterday),
    ])  # fmt: skip
    return ledger


@pytest.mark.parametrize("command", [purge, dispute_flag])
def test_in_a_container_whose_account_has_no_name(told, monkeypatch, command):
    def nobody():
        raise KeyError("getpwuid(): uid not found: 4711")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert command.main([]) == 0


def test_it_only_counts_unless_told_to_remove(told, capsys):
    before = every_row(told)
    assert purge.main([]) == 0
    assert "Rien n'est effacé, seulement compté. À effacer : 1 prêt, 4 messages" in capsys.readouterr().out
    assert every_row(told) == before
    assert purge.main(["--remove", "--qui", "zoé"]) == 0
    said = capsys.readouterr().out
    assert "Effacé : 1 prêt, 4 messages, 1 lecteur" in said
    places = found(every_row(told))
    # His number was put on the list today: that line is a year from becoming a hash.
    assert (places.get(1, set()) <= {"suppressions"}, "loans_seen" in places[2]) == (True, True)
    [[who]] = rows(told, "SELECT who FROM journal WHERE act = 'data_erased'")
    assert who == "zoé"


def test_without_a_ledger_it_says_so(monkeypatch, capsys):
    monkeypatch.setenv("REMINDERS_LEDGER_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    assert purge.main([]) == 1
    assert "registre" in capsys.readouterr().err


def test_a_dispute_is_noted_listed_and_closed_at_a_terminal(told, capsys):
    until = str(datetime.now(settings().zone).date() + timedelta(days=30))
    command = ["--pret", "ZPRET1Z", "--jusqu-a", until, "--motif", "conteste", "--qui", "zoé"]
    assert dispute_flag.main(command) == 0
    assert purge.main(["--remove"]) == 0
    assert "rien" in capsys.readouterr().out
    assert dispute_flag.main([]) == 0
    said = capsys.readouterr().out
    assert ("prêt ZPRET1Z" in said, "ZNOM" in said) == (True, False)
    [[number]] = rows(told, "SELECT dispute_id FROM disputes")
    assert dispute_flag.main(["--clore", str(number)]) == 0
    assert dispute_flag.main(["--clore", str(number)]) == 1
    assert dispute_flag.main(["--pret", "inconnu", "--jusqu-a", until, "--motif", "x"]) == 1
    assert dispute_flag.main(["--lecteur", "ZLECTEUR1Z", "--jusqu-a", until, "--motif", " "]) == 1
    with pytest.raises(SystemExit):
        dispute_flag.main(["--pret", "ZPRET1Z"])
    assert purge.main(["--remove"]) == 0
