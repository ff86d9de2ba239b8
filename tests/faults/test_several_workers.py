"""Two Celery workers that share the ledger and a bucket: one dies while it sends, and nobody is told twice or not."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from loan_reminders.domain.stages import Stage
from loan_reminders.settings.library_toml import settings
from tests.e2e.several_workers import CONNECTIONS, SAMPLE, WORKERS, Day, Reached, SeveralWorkers, live, reached
from tests.simulators import redis_server, s3_server

TIMEOUT = 240


@pytest.fixture(scope="module")
def lived() -> Iterator[tuple[SeveralWorkers, Day, Reached]]:
    if not os.environ.get("WORKERS"):
        pytest.skip("a day on two Celery workers takes minutes: WORKERS=1, or `make workers` for 10,000 notices")
    if not redis_server.available():
        pytest.skip(redis_server.MISSING)
    if not s3_server.available():
        pytest.skip(s3_server.MISSING)
    folder = Path(tempfile.mkdtemp(prefix="lr-", dir="/tmp"))
    today = datetime.now(settings().zone).date()
    try:
        with SeveralWorkers(folder, today=today, notices=SAMPLE) as installation:
            day = live(installation, timeout=TIMEOUT)
            yield installation, day, reached(installation)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_every_run_ends_well_though_a_worker_died(lived: tuple[SeveralWorkers, Day, Reached]) -> None:
    _, day, found = lived
    assert day.states == dict.fromkeys((stage.value for stage in Stage), "success")
    assert (found.unbalanced, found.waiting) == (0, 0)
    assert found.notices > SAMPLE * 0.8


def test_the_emails_of_one_run_left_from_both_workers(lived: tuple[SeveralWorkers, Day, Reached]) -> None:
    _, day, found = lived
    assert sorted(day.senders.values()) == list(WORKERS)
    assert day.names == ["lot 1 sur 2", "lot 2 sur 2"]
    assert 0 < day.accepted_when_killed < found.emails


def test_nobody_is_forgotten_and_what_comes_twice_was_in_doubt(lived: tuple[SeveralWorkers, Day, Reached]) -> None:
    *_, found = lived
    assert (found.lost, found.unmarked, found.sms_doubled) == (0, 0, 0)
    assert found.in_doubt <= CONNECTIONS  # two in flight on each of the dead worker's half of the connections
    assert found.doubled <= found.in_doubt
    assert found.sms > 0


def test_letters_are_in_the_bucket_and_on_no_workers_disk(lived: tuple[SeveralWorkers, Day, Reached]) -> None:
    installation, _, found = lived
    assert found.letters > 0
    assert found.batches_wrong == 0
    assert not [name for name in installation.s3.names() if "/." in name]
    left = {path for name in WORKERS for path in (installation.home(name) / "tmp").rglob("*") if path.is_file()}
    assert not [path for path in left if path.suffix in (".pdf", ".csv", ".eml")]
    assert not installation.letters.exists()
