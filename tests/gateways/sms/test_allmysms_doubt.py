"""What is not known is in doubt and never sent again; what never left is for a later try."""

from __future__ import annotations

import socket

import pytest

from loan_reminders.domain.errors import SmsAccountRejected, SmsGatewayUnavailable
from loan_reminders.domain.states import DeliveryState, Reason
from loan_reminders.gateways.sms.allmysms import AllMySmsGateway
from loan_reminders.gateways.sms.allmysms_answer import RAW_LIMIT
from tests.scenes.sms_requests import TAKEN_WITHOUT_A_CLEAR_ANSWER, gateway_to, http, outcomes, texts, wire
from tests.simulators.allmysms_server import AllMySmsServer, Fault

S = DeliveryState


@pytest.mark.parametrize(("fault", "reason"), TAKEN_WITHOUT_A_CLEAR_ANSWER)
def test_sms_taken_without_a_clear_answer_are_in_doubt_and_not_sent_again(
    server: AllMySmsServer, gateway: AllMySmsGateway, fault: Fault, reason: Reason
) -> None:
    server.fail_next(fault)
    messages = texts(3)
    receipts = gateway.send(messages)
    assert outcomes(receipts) == [(S.IN_DOUBT, reason)] * 3
    assert [receipt.delivery_id for receipt in receipts] == [message.delivery_id for message in messages]
    assert len(server.provider.accepted) == 3
    assert len(server.provider.requests) == 1
    assert {receipt.segments for receipt in receipts} == {1}
    assert all(messages[0].delivery_id.hex[:12] in receipt.raw for receipt in receipts)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault.HTTP_503_HTML, Reason.UNREADABLE_ANSWER),
        (Fault.CUT_BEFORE_READING, Reason.NO_ANSWER),
    ],
)
def test_what_only_the_provider_knows_not_to_be_sent_is_in_doubt(
    server: AllMySmsServer, gateway: AllMySmsGateway, fault: Fault, reason: Reason
) -> None:
    server.fail_next(fault)
    assert outcomes(gateway.send(texts(2))) == [(S.IN_DOUBT, reason)] * 2
    assert server.provider.accepted == []


def test_a_reset_after_the_request_leaves_it_in_doubt() -> None:
    with wire(None) as base_url, gateway_to(base_url) as gateway:
        assert outcomes(gateway.send(texts(1))) == [(S.IN_DOUBT, Reason.NO_ANSWER)]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"100"',
        b"100",
        b"{}",
        b'{"status": null}',
        b'{"status": true}',
        b'{"status": "0", "statusText": "Error"}',
        b'{"status": 116}',
        b'{"status": "Active Account"}',
        b'{"status": 999, "smsIds": []}',
        b'{"status": 100, "smsIds": "none"}',
        b'{"status": 100, "smsIds": [null, 1, {"smsId": "x"}]}',
        b'{"status": 100, "smsIds": [{"phoneNumber": "33639980077", "smsId": "of-somebody-else"}]}',
        b'{"status": 100, "smsIds": [{"phoneNumber": "33639980000", "smsId": ""}]}',
        b'{"status": 100, "invalidNumbers": "33639980077", "smsIds": []}',
        b'{"status": 100, "invalidNumbers": "33639980000", "smsIds": [{"phoneNumber": "33639980000", "smsId": "a"}]}',
        b'{"status": 0, "invalidNumbers": "33639980000"}',
        b"\xff\xfe\x00",
        b'{"status": 116, "statusText": "\\u0000\\ud800"}',
        b"[" * 100_000,
    ],
)
def test_an_answer_that_says_nothing_of_a_message_leaves_it_in_doubt(body: bytes) -> None:
    with wire(http(body)) as base_url, gateway_to(base_url) as gateway:
        (receipt,) = gateway.send(texts(1))
    assert (receipt.state, receipt.reason) == (S.IN_DOUBT, Reason.UNREADABLE_ANSWER)
    assert len(receipt.raw) <= RAW_LIMIT
    assert "\0" not in receipt.raw.encode().decode()


def test_a_request_that_http_calls_late_is_in_doubt() -> None:
    with wire(http(b"<html>late</html>", "408 Request Timeout")) as base_url, gateway_to(base_url) as gateway:
        assert outcomes(gateway.send(texts(1))) == [(S.IN_DOUBT, Reason.UNREADABLE_ANSWER)]


def test_a_duplicate_is_never_made_by_the_client_s_own_retries(server: AllMySmsServer) -> None:
    server.fail_next(Fault.CUT_AFTER_ACCEPTING, times=5)
    with gateway_to(server.base_url) as gateway:
        gateway.send(texts(1))
    assert len(server.provider.requests) == 1


def test_a_refused_connection_is_temporary_and_nothing_left() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with (
        gateway_to(f"http://127.0.0.1:{port}") as gateway,
        pytest.raises(SmsGatewayUnavailable, match="aucun SMS de cette demande n'est parti"),
    ):
        gateway.send(texts(1))


def test_an_unknown_host_is_temporary_and_nothing_left() -> None:
    with (
        gateway_to("http://allmysms.invalid") as gateway,
        pytest.raises(SmsGatewayUnavailable, match="aucun SMS de cette demande n'est parti"),
    ):
        gateway.send(texts(1))


def test_a_connection_that_never_opens_is_temporary_and_nothing_left() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        with (
            socket.create_connection(full.getsockname()),
            gateway_to(f"http://127.0.0.1:{full.getsockname()[1]}", connect_timeout_s=0.2) as gateway,
            pytest.raises(SmsGatewayUnavailable, match=r"injoignable \(ConnectTimeout"),
        ):
            gateway.send(texts(1))


def test_tls_that_cannot_be_agreed_is_temporary_and_nothing_left() -> None:
    """The server speaks HTTP where HTTPS is asked: the key never leaves, so nothing is in doubt."""
    with AllMySmsServer() as plain, gateway_to(plain.base_url.replace("http:", "https:")) as gateway:
        with pytest.raises(SmsGatewayUnavailable, match="aucun SMS de cette demande n'est parti"):
            gateway.send(texts(1))
        assert plain.provider.requests == []


def test_too_many_requests_is_temporary(server: AllMySmsServer, gateway: AllMySmsGateway) -> None:
    server.fail_next(Fault.HTTP_429)
    with pytest.raises(SmsGatewayUnavailable, match=r"ralentir \(HTTP 429\).*Nouvel essai automatique"):
        gateway.send(texts(1))
    assert outcomes(gateway.send(texts(1))) == [(S.ACCEPTED, None)]


@pytest.mark.parametrize(("fault", "code"), [(Fault.HTTP_404, "http_404"), (Fault.REDIRECT, "http_307")])
def test_an_address_without_the_api_stops_the_run(
    server: AllMySmsServer, gateway: AllMySmsGateway, fault: Fault, code: str
) -> None:
    server.fail_next(fault)
    with pytest.raises(SmsAccountRejected, match="Vérifier host, port et schema de la connexion Airflow") as caught:
        gateway.send(texts(1))
    assert caught.value.code == code
    assert server.provider.accepted == []


@pytest.mark.parametrize(
    ("said", "http_status"),
    [('{"status": 404, "error": "Not Found"}', "404 Not Found"), ("<html>no</html>", "403 Forbidden")],
)
def test_a_refusal_by_http_stops_the_run_whatever_its_body(said: str, http_status: str) -> None:
    with (
        wire(http(said.encode(), http_status)) as base_url,
        gateway_to(base_url) as gateway,
        pytest.raises(SmsAccountRejected),
    ):
        gateway.send(texts(1))
