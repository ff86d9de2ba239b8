"""The SMS gateway against a provider on a real socket: every answer it gives."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from loan_reminders.domain.errors import SmsAccountRejected
from loan_reminders.domain.messages import RenderedText
from loan_reminders.domain.recipients import MobileNumber
from loan_reminders.domain.states import DeliveryState, Reason
from loan_reminders.gateways.sms.allmysms import AllMySmsGateway
from loan_reminders.gateways.sms.allmysms_answer import Answer, Secrets
from loan_reminders.gateways.sms.allmysms_receipts import read_answer
from tests.scenes.sms_requests import API_KEY, LOGIN, TEXT, gateway_to, http, number, outcomes, texts, wire
from tests.simulators.allmysms_server import AllMySmsServer

S = DeliveryState


@pytest.mark.parametrize("wrong", [{"login": "somebody"}, {"api_key": "guess"}])
def test_a_wrong_login_or_key_stops_the_run(server: AllMySmsServer, wrong: dict[str, str]) -> None:
    with gateway_to(server.base_url, **wrong) as gateway, pytest.raises(SmsAccountRejected) as caught:
        gateway.send(texts(2))
    assert caught.value.code == "102"
    assert server.provider.accepted == []


@pytest.mark.parametrize(("credit", "code"), [(0, "103"), (44, "104")])
def test_too_little_credit_stops_the_run_and_says_to_buy_some(
    server: AllMySmsServer, gateway: AllMySmsGateway, credit: int, code: str
) -> None:
    server.provider.credit = credit
    with pytest.raises(SmsAccountRejected, match=r"aucun SMS .* Acheter du crédit") as caught:
        gateway.send(texts(3))
    assert caught.value.code == code
    assert server.provider.accepted == []


@pytest.mark.parametrize("code", [102, 103, 104, 105, 106, 107, 108, 109, 112, 115, 118])
@pytest.mark.parametrize("form", ['{"status": %d}', '{"status": "%d", "smsIds": [], "invalidNumbers": ""}'])
def test_a_request_refused_whole_stops_the_run(code: int, form: str) -> None:
    with wire(http((form % code).encode())) as base_url, gateway_to(base_url) as gateway:
        with pytest.raises(SmsAccountRejected) as caught:
            gateway.send(texts(2))
        assert caught.value.code == str(code)


@pytest.mark.parametrize("code", [110, 111, 117])
def test_a_text_that_is_refused_is_refused_for_everybody(code: int) -> None:
    with wire(http(b'{"status": %d}' % code)) as base_url, gateway_to(base_url) as gateway:
        assert outcomes(gateway.send(texts(2))) == [(S.REFUSED, Reason.MESSAGE_REFUSED)] * 2


@pytest.mark.parametrize(("text", "code"), [("  ", 110), ("a" * 1225, 111)])
def test_the_simulated_provider_refuses_such_texts(gateway: AllMySmsGateway, text: str, code: int) -> None:
    receipts = gateway.send(texts(1, text=text))
    assert outcomes(receipts) == [(S.REFUSED, Reason.MESSAGE_REFUSED)]
    assert json.loads(receipts[0].raw)["status"] == code


def test_numbers_all_invalid_are_refused(server: AllMySmsServer, gateway: AllMySmsGateway) -> None:
    server.provider.dead |= {number(0), number(1)}
    assert outcomes(gateway.send(texts(2))) == [(S.REFUSED, Reason.INVALID_RECIPIENT)] * 2


@pytest.mark.parametrize("partial_code", [100, 113])
def test_refused_numbers_do_not_shift_the_ids_of_the_others(
    server: AllMySmsServer, gateway: AllMySmsGateway, partial_code: int
) -> None:
    server.provider.partial_code = partial_code
    server.provider.blacklist.add(number(0))
    server.provider.dead.add(number(3))
    receipts = gateway.send(texts(5))
    refused, accepted = (S.REFUSED, Reason.INVALID_RECIPIENT), (S.ACCEPTED, None)
    assert outcomes(receipts) == [refused, accepted, accepted, refused, accepted]
    ids = {sms.phone_number: sms.sms_id for sms in server.provider.accepted}
    assert [receipt.provider_id for receipt in receipts] == ["", ids[number(1)], ids[number(2)], "", ids[number(4)]]


def test_some_numbers_invalid_without_their_list_leaves_the_others_in_doubt() -> None:
    body = b'{"status": 113, "invalidNumbers": "33639980001", "smsIds": [{"phoneNumber": "33639980002", "smsId": "a"}]}'
    with wire(http(body)) as base_url, gateway_to(base_url) as gateway:
        assert outcomes(gateway.send(texts(3))) == [
            (S.IN_DOUBT, Reason.UNREADABLE_ANSWER),
            (S.REFUSED, Reason.INVALID_RECIPIENT),
            (S.ACCEPTED, None),
        ]


def test_an_sms_whose_id_is_missing_is_paid_for_like_the_others() -> None:
    body = b"""{"status": 100, "nbSms": "3", "creditsUsed": "45", "invalidNumbers": "33639980001",
        "smsIds": [{"phoneNumber": "33639980000", "smsId": "a"}, {"phoneNumber": "33639980003", "smsId": "b"}]}"""
    with wire(http(body)) as base_url, gateway_to(base_url) as gateway:
        receipts = gateway.send(texts(4))
    assert [receipt.state for receipt in receipts] == [S.ACCEPTED, S.REFUSED, S.IN_DOUBT, S.ACCEPTED]
    assert [receipt.segments for receipt in receipts] == [1, 0, 1, 1]


def test_a_rejection_that_carries_ids_does_not_hide_what_was_sent() -> None:
    body = b'{"status": 104, "smsIds": [{"phoneNumber": "33639980000", "smsId": "a"}]}'
    with wire(http(body)) as base_url, gateway_to(base_url) as gateway:
        assert outcomes(gateway.send(texts(2))) == [(S.ACCEPTED, None), (S.IN_DOUBT, Reason.UNREADABLE_ANSWER)]


def test_accepted_sms_have_their_id_and_their_segments_and_no_euros_that_nobody_told(
    server: AllMySmsServer, gateway: AllMySmsGateway
) -> None:
    messages = texts(4)
    receipts = gateway.send(messages)
    assert outcomes(receipts) == [(S.ACCEPTED, None)] * 4
    taken = server.provider.accepted
    assert [sms.phone_number for sms in taken] == [message.recipient.value for message in messages]
    assert [receipt.provider_id for receipt in receipts] == [sms.sms_id for sms in taken]
    assert [(receipt.segments, receipt.cost) for receipt in receipts] == [(1, 0.0)] * 4
    assert {sms.campaign_name for sms in taken} == {f"RELANCES-{messages[0].delivery_id.hex[:12]}"}
    assert gateway.send([]) == ()
    assert len(server.provider.requests) == 1


def test_the_provider_s_count_of_segments_wins_and_a_difference_is_logged(
    server: AllMySmsServer, gateway: AllMySmsGateway, caplog: pytest.LogCaptureFixture
) -> None:
    receipts = gateway.send(texts(2, text="Vos prêts STOP au 36180 " + "x" * 60))
    assert [receipt.segments for receipt in receipts] == [2, 2]
    assert "allmysms compte 4 segments" in caplog.text


@pytest.mark.parametrize(
    ("text", "shown"),
    [(TEXT, "BU Montclar"), ("Sans la mention", "36180")],
)
def test_the_sender_s_name_is_asked_for(
    server: AllMySmsServer, gateway: AllMySmsGateway, text: str, shown: str
) -> None:
    gateway.send(texts(1, text=text))
    assert [(sms.sender_asked, sms.sender_shown) for sms in server.provider.accepted] == [("BU Montclar", shown)]


@pytest.mark.parametrize(
    "text",
    [
        "a < b & c > d \"e\" 'f' ]]> <!-- -->",
        "<SMS><MOBILEPHONE>33639980099</MOBILEPHONE></SMS>",
        "100 % + 5 = &amp; €{}[]~|^\\ #param_2",
        "é è à ù É Ç ñ ß @ £ $ ¥ Δ Ω",
        "deux\nlignes",
    ],
)
def test_any_text_arrives_as_it_is(server: AllMySmsServer, gateway: AllMySmsGateway, text: str) -> None:
    receipts = gateway.send(texts(2, text=text))
    assert outcomes(receipts) == [(S.ACCEPTED, None)] * 2
    assert [sms.text for sms in server.provider.accepted] == [text, text]
    assert [sms.phone_number for sms in server.provider.accepted] == [number(0), number(1)]


@pytest.mark.parametrize("written", ["33639980000", "+33639980000", "0033639980000", "0639980000", "06 39 98 00 00"])
def test_numbers_are_recognised_however_the_answer_writes_them(written: str) -> None:
    says = {"status": "100", "smsIds": [{"phoneNumber": written, "smsId": 330792}], "nbSms": 1, "creditsUsed": "15"}
    refuses = {"status": 100, "invalidNumbers": f"{written}|33639980077|", "smsIds": None}
    secrets = Secrets(login=LOGIN, api_key=API_KEY)
    (accepted,) = read_answer(Answer.of(200, json.dumps(says).encode()), texts(1), campaign="C", secrets=secrets)
    (refused,) = read_answer(Answer.of(200, json.dumps(refuses).encode()), texts(1), campaign="C", secrets=secrets)
    assert (accepted.state, accepted.provider_id, accepted.cost) == (S.ACCEPTED, "330792", 0.0)
    assert (refused.state, refused.reason) == (S.REFUSED, Reason.INVALID_RECIPIENT)


def test_counts_that_do_not_divide_are_not_made_up_and_doubt_costs_its_part() -> None:
    ids = [{"phoneNumber": number(index), "smsId": f"id{index}"} for index in range(3)]
    says = {"status": 100, "nbSms": "5", "creditsUsed": "45", "invalidNumbers": number(2), "smsIds": ids}
    secrets = Secrets(login=LOGIN, api_key=API_KEY)
    found = read_answer(Answer.of(200, json.dumps(says).encode()), texts(3), campaign="C", secrets=secrets)
    assert [(receipt.state, receipt.segments) for receipt in found] == [
        (S.ACCEPTED, 1), (S.ACCEPTED, 1), (S.IN_DOUBT, 1),
    ]  # fmt: skip
    assert found[2].provider_id == "id2"


REUNION, MARTINIQUE = "262692123456", "596696201234"


@pytest.mark.parametrize(
    ("numbers", "said", "segments"),
    [
        ([REUNION], {"nbSms": 1, "creditsUsed": 45}, [3]),
        ([REUNION], {"creditsUsed": "45"}, [3]),
        ([REUNION, MARTINIQUE], {"nbSms": 2, "creditsUsed": 90}, [3, 3]),
        ([number(0), REUNION, number(1)], {"nbSms": 3, "creditsUsed": 75}, [1, 3, 1]),
        ([REUNION, number(0), MARTINIQUE], {"nbSms": 3, "creditsUsed": 90}, [3, 1, 2]),
        ([number(0), number(1)], {"nbSms": 2, "creditsUsed": 60}, [2, 2]),
        ([REUNION], {"nbSms": 1, "creditsUsed": 20}, [1]),
        ([REUNION], {"nbSms": 2, "creditsUsed": 15}, [2]),
        ([REUNION], {"nbSms": 1, "creditsUsed": 15 * 256}, [1]),
        ([REUNION], {"nbSms": 1, "creditsUsed": -45}, [1]),
    ],
)
def test_what_costs_the_credits_of_several_segments_counts_for_several(
    numbers: list[str], said: dict[str, object], segments: list[int]
) -> None:
    messages = [
        replace(one, recipient=MobileNumber(value=to)) for one, to in zip(texts(len(numbers)), numbers, strict=True)
    ]
    ids = [{"phoneNumber": to, "smsId": to} for to in numbers]
    answer = Answer.of(200, json.dumps({"status": 100, "smsIds": ids, **said}).encode())
    found = read_answer(answer, messages, campaign="C", secrets=Secrets(login=LOGIN, api_key=API_KEY))
    assert [(one.state, one.segments, one.cost) for one in found] == [(S.ACCEPTED, many, 0.0) for many in segments]


@pytest.mark.parametrize("credits_used", ["", "abc", "NaN", None, "-", "1e999"])
def test_an_unreadable_cost_spoils_nothing(credits_used: str | None) -> None:
    says = {"status": 100, "creditsUsed": credits_used, "smsIds": {"phoneNumber": number(0), "smsId": "a"}}
    answer = Answer.of(200, b"\xef\xbb\xbf" + json.dumps(says).encode())
    (receipt,) = read_answer(answer, texts(1), campaign="C", secrets=Secrets(login=LOGIN, api_key=API_KEY))
    assert (receipt.state, receipt.cost, receipt.segments) == (S.ACCEPTED, 0.0, 1)


@pytest.mark.parametrize(
    "messages",
    [
        [*texts(1), *texts(2, text="Autre texte")[1:]],
        [texts(1)[0], texts(1)[0]],
    ],
)
def test_a_request_carries_one_text_and_each_number_once(
    server: AllMySmsServer, gateway: AllMySmsGateway, messages: list[RenderedText]
) -> None:
    with pytest.raises(ValueError, match="one request"):
        gateway.send(messages)
    assert server.provider.requests == []
