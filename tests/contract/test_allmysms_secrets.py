"""Neither the account's key nor a reader's number gets where it should not."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from loan_reminders.domain.errors import SmsAccountRejected, SmsGatewayUnavailable
from loan_reminders.domain.states import DeliveryState
from loan_reminders.gateways.allmysms import AllMySmsAccount, AllMySmsGateway
from loan_reminders.gateways.allmysms_answer import RAW_LIMIT, Secrets
from tests.contract.sms_requests import API_KEY, LOGIN, gateway_to, http, number, outcomes, texts, wire
from tests.simulators.allmysms_server import AllMySmsServer, Fault
from tests.simulators.sms_provider import SmsProvider

S = DeliveryState


@pytest.fixture
def server() -> Iterator[AllMySmsServer]:
    with AllMySmsServer(SmsProvider(login=LOGIN, api_key=API_KEY)) as running:
        yield running


@pytest.fixture
def gateway(server: AllMySmsServer) -> Iterator[AllMySmsGateway]:
    with gateway_to(server.base_url) as opened:
        yield opened


@pytest.mark.parametrize("fault", [None, *Fault])
def test_neither_key_nor_login_nor_number_leaks(
    server: AllMySmsServer, gateway: AllMySmsGateway, fault: Fault | None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    if fault:
        server.fail_next(fault)
    messages = texts(2)
    said = ""
    try:
        for message, receipt in zip(messages, gateway.send(messages), strict=True):
            others = {other.recipient.value for other in messages} - {message.recipient.value}
            assert not any(other in receipt.raw for other in others)
            said += f"{receipt.raw}{receipt.provider_id}"
    except (SmsAccountRejected, SmsGatewayUnavailable) as error:
        said += f"{error!r}{error.__context__!r}{error.__cause__!r}"
        assert number(0) not in said
    said += caplog.text
    for secret in (API_KEY, API_KEY.replace("&", "&amp;"), "k3y%2Fwith", LOGIN):
        assert secret not in said
    assert number(0) not in caplog.text


def test_the_key_shows_in_no_repr() -> None:
    account = AllMySmsAccount(base_url="https://api.example", login=LOGIN, api_key=API_KEY)
    with gateway_to("https://api.example") as gateway:
        assert API_KEY not in f"{account!r}{account}{gateway!r}{vars(gateway)!r}"
    assert API_KEY not in repr(Secrets(login=LOGIN, api_key=API_KEY))


def test_secrets_that_an_answer_echoes_are_not_kept_and_long_answers_are_cut() -> None:
    page = f"<html>{LOGIN} {API_KEY} {json.dumps(API_KEY)} login={LOGIN}&apiKey=k3y%2Fwith%2Bodd%26chars%3C%C3%A9%3E "
    with wire(http((page + "x" * 5000).encode(), "500 Oops")) as base_url, gateway_to(base_url) as gateway:
        (receipt,) = gateway.send(texts(1))
    assert receipt.raw.startswith("RELANCES-")
    assert "HTTP 500" in receipt.raw
    assert "*** ***" in receipt.raw
    assert len(receipt.raw) == RAW_LIMIT
    assert not any(part in receipt.raw for part in ("k3y", "odd", LOGIN))


def test_the_key_travels_in_the_body_only(server: AllMySmsServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="urllib3")
    with gateway_to(server.base_url + "/") as gateway:
        assert outcomes(gateway.send(texts(1))) == [(S.ACCEPTED, None)]
    assert '"POST /http/9.0/sendSms/ HTTP/1.1" 200' in caplog.text
