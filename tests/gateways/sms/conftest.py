"""The simulated SMS provider on a socket, and the gateway of its first API; a file of the other API has its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from loan_reminders.gateways.sms.allmysms import AllMySmsGateway
from tests.scenes.sms_requests import API_KEY, LOGIN, gateway_to
from tests.simulators.allmysms_server import AllMySmsServer
from tests.simulators.sms_provider import SmsProvider


@pytest.fixture
def server() -> Iterator[AllMySmsServer]:
    """The provider, with the account that the gateways of `sms_requests` use."""
    with AllMySmsServer(SmsProvider(login=LOGIN, api_key=API_KEY)) as running:
        yield running


@pytest.fixture
def gateway(server: AllMySmsServer) -> Iterator[AllMySmsGateway]:
    with gateway_to(server.base_url) as opened:
        yield opened
