"""What a test asks of the installation that `tests/conftest.py` starts; its settings are a copy that it may edit."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from loan_reminders.domain.stages import Stage
from tests.e2e.summary import stage_summary
from tests.simulators import container

TIMEOUT = 600


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


@contextmanager
def a_browser(installation, user):
    """Somebody's browser on our pages, logged in as Airflow does it: by a cookie."""
    token = requests.post(
        f"{installation.url}/auth/token",
        json={"username": user, "password": installation.passwords[user]},
        timeout=120,
    ).json()["access_token"]
    with requests.Session() as session:
        session.headers.update({"Sec-Fetch-Site": "same-origin", "Cookie": f"_token={token}"})

        def ask(method, path, **options):
            url = f"{installation.url}/relances/{path}"
            return session.request(method, url, timeout=120, allow_redirects=False, **options)

        yield ask


@pytest.fixture(scope="module")
def network() -> Iterator[container.Network]:
    """The network of the services of docker-compose.yaml; what needs it is skipped where no container can be played."""
    if reason := container.missing():
        pytest.skip(reason)
    with container.Network() as made_up:
        yield made_up


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the user of a container may enter."""
    path = Path(tempfile.mkdtemp(prefix="lr-", dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)
