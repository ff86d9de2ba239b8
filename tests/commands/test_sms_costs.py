"""What SMS cost, asked on the command line."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from loan_reminders.commands import rebuild_counters
from loan_reminders.commands.sms_costs import main
from tests.scenes.ledger_runs import rows
from tests.scenes.several_libraries import use, write_libraries
from tests.scenes.world import loans


@pytest.fixture(autouse=True)
def demo(monkeypatch, tmp_path):
    """The settings of the library that the tests' ledger is of."""
    use(monkeypatch, write_libraries(tmp_path / "libraries", "demo"))


def test_each_day_stage_and_category_has_a_line_and_all_have_a_sum(world, ledger_url, capsys):
    world.whole_run(*loans(2))
    day = datetime.now(UTC).date().isoformat()
    asked = ["--depuis", day, "--jusqu-a", day, "--bibliotheque", "demo", "--fuseau", "UTC", "--url", ledger_url]
    assert main(asked) == 0
    out = capsys.readouterr().out.splitlines()
    euros = "0,10\N{NO-BREAK SPACE}€"
    assert out == [f"{day}  overdue_notice  student  2 SMS  2 segments  {euros}", f"Total : 2 segments, coût : {euros}"]


def test_what_the_provider_told_counts_and_the_rest_by_the_price_of_a_segment(world, ledger_url, capsys):
    world.whole_run(*loans(3))
    rows(world.ledger, "UPDATE deliveries SET cost = 0.07 WHERE channel = 'sms' AND recipient LIKE '%1'")
    day = datetime.now(UTC).date().isoformat()
    asked = ["--depuis", day, "--jusqu-a", day, "--bibliotheque", "demo", "--fuseau", "UTC", "--url", ledger_url]
    assert main(asked) == 0
    assert "Total : 3 segments, coût : 0,17\N{NO-BREAK SPACE}€" in capsys.readouterr().out


def test_a_library_whose_file_was_taken_away_has_its_costs_still(world, ledger_url, capsys, monkeypatch, tmp_path):
    world.whole_run(*loans(2))
    use(monkeypatch, write_libraries(tmp_path / "those left", "colline"))
    day = datetime.now(UTC).date().isoformat()
    asked = ["--bibliotheque", "demo", "--url", ledger_url]
    assert main(["--depuis", day, "--jusqu-a", day, "--fuseau", "UTC", *asked]) == 0
    out = capsys.readouterr().out
    assert "Total : 2 segments, coût : 2 segments sans prix\n" in out
    assert "Le prix d'un segment n'est pas connu" in out
    assert rebuild_counters.main(asked) == 0
    assert "1 tournée comptée à nouveau" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (["--bibliotheque", "faute"], "pas de bibliothèque « faute » ici ; connues : demo"),
        (["--depuis", "2026-12-01"], "--depuis 2026-12-01 est après --jusqu-a 2026-11-30"),
        (["--fuseau", "Paris"], "un fuseau est attendu, par exemple Europe/Paris"),
    ],
)
def test_what_cannot_be_meant_is_told_and_no_sum(ledger_url, capsys, change, words):
    asked = ["--depuis", "2026-11-01", "--jusqu-a", "2026-11-30", "--bibliotheque", "demo", "--url", ledger_url]
    with pytest.raises(SystemExit) as end:
        main([*asked, *change])
    assert end.value.code == 2
    assert words in capsys.readouterr().err


def test_no_figures_are_made_again_for_a_library_that_never_was(ledger_url, capsys):
    with pytest.raises(SystemExit) as end:
        rebuild_counters.main(["--bibliotheque", "faute", "--url", ledger_url])
    assert end.value.code == 2
    assert "pas de bibliothèque « faute » ici ; connues : demo" in capsys.readouterr().err
