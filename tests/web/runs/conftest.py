"""The pages with an Airflow of the test's own."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.scenes.fake_airflow import FakeAirflow
from tests.scenes.first_page import NOW, StagesOfAirflow, forget
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


@pytest.fixture
def stages(installed: None) -> Iterator[StagesOfAirflow]:
    """Airflow's API as the first page asks it, and ten forty-two on the thirtieth of November."""
    from loan_reminders.web.runs.today import present

    fake, app = StagesOfAirflow(), application()
    app.state.airflow = httpx.MockTransport(fake)
    app.dependency_overrides[present] = lambda: NOW
    forget()
    yield fake
    del app.state.airflow
    app.dependency_overrides.clear()
    forget()
