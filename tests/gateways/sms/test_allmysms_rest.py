"""SMS by the REST API against a provider on a real socket; unhappy answers first."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from loan_reminders.domain.errors import SmsAccountRejected, SmsGatewayUnavailable
from loan_reminders.domain.states import DeliveryState, Reason
from loan_reminders.gateways.sms.allmysms_rest import AllMySmsRestGateway
from tests.scenes.sms_requests import TAKEN_WITHOUT_A_CLEAR_ANSWER, TEXT, http, number, outcomes, rest_to, texts, wire
from tests.simulators.allmysms_server import AllMySmsServer, Fault

S = DeliveryState
ACCEPTED, INVALID = (S.ACCEPTED, None), (S.REFUSED, Reason.INVALID_RECIPIENT)
DOUBT = (S.IN_DOUBT, Reason.UNREADABLE_ANSWER)


@pytest.fixture
def gateway(server: AllMySmsServer) -> Iterator[AllMySmsRestGateway]:
    with rest_to(server.base_url) as opened:
        yield opened


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        *TAKEN_WITHOUT_A_CLEAR_ANSWER,
        (Fault.UNKNOWN_CODE, Reason.UNREADABLE_ANSWER),
    ],
)
def test_sms_taken_without_a_clear_answer_are_in_doubt_and_not_sent_again(
    server: AllMySmsServer, gateway: AllMySmsRestGateway, fault: Fault, reason: Reason, count: int
) -> None:
    server.fail_next(fault)
    messages = texts(count)
    receipts = gateway.send(messages)
    assert outcomes(receipts) == [(S.IN_DOUBT, reason)] * count
    assert (len(server.provider.accepted), len(server.provider.requests)) == (count, 1)
    assert all(messages[0].delivery_id.hex[:12] in receipt.raw for receipt in receipts)


@pytest.mark.parametrize(
    ("wrong", "code"), [({"login": "somebody"}, "102"), ({"api_key": "guess"}, "102"), ({"api_key": ""}, "102")]
)
def test_a_wrong_login_or_key_stops_the_run(server: AllMySmsServer, wrong: dict[str, str], code: str) -> None:
    with rest_to(server.base_url, **wrong) as gateway, pytest.raises(SmsAccountRejected, match="aucun SMS") as caught:
        gateway.send(texts(2))
    assert caught.value.code == code
    assert server.provider.accepted == []


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("401 Unauthorized", "Vérifier l'identifiant et la clé"),
        ("403 Forbidden", "Vérifier l'identifiant et la clé"),
        ("400 Bad Request", "ne comprend pas la demande"),
        ("422 Unprocessable Entity", "ne comprend pas la demande"),
        ("404 Not Found", "Pas d'API allmysms à cette adresse"),
        ("307 Temporary Redirect", "Pas d'API allmysms à cette adresse"),
    ],
)
@pytest.mark.parametrize("body", [b"<html>no</html>", b'{"code": 9999, "description": "new"}', b""])
def test_a_refusal_by_http_stops_the_run_whatever_its_body(status: str, words: str, body: bytes) -> None:
    with wire(http(body, status)) as base_url, rest_to(base_url) as gateway:
        with pytest.raises(SmsAccountRejected, match=words) as caught:
            gateway.send(texts(2))
        assert caught.value.code == f"http_{status[:3]}"


@pytest.mark.parametrize(("credit", "code"), [(0, "103"), (44, "104")])
def test_too_little_credit_sends_nothing(
    server: AllMySmsServer, gateway: AllMySmsRestGateway, credit: int, code: str
) -> None:
    server.provider.credit = credit
    with pytest.raises(SmsAccountRejected, match=r"aucun SMS .* Acheter du crédit") as caught:
        gateway.send(texts(3))
    assert (caught.value.code, server.provider.accepted) == (code, [])


def test_too_many_requests_is_temporary(server: AllMySmsServer, gateway: AllMySmsRestGateway) -> None:
    server.fail_next(Fault.HTTP_429)
    with pytest.raises(SmsGatewayUnavailable, match="aucun SMS de cette demande n'est parti"):
        gateway.send(texts(2))


@pytest.mark.parametrize(("text", "code"), [("  ", 110), ("a" * 1225, 111)])
@pytest.mark.parametrize("count", [1, 2])
def test_a_text_that_is_refused_is_refused_for_everybody(
    gateway: AllMySmsRestGateway, text: str, code: int, count: int
) -> None:
    receipts = gateway.send(texts(count, text=text))
    assert outcomes(receipts) == [(S.REFUSED, Reason.MESSAGE_REFUSED)] * count
    assert json.loads(receipts[0].raw)["code"] == code


@pytest.mark.parametrize("count", [1, 2])
def test_numbers_all_invalid_are_refused(server: AllMySmsServer, gateway: AllMySmsRestGateway, count: int) -> None:
    server.provider.dead |= {number(0), number(1)}
    assert outcomes(gateway.send(texts(count))) == [INVALID] * count


SEVERAL = {"code": 100, "campaignId": "c1", "invalidNumbers": number(0), "nbContacts": 2, "nbSms": 2, "cost": 0.1}


@pytest.mark.parametrize(
    ("status", "changes", "expected"),
    [
        ("201 Created", {}, [INVALID, ACCEPTED, ACCEPTED]),
        ("201 Created", {"code": "101", "nbContacts": None}, [INVALID, ACCEPTED, ACCEPTED]),
        ("200 OK", {}, [INVALID, DOUBT, DOUBT]),
        ("500 Oops", {}, [INVALID, DOUBT, DOUBT]),
        ("201 Created", {"campaignId": ""}, [INVALID, DOUBT, DOUBT]),
        ("201 Created", {"nbContacts": 1}, [INVALID, DOUBT, DOUBT]),
        ("201 Created", {"nbContacts": "3"}, [INVALID, DOUBT, DOUBT]),
        ("201 Created", {"code": 113}, [INVALID, DOUBT, DOUBT]),
        ("201 Created", {"code": 104}, [DOUBT, DOUBT, DOUBT]),
        ("201 Created", {"code": 116}, [DOUBT, DOUBT, DOUBT]),
        ("201 Created", {"smsIds": [{"phoneNumber": number(2), "smsId": "x"}]}, [INVALID, DOUBT, ACCEPTED]),
        ("201 Created", {"smsIds": [{"phoneNumber": number(0), "smsId": "x"}]}, [DOUBT, DOUBT, DOUBT]),
    ],
)
def test_what_an_answer_about_several_numbers_means(
    status: str, changes: dict[str, object], expected: list[tuple[S, Reason | None]]
) -> None:
    said = json.dumps({**SEVERAL, **changes}).encode()
    with wire(http(said, status)) as base_url, rest_to(base_url) as gateway:
        assert outcomes(gateway.send(texts(3))) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"code": 100, "smsId": "a"}, ACCEPTED),
        ({"code": 100, "smsIds": [{"phoneNumber": number(0), "smsId": "a"}]}, ACCEPTED),
        ({"code": 100}, DOUBT),
        ({"code": 100, "campaignId": "c1", "nbContacts": 1}, DOUBT),
        ({"code": 100, "smsId": "a", "invalidNumbers": number(0)}, DOUBT),
        ({"code": 100, "invalidNumbers": number(0)}, INVALID),
        ({"smsId": "a"}, DOUBT),
        ({"success": True, "status": 100}, DOUBT),
    ],
)
def test_what_an_answer_about_one_number_means(said: dict[str, object], expected: tuple[S, Reason | None]) -> None:
    with wire(http(json.dumps(said).encode(), "201 Created")) as base_url, rest_to(base_url) as gateway:
        assert outcomes(gateway.send(texts(1))) == [expected]


@pytest.mark.parametrize("bulk_ids", [False, True])
def test_refused_numbers_do_not_shift_the_others(
    server: AllMySmsServer, gateway: AllMySmsRestGateway, bulk_ids: bool
) -> None:
    server.provider.bulk_ids = bulk_ids
    server.provider.blacklist.add(number(0))
    server.provider.dead.add(number(3))
    receipts = gateway.send(texts(5))
    assert outcomes(receipts) == [INVALID, ACCEPTED, ACCEPTED, INVALID, ACCEPTED]
    ids = {sms.phone_number: sms.sms_id for sms in server.provider.accepted} if bulk_ids else {}
    assert [receipt.provider_id for receipt in receipts] == [ids.get(number(index), "") for index in range(5)]
    assert {receipt.campaign_id for receipt in receipts} == {server.provider.accepted[0].campaign_id}
    assert [(receipt.segments, receipt.cost) for receipt in receipts] == [
        (0, 0.0), (1, 0.05), (1, 0.05), (0, 0.0), (1, 0.05),
    ]  # fmt: skip


def test_one_sms_has_its_id_and_what_the_provider_was_asked(
    server: AllMySmsServer, gateway: AllMySmsRestGateway
) -> None:
    messages = texts(1)
    (receipt,) = gateway.send(messages)
    (sms,) = server.provider.accepted
    assert (receipt.state, receipt.provider_id, receipt.campaign_id) == (S.ACCEPTED, sms.sms_id, f"sms:{sms.sms_id}")
    assert (receipt.segments, receipt.cost) == (1, 0.05)
    assert (sms.phone_number, sms.text, sms.sender_asked, sms.sender_shown) == (
        number(0), TEXT, "BU Montclar", "BU Montclar",
    )  # fmt: skip
    assert sms.campaign_name == f"RELANCES-{messages[0].delivery_id.hex[:12]}"
    assert server.provider.requests[0]["path"] == "/sms/send"


@pytest.mark.parametrize("cost", [15, 1, "1,00", -0.05, None, "x"])
def test_what_no_segment_ever_cost_is_no_price(cost: object) -> None:
    said = json.dumps({"code": 100, "smsId": "a", "nbSms": 1, "cost": cost, "creditsUsed": 45}).encode()
    with wire(http(said, "201 Created")) as base_url, rest_to(base_url) as gateway:
        (receipt,) = gateway.send(texts(1))
    assert (receipt.state, receipt.segments, receipt.cost) == (S.ACCEPTED, 1, 0.0)


@pytest.mark.parametrize("text", ["a < b & c > d \"e\" 'f' \\ {}", "€ [] é è Ç Δ\nfin", "100 % + 5 = &amp; #param_2"])
@pytest.mark.parametrize("count", [1, 2])
def test_any_text_arrives_as_it_is(server: AllMySmsServer, gateway: AllMySmsRestGateway, text: str, count: int) -> None:
    gateway.send(texts(count, text=text))
    assert [(sms.phone_number, sms.text) for sms in server.provider.accepted] == [
        (number(index), text) for index in range(count)
    ]


def test_the_provider_s_count_of_segments_wins_and_a_difference_is_logged(
    gateway: AllMySmsRestGateway, caplog: pytest.LogCaptureFixture
) -> None:
    receipts = gateway.send(texts(2, text="Vos prêts STOP au 36180 " + "x" * 60))
    assert [receipt.segments for receipt in receipts] == [2, 2]
    assert "allmysms compte 4 segments" in caplog.text


def test_other_readers_numbers_are_not_kept_with_an_answer() -> None:
    said = {"code": 100, "campaignId": "c1", "description": f"sent to {number(1)}"}
    with wire(http(json.dumps(said).encode(), "201 Created")) as base_url, rest_to(base_url) as gateway:
        first, second = gateway.send(texts(2))
    assert number(1) not in first.raw + second.raw
    assert json.loads(first.raw)["description"] == "sent to [number]"
