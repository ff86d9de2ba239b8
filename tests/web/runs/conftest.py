"""The pages with an Airflow of the test's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.scenes.fake_airflow import FakeAirflow
from tests.web.client import application


@pytest.fixture
def airflow(installed: None) -> Iterator[FakeAirflow]:
    """What answers in the place of Airflow's API; the number beside the first tab is asked for anew."""
    from loan_reminders.web import badge, ledger_access

    fake = FakeAirflow()
    app = application()
    app.state.airflow = fake.transport
    badge.forget()
    yield fake
    del app.state.airflow
    badge.forget()
    ledger_access.close()
