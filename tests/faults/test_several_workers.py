"""Two Celery workers that share the ledger and a bucket: one dies while it sends, and nobody is told twice or not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime

import pytest

from loan_reminders.domain.stages import Stage
from loan_reminders.settings.library_toml import settings
from tests.e2e.celery_installation import CeleryInstallation
from tests.e2e.day_on_workers import Day, live
from tests.e2e.reached import Reached, reached
from tests.e2e.several_workers import SAMPLE, WORKERS, installed
from tests.simulators import redis_server, s3_server

TIMEOUT = 600
CONNECTIONS = 4
LATENCY_S = 0.1
"""Slow enough that the few e-mails of a test are still leaving when a worker dies."""


@pytest.fixture(scope="module")
def lived() -> Iterator[tuple[CeleryInstallation, Day, Reached]]:
    if not os.environ.get("WORKERS"):
        pytest.skip("a day on two Celery workers takes minutes: WORKERS=1, or `make workers` for 10,000 notices")
    if not redis_server.available():
        pytest.skip(redis_server.MISSING)
    if not s3_server.available():
        pytest.skip(s3_server.MISSING)
    today = datetime.now(settings().zone).date()
    with installed(today=today, notices=SAMPLE, connections=CONNECTIONS, latency_s=LATENCY_S) as installation:
        day = live(installation, timeout=TIMEOUT, kill=True)
        yield installation, day, reached(installation)


def test_every_run_ends_well_though_a_worker_died(lived: tuple[CeleryInstallation, Day, Reached]) -> None:
    _, day, found = lived
    assert day.states == dict.fromkeys((stage.value for stage in Stage), "success")
    assert (found.unbalanced, found.waiting) == (0, 0)
    assert found.notices > SAMPLE * 0.8


def test_the_emails_of_one_run_left_from_both_workers(lived: tuple[CeleryInstallation, Day, Reached]) -> None:
    _, day, found = lived
    assert sorted(day.senders.values()) == list(WORKERS)
    assert day.names == ["lot 1 sur 2", "lot 2 sur 2"]
    assert 0 < day.accepted_when_killed < found.emails


def test_nobody_is_forgotten_and_what_comes_twice_was_in_doubt(lived: tuple[CeleryInstallation, Day, Reached]) -> None:
    *_, found = lived
    assert (found.lost, found.unmarked, found.sms_doubled) == (0, 0, 0)
    assert found.in_doubt <= 2 * CONNECTIONS  # two in flight on each connection of the dead worker
    assert found.doubled <= found.in_doubt
    assert found.sms > 0


def test_letters_are_in_the_bucket_and_on_no_workers_disk(lived: tuple[CeleryInstallation, Day, Reached]) -> None:
    installation, _, found = lived
    assert found.letters > 0
    assert found.batches_wrong == 0
    assert not [name for name in installation.s3.names() if "/." in name]
    left = {path for name in WORKERS for path in (installation.home(name) / "tmp").rglob("*") if path.is_file()}
    assert not [path for path in left if path.suffix in (".pdf", ".csv", ".eml")]
    assert not installation.letters.exists()
