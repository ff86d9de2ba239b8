"""The nightly task: it removes where `library.toml` says so, else it only counts; the note of its run says how much."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from loan_reminders.french.retention import note_words
from loan_reminders.settings.library_toml import ROOT, read_settings
from tests.scenes.planted import LONG_AFTER, Planted, every_row, plant


@pytest.fixture
def night(ledger, monkeypatch, tmp_path):
    """The operator on a planted ledger, on a day on which all is old; `erase` and `dry_run` as asked."""
    from loan_reminders.operators import EraseExpired, base

    plant(ledger, tmp_path, [Planted(number=1)])
    monkeypatch.setenv("REMINDERS_STORAGE", str(tmp_path))
    monkeypatch.setattr(base.Installed, "ledger", lambda _: ledger)
    monkeypatch.setattr(base.Installed, "now", lambda _: datetime(*LONG_AFTER.timetuple()[:3], 1, 30, tzinfo=UTC))

    def run(*, erase, dry_run):
        text = (ROOT / "library.toml").read_text(encoding="utf-8")
        path = tmp_path / "library.toml"
        path.write_text(text.replace("erase = true ", f"erase = {str(erase).lower()} "), encoding="utf-8")
        config = read_settings(path)
        monkeypatch.setattr(base.Installed, "config", property(lambda _: config))
        return EraseExpired(task_id="erase_expired").execute({"params": {"dry_run": dry_run}})

    return run


@pytest.mark.parametrize(("erase", "dry_run"), [(False, False), (False, True), (True, True)])
def test_it_only_counts_until_the_library_says_remove(ledger, night, erase, dry_run):
    before = every_row(ledger)
    counts = night(erase=erase, dry_run=dry_run)
    assert (counts["loans"], counts["messages"], counts["dry_run"]) == (1, 4, True)
    assert every_row(ledger) == before
    assert note_words(counts, dry_run=True).startswith("Rien n'est effacé, seulement compté. À effacer : 1 prêt")


def test_it_removes(ledger, night):
    counts = night(erase=True, dry_run=False)
    assert (counts["loans"], counts["readers"], counts["batches"], counts["dry_run"]) == (1, 1, 2, False)
    assert note_words(counts, dry_run=False).startswith("Effacé : 1 prêt, 4 messages, 1 lecteur, 2 lots")
    assert night(erase=True, dry_run=False)["loans"] == 0


def test_a_library_that_says_nothing_of_it_removes_nothing(tmp_path):
    text = (ROOT / "library.toml").read_text(encoding="utf-8")
    before, mark, after = text.partition("[retention]")
    path = tmp_path / "library.toml"
    path.write_text(before + after[after.index("# The five stages") :], encoding="utf-8")
    assert mark
    retention = read_settings(path).retention
    assert (retention.erase, retention.loan_months, retention.reader_months) == (False, 4, 12)
