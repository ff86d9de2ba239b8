"""`loan-reminders effect`: the page made anew at once, and what may be concluded said at the terminal."""

from __future__ import annotations

from loan_reminders.commands.registry import COMMANDS
from loan_reminders.ledger.connect import connect
from loan_reminders.ledger.statistics.effect import PostgresEffect
from loan_reminders.settings.library_toml import settings


def test_without_a_ledger_it_says_so(monkeypatch, capsys):
    monkeypatch.setenv("REMINDERS_LEDGER_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    assert COMMANDS["effect"].main()([]) == 1
    assert "registre" in capsys.readouterr().err


def test_it_keeps_what_the_page_says_and_says_it(monkeypatch, capsys, ledger_url):
    monkeypatch.setenv("REMINDERS_LEDGER_URL", ledger_url)
    assert COMMANDS["effect"].main()([]) == 0
    assert "Rien ne peut en être conclu." in capsys.readouterr().out
    with connect(ledger_url, library=settings().library.code) as ledger:
        assert ledger.part(PostgresEffect).newest() is not None
