"""Questions about the account, by both APIs: credit, receipts, blacklist, quotes; unhappy answers first."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from loan_reminders.domain.errors import SmsAccountRejected, SmsAnswerUnreadable, SmsGatewayUnavailable, SmsTextRefused
from loan_reminders.domain.sms.feedback import AckStatus, SmsCredit, SmsRepliesLost
from loan_reminders.gateways.sms.allmysms import AllMySmsGateway
from loan_reminders.gateways.sms.allmysms_rest import AllMySmsRestGateway
from tests.scenes.sms_requests import OPEN, http, number, texts, wire
from tests.simulators.allmysms_server import AllMySmsServer, Fault

Gateway = AllMySmsGateway | AllMySmsRestGateway
Question = Callable[[Gateway], Any]
QUESTIONS: dict[str, Question] = {
    "credit": lambda gateway: gateway.credit(),
    "acknowledgements": lambda gateway: gateway.acknowledgements("ap_1"),
    "acknowledgement": lambda gateway: gateway.acknowledgements("sms:1"),
    "replies": lambda gateway: gateway.replies(),
    "blacklist": lambda gateway: gateway.blacklist(),
    "simulate": lambda gateway: gateway.simulate(texts(2)),
    "simulate_one": lambda gateway: gateway.simulate(texts(1)),
}
APIS = pytest.mark.parametrize("api", ["legacy", "rest"])
EVERY_QUESTION = pytest.mark.parametrize("question", QUESTIONS)


@APIS
@EVERY_QUESTION
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.SILENCE_AFTER_ACCEPTING, SmsGatewayUnavailable),
        (Fault.CUT_AFTER_ACCEPTING, SmsGatewayUnavailable),
        (Fault.CUT_BEFORE_READING, SmsGatewayUnavailable),
        (Fault.HTTP_500_AFTER_ACCEPTING, SmsGatewayUnavailable),
        (Fault.HTTP_503_HTML, SmsGatewayUnavailable),
        (Fault.HTTP_429, SmsGatewayUnavailable),
        (Fault.SHORT_BODY, SmsGatewayUnavailable),
        (Fault.TRUNCATED_JSON, SmsAnswerUnreadable),
        (Fault.EMPTY_BODY, SmsAnswerUnreadable),
        (Fault.UNKNOWN_CODE, SmsAnswerUnreadable),
        (Fault.HTTP_404, SmsAccountRejected),
        (Fault.REDIRECT, SmsAccountRejected),
    ],
)
def test_a_question_without_a_clear_answer_is_an_error_that_says_which(
    server: AllMySmsServer, api: str, question: str, fault: Fault, error: type[Exception]
) -> None:
    server.fail_next(fault)
    if (api, question, fault) == ("rest", "acknowledgements", Fault.HTTP_404):
        error = SmsAnswerUnreadable  # an unknown campaign is not found either
    if question == "replies" and fault in (Fault.TRUNCATED_JSON, Fault.EMPTY_BODY):
        error = SmsRepliesLost  # what is given once may have been in it
    with OPEN[api](server.base_url) as gateway, pytest.raises(error, match="question « ") as caught:
        QUESTIONS[question](gateway)
    assert "SMS de cette demande" not in str(caught.value)
    assert server.provider.accepted == []


@APIS
@EVERY_QUESTION
@pytest.mark.parametrize(
    "body",
    [b"<html>maintenance</html>", b"null", b"true", b'"ok"', b"100", b"{}", b'{"status": "0", "code": 0}', b"\xff\xfe"],
)
def test_an_answer_that_says_nothing_is_unreadable(api: str, question: str, body: bytes) -> None:
    may_hold_replies = question == "replies" and body in (b"<html>maintenance</html>", b"null", b"\xff\xfe")
    error = SmsRepliesLost if may_hold_replies else SmsAnswerUnreadable
    with wire(http(body)) as base_url, OPEN[api](base_url) as gateway, pytest.raises(error):
        QUESTIONS[question](gateway)


@APIS
@EVERY_QUESTION
def test_a_wrong_key_stops_every_question(server: AllMySmsServer, api: str, question: str) -> None:
    with OPEN[api](server.base_url, api_key="guess") as gateway, pytest.raises(SmsAccountRejected) as caught:
        QUESTIONS[question](gateway)
    assert caught.value.code == "102"


@APIS
@EVERY_QUESTION
def test_nobody_at_the_address_is_temporary(api: str, question: str) -> None:
    with OPEN[api]("http://allmysms.invalid") as gateway, pytest.raises(SmsGatewayUnavailable, match="injoignable"):
        QUESTIONS[question](gateway)


@APIS
@pytest.mark.parametrize(
    "amount", [None, "", "abc", "NaN", "1e999", "1 847", "12.5.1", True, [], {}, "9" * 500, "-", "1_000"]
)
def test_a_credit_that_is_no_number_is_not_a_credit(api: str, amount: object) -> None:
    said = {"status": "Active Account", "code": 100, "credits": amount, "balance": amount, "nbSms": 12}
    with (
        wire(http(json.dumps(said).encode())) as base_url,
        OPEN[api](base_url) as gateway,
        pytest.raises(SmsAnswerUnreadable, match="crédit du compte"),
    ):
        gateway.credit()


@pytest.mark.parametrize(
    ("kind", "said", "expected"),
    [
        ("legacy", {"status": "Active Account", "credits": "1847"}, (123, 1847.0, "credits")),
        ("legacy", {"credits": 29, "nbSms": "n/a"}, (1, 29.0, "credits")),
        ("legacy", {"credits": "300", "nbSms": "18"}, (18, 300.0, "credits")),
        ("legacy", {"credits": "0"}, (0, 0.0, "credits")),
        ("legacy", {"credits": "-30"}, (0, -30.0, "credits")),
        ("rest", {"code": 100, "balance": 2.81, "nbSms": 56}, (56, 2.81, "EUR")),
        ("rest", {"balance": "12,5", "nbSms": "250"}, (250, 12.5, "EUR")),
    ],
)
def test_credit_is_read_as_it_comes(kind: str, said: dict[str, Any], expected: tuple[int, float, str]) -> None:
    with wire(http(json.dumps(said).encode())) as base_url, OPEN[kind](base_url) as gateway:
        credit = gateway.credit()
    assert (credit.segments, credit.amount, credit.unit) == expected


def test_euros_without_a_count_of_sms_say_nothing_of_segments() -> None:
    body = http(b'{"code": 100, "balance": 3.5}')
    with wire(body) as base_url, OPEN["rest"](base_url) as gateway, pytest.raises(SmsAnswerUnreadable):
        gateway.credit()


def test_credit_goes_down_by_what_is_sent(server: AllMySmsServer) -> None:
    server.provider.credit = 150
    with OPEN["legacy"](server.base_url) as legacy, OPEN["rest"](server.base_url) as rest:
        legacy.send(texts(3))
        assert legacy.credit() == SmsCredit(segments=7, amount=105.0, unit="credits")
        assert rest.credit() == SmsCredit(segments=7, amount=0.35, unit="EUR")


@APIS
def test_receipts_are_on_their_way_then_final(server: AllMySmsServer, api: str) -> None:
    server.provider.fate = {number(1): 2, number(2): 4, number(3): 5, number(4): 9, number(5): 3}
    with OPEN[api](server.base_url) as gateway:
        campaign_id = gateway.send(texts(6))[0].campaign_id
        first, second = gateway.acknowledgements(campaign_id), gateway.acknowledgements(campaign_id)
        assert gateway.acknowledgements("") == ()
    assert [ack.status for ack in first] == [AckStatus.ON_ITS_WAY] * 6
    assert [ack.status for ack in second] == [
        AckStatus.DELIVERED, AckStatus.NOT_DELIVERED, AckStatus.REFUSED, AckStatus.REJECTED, AckStatus.UNKNOWN,
        AckStatus.ON_ITS_WAY,
    ]  # fmt: skip
    assert [ack.phone_number for ack in second] == [number(index) for index in range(6)]
    assert {(ack.campaign_id, ack.sms_id) for ack in second} == {(campaign_id, "")}
    assert (second[0].comment, second[4].comment) == ("Delivered", "Unknown")
    received = second[0].received_at
    assert received is not None
    assert abs(received - datetime.now(UTC)) < timedelta(minutes=2)


@pytest.mark.parametrize("asked_of", ["legacy", "rest"])
def test_an_sms_that_went_without_a_campaign_is_asked_for_by_its_own_id(server: AllMySmsServer, asked_of: str) -> None:
    server.provider.fate[number(0)] = 5
    with OPEN["rest"](server.base_url) as sending, OPEN[asked_of](server.base_url) as asking:
        (receipt,) = sending.send(texts(1))
        asking.acknowledgements(receipt.campaign_id)
        (ack,) = asking.acknowledgements(receipt.campaign_id)
    assert (ack.sms_id, ack.phone_number, ack.status) == (receipt.provider_id, number(0), AckStatus.REJECTED)
    assert ack.campaign_id == receipt.campaign_id


@APIS
def test_an_unknown_campaign_is_no_empty_one(server: AllMySmsServer, api: str) -> None:
    with OPEN[api](server.base_url) as gateway, pytest.raises(SmsAnswerUnreadable):
        gateway.acknowledgements("../ap_unknown?x=1")


@APIS
def test_receipts_for_unknown_numbers_and_without_sense_all_come_back(api: str) -> None:
    listed = [
        {"phoneNumber": "+33 6 99 99 99 99", "statut": 1, "code": 1, "receptionDate": "2014-07-19 11:40:35"},
        {
            "phoneNumber": "0639980000",
            "statut": "new",
            "code": "new",
            "comment": "a\0b \ud800",
            "receptionDate": "hier",
        },
        {"statut": "3", "code": "3"},
        {"phoneNumber": {"a": 1}, "statut": None, "code": None},
        None,
        "33639980001",
        7,
    ]
    body = json.dumps({"acks": listed, "code": 100, "reports": listed}).encode()
    with wire(http(body)) as base_url, OPEN[api](base_url) as gateway:
        acks = gateway.acknowledgements("ap_1")
    unknown = AckStatus.UNKNOWN
    assert [(ack.phone_number, ack.status) for ack in acks] == [
        ("33699999999", AckStatus.DELIVERED), (number(0), unknown), ("", AckStatus.ON_ITS_WAY), ("", unknown),
        ("", unknown), ("", unknown), ("", unknown),
    ]  # fmt: skip
    assert acks[0].received_at == datetime(2014, 7, 19, 11, 40, 35, tzinfo=timezone(timedelta(hours=2)))
    assert acks[1].received_at is None
    assert (acks[1].comment, acks[5].raw) == ("ab \ufffd", "33639980001")
    assert all(ack.raw.encode() and "\0" not in ack.raw for ack in acks)


@APIS
@pytest.mark.parametrize("empty", ["[]", "null", '""', "{}"])
def test_no_receipt_yet_is_an_empty_list(api: str, empty: str) -> None:
    with (
        wire(http(b'{"acks": %s, "reports": %s}' % ((empty.encode(),) * 2))) as base_url,
        OPEN[api](base_url) as gateway,
    ):
        assert gateway.acknowledgements("ap_1") == ()


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2014-01-19 11:40:35", "2014-01-19T11:40:35+01:00"),
        ("2014-07-19T11:40:35", "2014-07-19T11:40:35+02:00"),
        ("2014-07-19T11:40:35Z", "2014-07-19T13:40:35+02:00"),
        ("0000-00-00 00:00:00", None),
        ("", None),
        (None, None),
        (1400000000, None),
        ("0001-01-01T00:00:00+14:00", None),
    ],
)
def test_dates_without_a_zone_are_in_paris_unless_said(written: object, expected: str | None) -> None:
    body = http(json.dumps({"blacklist": [{"phoneNumber": number(0), "receptionDate": written}]}).encode())
    with wire(body) as base_url, OPEN["legacy"](base_url) as gateway:
        (entry,) = gateway.blacklist()
    assert (entry.received_at and entry.received_at.isoformat()) == expected
    with wire(body) as base_url, OPEN["legacy"](base_url, zone=UTC) as gateway:
        (entry,) = gateway.blacklist()
    assert entry.received_at is None or entry.received_at.utcoffset() == timedelta(0)


@APIS
def test_who_said_stop_is_on_the_blacklist_and_is_refused(server: AllMySmsServer, api: str) -> None:
    server.provider.blacklist.add(number(2))
    with OPEN[api](server.base_url) as gateway:
        gateway.send(texts(2))
        server.provider.reply(number(0), "Stop svp!!")
        server.provider.reply(number(1), "ne plus STOP")
        listed = gateway.blacklist()
        refused = [receipt.state.value for receipt in gateway.send(texts(3))]
    assert [(entry.phone_number, entry.comment) for entry in listed] == [(number(0), "stop"), (number(2), "Refused")]
    assert refused == ["refused", "accepted", "refused"]


def test_a_line_of_the_blacklist_without_a_number_is_said_and_left_out(caplog: pytest.LogCaptureFixture) -> None:
    body = json.dumps({"blacklist": [{"comment": "stop"}, None, {"phoneNumber": "0639980001"}, 33639980002]}).encode()
    with wire(http(body)) as base_url, OPEN["legacy"](base_url) as gateway:
        assert [entry.phone_number for entry in gateway.blacklist()] == [number(1), number(2)]
    assert "lignes sans numéro : 2" in caplog.text


@APIS
@pytest.mark.parametrize(("text", "segments"), [("a" * 160, 1), ("a" * 161, 2), ("ê" * 71, 2)])
def test_a_quote_counts_segments_and_sends_nothing(server: AllMySmsServer, api: str, text: str, segments: int) -> None:
    server.provider.dead.add(number(1))
    with OPEN[api](server.base_url) as gateway:
        assert gateway.simulate(texts(3, text=text)) == 2 * segments
        assert gateway.simulate(texts(1, text=text)) == segments
        assert gateway.simulate([]) == 0
        assert gateway.simulate(texts(2)[1:]) == 0
        with pytest.raises(SmsTextRefused, match="refuse le texte"):
            gateway.simulate(texts(2, text=" "))
        with pytest.raises(ValueError, match="one request"):
            gateway.simulate([*texts(1), *texts(1)])
    assert (server.provider.accepted, server.provider.credit) == ([], 150_000)


@pytest.mark.parametrize(("said", "segments"), [('113, "nbSms": "4"', 4), ('100, "nbCredits": 45', 3)])
def test_a_quote_is_read_as_it_comes(said: str, segments: int) -> None:
    with wire(http(b'{"status": %s}' % said.encode())) as base_url, OPEN["legacy"](base_url) as gateway:
        assert gateway.simulate(texts(2)) == segments


@pytest.mark.parametrize("said", ['"nbSms": "x"', '"nbSms": -1', '"nbSms": 1.5', '"nbCredits": 7'])
def test_a_quote_that_is_no_count_is_unreadable(said: str) -> None:
    with (
        wire(http(b'{"status": 100, %s}' % said.encode())) as base_url,
        OPEN["legacy"](base_url) as gateway,
        pytest.raises(SmsAnswerUnreadable, match="coût de la campagne"),
    ):
        gateway.simulate(texts(2))
