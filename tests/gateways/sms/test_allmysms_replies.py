"""Readers' replies: the provider gives each once, so whatever came is kept."""

from __future__ import annotations

import json

import pytest

from loan_reminders.domain.errors import (
    SmsAccountRejected,
    SmsAnswerUnreadable,
    SmsGatewayUnavailable,
)
from loan_reminders.domain.sms.feedback import SmsRepliesLost
from loan_reminders.gateways.sms.allmysms import AllMySmsGateway
from tests.scenes.sms_requests import OPEN, gateway_to, http, number, texts, wire
from tests.simulators.allmysms_server import AllMySmsServer, Fault


@pytest.mark.parametrize("fault", [Fault.TRUNCATED_JSON, Fault.SHORT_BODY])
def test_replies_cut_short_are_kept_as_far_as_they_came(
    server: AllMySmsServer, gateway: AllMySmsGateway, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    for index in range(4):
        server.provider.reply(number(index), f"réponse {index}")
    server.fail_next(fault)
    *whole, last = gateway.replies()
    assert [(reply.phone_number, reply.text) for reply in whole] == [
        (number(index), f"réponse {index}") for index in range(len(whole))
    ]
    assert len(whole) == (3 if fault is Fault.TRUNCATED_JSON else 1)
    assert (last.phone_number, last.text, last.received_at) == ("", "", None)
    assert last.raw.startswith('{"phoneNumber": "')
    assert "mal reçues d'allmysms" in caplog.text
    assert gateway.replies() == ()


@pytest.mark.parametrize(
    ("body", "raws"),
    [
        (b'{"mos": [{"message": "STOP", "phoneNum', ['{"message": "STOP", "phoneNum']),
        (b'{"mos": [{"message": "a"}, {"message": "b"}', ['{"message": "a"}', '{"message": "b"}']),
        (b'{"mos": [{"message": "a"} {"message": "b"}]}', ['{"message": "a"}', '{"message": "b"}']),
        (b'{"mos": [{"message": "a"}, oops]}', ['{"message": "a"}', "oops]}"]),
        (b'{"answers": [{"message": "a"}]}', ['{"answers": [{"message": "a"}]}']),
        (b'[{"message": "a"}]', ['{"message": "a"}']),
        (b'{"mos": {"message": "a"}}', ['{"message": "a"}']),
        (b'{"mos": [null, "STOP", 5, [1]]}', ["null", "STOP", "5", "[1]"]),
        (b'{"status": "0", "mos": [{"message": "a"}]}', ['{"message": "a"}']),
    ],
)
def test_replies_in_any_shape_are_kept(body: bytes, raws: list[str]) -> None:
    with wire(http(body)) as base_url, gateway_to(base_url) as gateway:
        replies = gateway.replies()
    assert [reply.raw for reply in replies] == raws
    assert len({reply.reply_id for reply in replies}) == len(raws)


@pytest.mark.parametrize("body", [b"{}", b'{"status": "0"}'])
def test_an_answer_that_holds_no_reply_is_an_error(body: bytes) -> None:
    with wire(http(body)) as base_url, gateway_to(base_url) as gateway, pytest.raises(SmsAnswerUnreadable):
        gateway.replies()


@pytest.mark.parametrize("body", [b'{"mos": [', b'{"mo', b"<html>[1]</html>", b""])
def test_an_answer_that_cannot_be_read_may_have_held_replies(body: bytes) -> None:
    with wire(http(body)) as base_url, gateway_to(base_url) as gateway, pytest.raises(SmsRepliesLost):
        gateway.replies()


@pytest.mark.parametrize("fault", [Fault.HTTP_404, Fault.HTTP_429])
def test_a_question_that_was_not_taken_loses_nothing(
    server: AllMySmsServer, gateway: AllMySmsGateway, fault: Fault
) -> None:
    server.provider.reply(number(0), "oui")
    server.fail_next(fault)
    with pytest.raises((SmsAccountRejected, SmsGatewayUnavailable)) as caught:
        gateway.replies()
    assert not isinstance(caught.value, SmsRepliesLost)
    assert len(gateway.replies()) == 1


@pytest.mark.parametrize("api", ["legacy", "rest"])
@pytest.mark.parametrize("numbers", [1, 2])
def test_what_was_answered_to_a_campaign_can_be_asked_again(server: AllMySmsServer, api: str, numbers: int) -> None:
    with OPEN[api](server.base_url) as gateway:
        campaign = gateway.send(texts(numbers))[0].campaign_id
        server.provider.reply(number(0), "rendu")
        once = gateway.replies()
        assert gateway.replies_to(campaign) == gateway.replies_to(campaign) == once
        with pytest.raises(SmsAnswerUnreadable):
            gateway.replies_to("sms:of nobody")


def test_an_answer_that_stalls_before_any_reply_is_an_error() -> None:
    head = b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"mos": ['
    with wire(head) as base_url, gateway_to(base_url) as gateway, pytest.raises(SmsGatewayUnavailable):
        gateway.replies()


def test_an_answer_in_chunks_that_breaks_is_kept_too() -> None:
    first = b'{"mos": [{"id": "1", "message": "oui"}, {"id"'
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(first), first)
    with wire(chunked) as base_url, gateway_to(base_url) as gateway:
        replies = gateway.replies()
    assert [(reply.reply_id, reply.text) for reply in replies[:1]] == [("1", "oui")]
    assert replies[1].raw == '{"id"'


def test_the_same_content_without_an_id_has_the_same_id() -> None:
    ids = []
    for _ in range(2):
        body = http(b'{"mos": [{"phoneNumber": "0639980000", "message": "STOP"}, {"message": "STOP"}]}')
        with wire(body) as base_url, gateway_to(base_url) as gateway:
            ids.append([reply.reply_id for reply in gateway.replies()])
    assert ids[0] == ids[1]
    assert ids[0][0] != ids[0][1]


@pytest.mark.parametrize("api", ["legacy", "rest"])
def test_each_reply_comes_once_with_what_it_answers(server: AllMySmsServer, api: str) -> None:
    with OPEN[api](server.base_url) as gateway:
        gateway.send(texts(2))
        server.provider.reply(number(1), 'STOP "svp" €')
        server.provider.reply("33699999999", "qui est-ce ?")
        known, stranger = gateway.replies()
        assert gateway.replies() == ()
    assert (known.phone_number, known.text) == (number(1), 'STOP "svp" €')
    assert known.campaign_id == server.provider.accepted[0].campaign_id
    assert known.received_at is not None
    assert json.loads(known.raw)["id"] == known.reply_id
    assert (stranger.phone_number, stranger.campaign_id) == ("33699999999", "")


def test_more_replies_than_one_call_takes_come_with_the_next(server: AllMySmsServer, gateway: AllMySmsGateway) -> None:
    for index in range(1001):
        server.provider.reply(number(0), str(index))
    assert [len(gateway.replies()) for _ in range(3)] == [1000, 1, 0]
