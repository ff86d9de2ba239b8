"""Neither the account's key nor a reader's number gets where it should not."""

from __future__ import annotations

import json
import logging
from base64 import b64encode
from collections.abc import Callable

import pytest

from loan_reminders.domain.errors import SmsAccountRejected, SmsAnswerUnreadable, SmsGatewayUnavailable
from loan_reminders.domain.states import DeliveryState
from loan_reminders.gateways.sms.allmysms import AllMySmsAccount
from loan_reminders.gateways.sms.allmysms_answer import RAW_LIMIT, Secrets
from tests.scenes.sms_requests import API_KEY, LOGIN, OPEN, gateway_to, http, number, outcomes, texts, wire
from tests.simulators.allmysms_server import AllMySmsServer, Fault

S = DeliveryState
BASIC = b64encode(f"{LOGIN}:{API_KEY}".encode()).decode()


@pytest.mark.parametrize("fault", [None, *Fault])
@pytest.mark.parametrize("api", ["legacy", "rest"])
@pytest.mark.parametrize("count", [1, 2])
def test_neither_key_nor_login_nor_number_leaks(
    server: AllMySmsServer, api: str, count: int, fault: Fault | None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    if fault:
        server.fail_next(fault)
    messages = texts(count)
    said = ""
    try:
        with OPEN[api](server.base_url) as gateway:
            receipts = gateway.send(messages)
        for message, receipt in zip(messages, receipts, strict=True):
            others = {other.recipient.value for other in messages} - {message.recipient.value}
            assert not any(other in receipt.raw for other in others)
            said += f"{receipt.raw}{receipt.provider_id}"
    except (SmsAccountRejected, SmsGatewayUnavailable) as error:
        said += f"{error!r}{error.__context__!r}{error.__cause__!r}"
        assert number(0) not in said
    said += caplog.text
    for secret in (API_KEY, API_KEY.replace("&", "&amp;"), "k3y%2Fwith", LOGIN, BASIC):
        assert secret not in said
    assert number(0) not in caplog.text


@pytest.mark.parametrize("fault", [None, *Fault])
@pytest.mark.parametrize("api", ["legacy", "rest"])
def test_no_question_shows_a_secret_or_a_number(
    server: AllMySmsServer, api: str, fault: Fault | None, caplog: pytest.LogCaptureFixture
) -> None:
    """`getInfo` and `/account` answer with the key itself."""
    caplog.set_level(logging.DEBUG)
    server.provider.reply(number(0), "STOP")
    with OPEN[api](server.base_url) as gateway:
        campaign_id = gateway.send(texts(2))[0].campaign_id
        questions: list[Callable[[], object]] = [
            gateway.credit, gateway.replies, gateway.blacklist,
            lambda: gateway.acknowledgements(campaign_id), lambda: gateway.simulate(texts(2)),
        ]  # fmt: skip
        said, errors = "", ""
        for question in questions:
            if fault:
                server.fail_next(fault)
            try:
                said += repr(question())
            except (SmsAccountRejected, SmsGatewayUnavailable, SmsAnswerUnreadable) as error:
                errors += f"{error!r}{error.__context__!r}{error.__cause__!r}"
    for secret in (API_KEY, json.dumps(API_KEY)[1:-1], API_KEY.replace("&", "&amp;"), "k3y%2Fwith", LOGIN, BASIC):
        assert secret not in said + errors + caplog.text
    assert number(0) not in errors + caplog.text


@pytest.mark.parametrize("api", ["legacy", "rest"])
@pytest.mark.parametrize("scheme", ["http://", "HTTP://", " http://"])
def test_the_key_never_leaves_in_clear_unless_the_connection_says_so(
    server: AllMySmsServer, api: str, scheme: str
) -> None:
    base_url = server.base_url.replace("http://", scheme)
    with OPEN[api](base_url, login_in_clear=False) as gateway:
        for ask in (lambda: gateway.send(texts(1)), gateway.credit, gateway.replies, gateway.blacklist):
            with pytest.raises(SmsAccountRejected, match="en clair") as refused:
                ask()
            assert refused.value.code == "login_in_clear"
            assert API_KEY not in str(refused.value)
    assert server.provider.accepted == []


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


def test_by_rest_the_key_travels_in_a_header_only(server: AllMySmsServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="urllib3")
    with OPEN["rest"](server.base_url + "/") as gateway:
        assert outcomes(gateway.send(texts(2))) == [(S.ACCEPTED, None)] * 2
        assert gateway.credit().unit == "EUR"
    assert '"POST /sms/send/bulk/ HTTP/1.1" 201' in caplog.text
    assert '"GET /account HTTP/1.1" 200' in caplog.text
    assert all(API_KEY not in str(request) for request in server.provider.requests)
