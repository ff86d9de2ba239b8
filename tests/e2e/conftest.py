"""One whole installation for all end-to-end tests, started once; its settings are a copy that a test may edit."""

from __future__ import annotations

import shutil
import tempfile
from datetime import datetime
from pathlib import Path

import pytest

from loan_reminders.domain.stages import Stage
from loan_reminders.settings import settings
from tests.e2e.installation import Installation
from tests.e2e.process_list import ArgumentsSeen
from tests.e2e.summary import stage_summary

TIMEOUT = 300


@pytest.fixture(scope="session")
def arguments_seen():
    """The arguments of all programs, from before the installation starts."""
    with ArgumentsSeen() as seen:
        yield seen


@pytest.fixture(scope="session")
def installation(arguments_seen):
    folder = Path(tempfile.mkdtemp(prefix="lr-", dir="/tmp"))
    today = datetime.now(settings().zone).date()
    try:
        with Installation(folder, today=today) as running:
            running.api.wait_for_dags([stage.value for stage in Stage], timeout=TIMEOUT, alive=running.check_alive)
            for stage in Stage:
                running.api.unpause(stage.value)
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(installation, *stages, **conf):
    """Trigger stages for today, wait, and say what each did."""
    api, alive = installation.api, installation.check_alive
    conf = {"reference_date": installation.today.isoformat(), **conf}
    started = {stage: api.trigger(stage.value, **conf) for stage in stages}
    if Stage.REGISTERED_LETTER in started:
        installation.approve_letters(started[Stage.REGISTERED_LETTER], timeout=TIMEOUT)
    found = {}
    for stage, run_id in started.items():
        ended = api.wait_for_run(stage.value, run_id, timeout=TIMEOUT, alive=alive)
        found[stage] = stage_summary(
            installation.ledger_url, stage=stage, run=ended, tasks=api.tasks(stage.value, run_id)
        )
    return found
