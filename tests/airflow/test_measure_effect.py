"""The task that measures what SMS do, on a real ledger."""

from __future__ import annotations

from datetime import datetime

import pytest

from loan_reminders.ledger.statistics.effect import PostgresEffect
from tests.scenes.simulated_library import READ_ON, library_of_arms, write


@pytest.fixture
def task(ledger, monkeypatch):
    from loan_reminders.operators import MeasureEffect, base

    monkeypatch.setattr(base.Installed, "ledger", lambda _: ledger)
    at = datetime(READ_ON.year, READ_ON.month, READ_ON.day, 23, 30)
    monkeypatch.setattr(base.Installed, "now", lambda self: at.replace(tzinfo=self.config.zone))
    return MeasureEffect()


def test_a_night_keeps_what_the_page_says(task, ledger):
    write(ledger, library_of_arms(1, 15, trial=False, readers=100))
    assert task.execute({}) == {"months": 6, "comparisons": 1}


def test_a_library_without_a_loan_has_a_page_too(task, ledger):
    assert task.execute({}) == {"months": 0, "comparisons": 0}
    found = ledger.part(PostgresEffect).newest()
    assert found is not None
    assert found.day == READ_ON


def test_the_package_of_statistics_is_not_loaded_where_dags_and_pages_are():
    import subprocess
    import sys

    code = (
        "import sys, loan_reminders.operators, loan_reminders.web.app\n"
        "sys.exit(','.join(name for name in ('statsmodels', 'scipy', 'pandas') if name in sys.modules) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr[-500:]
