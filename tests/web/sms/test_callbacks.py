"""The provider's door: what is answered OK is kept; replayed, forged, oversized and flooding callbacks do no harm."""

from __future__ import annotations

import asyncio
import time
import uuid

import pytest

from loan_reminders.domain.states import DeliveryState, Reason
from loan_reminders.settings.library_toml import settings
from tests.bench.callbacks import burst, receipts
from tests.scenes.ledger_runs import rows
from tests.scenes.ledger_sms import NUMBER, in_force, left, moment, state
from tests.web.client import DOOR, TOKEN, TestClient, browsing, connection_to

METHODS = pytest.mark.parametrize("method", ["GET", "POST"])
STRANGER = "33639989999"


@pytest.fixture
def ledger(ledger_url):
    from loan_reminders.ledger.connect import connect

    with connect(ledger_url, library=settings().library.code) as opened:
        yield opened


@pytest.fixture(autouse=True)
def installed(monkeypatch, postgres_server, ledger_database):
    monkeypatch.setenv("AIRFLOW_CONN_REMINDERS_LEDGER", connection_to(postgres_server, ledger_database))
    monkeypatch.setenv("REMINDERS_SMS_CALLBACK_TOKEN", TOKEN)


def call(client, method, fields, path=DOOR):
    if method == "GET":
        return client.get(path, params=fields)
    return client.post(path, data=fields)


def ack(status="1", number=NUMBER, *, sms_id="id-1", campaign="ap_1", **more):
    said = {"smsId": sms_id, "status": status, "statusText": "x", "phoneNumber": number, "campaignId": campaign}
    return {**said, "receptionDate": f"{moment(0).astimezone(settings().zone):%Y-%m-%d %H:%M:%S}", **more}


def reply(message, number=NUMBER, *, reply_id="32154"):
    said = {"smsMoId": reply_id, "smsId": "id-1", "message": message, "phoneNumber": number, "campaignId": "ap_1"}
    return {**said, "receptionDate": f"{moment(0).astimezone(settings().zone):%Y-%m-%d %H:%M:%S}"}


def told_ok(answer):
    return answer.status_code == 200 and answer.text == "OK"


@METHODS
def test_a_receipt_is_answered_ok_kept_and_settled(ledger, method):
    sms = left(ledger, sms_id="id-1")
    with browsing("") as client:
        assert told_ok(call(client, method, ack("3")))
        assert told_ok(call(client, method, ack("1")))
    assert state(ledger, sms) == ("delivered", None)
    assert rows(ledger, "SELECT count(*) FROM sms_acks") == [(2,)]


@METHODS
def test_a_stop_is_answered_ok_and_puts_the_number_on_the_list(ledger, method):
    with browsing("") as client:
        assert told_ok(call(client, method, reply("Stop svp!! é&=")))
    assert in_force(ledger) == {NUMBER: "stop"}
    assert rows(ledger, "SELECT text FROM sms_replies") == [("Stop svp!! é&=",)]


@METHODS
def test_a_replayed_callback_changes_nothing(ledger, method):
    sms = left(ledger, sms_id="id-1")
    with browsing("") as client:
        assert all(told_ok(call(client, method, fields)) for fields in [ack("5"), reply("STOP")] * 5)
    assert rows(ledger, "SELECT count(*) FROM sms_acks") == [(1,)]
    assert rows(ledger, "SELECT count(*) FROM sms_replies") == [(1,)]
    assert state(ledger, sms) == ("bounced", "recipient_refused")
    assert len(ledger.feedback().suppressions()) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"foo": "bar"},
        {"status": "1"},
        ack("1", "33600000000", sms_id="00000000-0000-0000-0000-000000000000", campaign="test"),
        ack("5", STRANGER, sms_id="unknown"),
        ack("99", sms_id="unknown"),
        ack("5", NUMBER, sms_id="forged", campaign="ap_forged"),
        ack("abc", "'; DROP TABLE deliveries; --", sms_id="<script>", receptionDate="yesterday"),
        ack("1", "\x00", sms_id="\ufffd" * 100),
        {"message": ""},
    ],
)
@METHODS
def test_the_providers_trial_and_what_is_unknown_or_forged_are_answered_ok_and_move_nothing(ledger, method, fields):
    sms = left(ledger, sms_id="id-1")
    with browsing("") as client:
        assert told_ok(call(client, method, fields))
    assert state(ledger, sms) == ("accepted", None)
    assert in_force(ledger) == {}


def test_a_push_settles_a_doubt(ledger):
    sms = left(ledger, state=DeliveryState.IN_DOUBT, reason=Reason.NO_ANSWER, campaign="")
    with browsing("") as client:
        assert told_ok(call(client, "POST", ack("1", sms_id="never-told", campaign="ap_never_told")))
    assert state(ledger, sms) == ("delivered", None)


@pytest.mark.parametrize(
    "path",
    [
        "/rappels-sms/",
        "/rappels-sms",
        "/rappels-sms/wrong",
        f"/rappels-sms/{TOKEN[:-1]}",
        f"/rappels-sms/{TOKEN}x",
        f"/rappels-sms/{TOKEN}/",
        f"/rappels-sms/{TOKEN.upper()}",
        "/rappels-sms/%ff%fe",
    ],
)
@METHODS
def test_another_path_is_not_found_and_nothing_is_kept(ledger, method, path):
    with browsing("") as client:
        assert call(client, method, ack(), path).status_code == 404
    assert rows(ledger, "SELECT count(*) FROM sms_acks") == [(0,)]


@pytest.mark.parametrize("token", ["", "short", "x" * 23])
def test_without_a_long_enough_token_there_is_no_door(monkeypatch, token):
    monkeypatch.setenv("REMINDERS_SMS_CALLBACK_TOKEN", token)
    with browsing("") as client:
        assert call(client, "GET", ack(), f"/rappels-sms/{token}").status_code == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_refused(method):
    with browsing("") as client:
        assert client.request(method, DOOR).status_code == 405


def test_oversized_callbacks_are_refused_as_soon_as_they_are_too_large(ledger):
    def endless():
        for _ in range(100):
            sent.append(1)
            yield b"message=" + b"x" * 4096

    sent: list[int] = []
    with browsing("") as client:
        assert client.post(DOOR, data={"message": "x" * 20_000}).status_code == 413
        assert client.post(DOOR, content=endless()).status_code == 413
        assert client.get(DOOR, params={"message": "x" * 20_000}).status_code == 413
        assert client.post(DOOR, content=b"&".join(b"a=1" for _ in range(60))).status_code == 400
        assert told_ok(client.post(DOOR, data={"message": "x" * 10_000, "smsMoId": "1"}))
    assert rows(ledger, "SELECT count(*), max(length(text)) FROM sms_replies") == [(1, 2_000)]


def test_a_flood_is_refused_before_it_reaches_the_ledger(ledger, monkeypatch):
    monkeypatch.setenv("REMINDERS_SMS_CALLBACK_PER_SECOND", "0.001")
    monkeypatch.setenv("REMINDERS_SMS_CALLBACK_BURST", "5")
    with browsing("") as client:
        codes = [call(client, "GET", ack(sms_id=f"id-{number}")).status_code for number in range(20)]
    assert codes == [200] * 5 + [429] * 15
    assert rows(ledger, "SELECT count(*) FROM sms_acks") == [(5,)]


@pytest.mark.parametrize("wrong", ["0", "-1", "many", "nan"])
def test_a_limit_that_is_none_is_told(monkeypatch, wrong):
    from loan_reminders.domain.errors import SettingsError

    monkeypatch.setenv("REMINDERS_SMS_CALLBACK_PER_SECOND", wrong)
    with pytest.raises(SettingsError, match="REMINDERS_SMS_CALLBACK_PER_SECOND"), browsing(""):
        pass


@METHODS
def test_what_cannot_be_kept_is_not_answered_ok(monkeypatch, tmp_path, method, caplog):
    import json

    gone = {"conn_type": "postgres", "login": "postgres", "schema": "ledger", "extra": {"host": str(tmp_path)}}
    monkeypatch.setenv("AIRFLOW_CONN_REMINDERS_LEDGER", json.dumps(gone))
    with browsing("") as client:
        answer = call(client, method, ack())
    assert (answer.status_code, "OK" in answer.text) == (503, False)
    assert NUMBER not in caplog.text
    assert TOKEN not in caplog.text


def test_without_a_connection_to_the_ledger_nothing_is_answered_ok(monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_REMINDERS_LEDGER")
    with browsing("") as client:
        assert call(client, "GET", ack()).status_code == 503


def test_neither_path_nor_query_are_left_for_the_access_log():
    from loan_reminders.web.app import create_app

    app = create_app()
    seen = []

    async def logging_app(scope, receive, send):
        try:
            await app(scope, receive, send)
        finally:
            if scope["type"] == "http":
                seen.append(str({name: scope[name] for name in ("path", "raw_path", "query_string")}))

    paths = (
        DOOR,
        f"/rappels-sms/{TOKEN}x",
        f"/Rappels-SMS/{TOKEN}",
        f"//rappels-sms/{TOKEN}",
        f"/x/rappels-sms/{TOKEN}",
    )
    with TestClient(logging_app) as client:
        for path in paths:
            for method in ("GET", "PUT", "TRACE", "BREW"):
                client.request(method, path, params=ack(sms_id=str(uuid.uuid4())))
        client.get("/lots", params={"reference": NUMBER})
    assert len(seen) == 21
    assert all(TOKEN not in line and NUMBER not in line for line in seen)


def test_a_body_cut_short_is_refused_and_leaves_nothing_behind(ledger, caplog):
    """The web server says in the middle of a body that the caller went away."""
    from loan_reminders.web.app import create_app

    told = []
    messages = iter([{"type": "http.request", "body": b"status=1", "more_body": True}, {"type": "http.disconnect"}])

    async def receive():
        return next(messages)

    async def send(message):
        told.append(message)

    path = DOOR.encode()
    scope = {
        "type": "http", "method": "POST", "path": DOOR, "raw_path": path, "query_string": b"", "headers": [],
        "root_path": "", "scheme": "http", "server": ("testserver", 80), "client": ("192.0.2.1", 1),
        "http_version": "1.1",
    }  # fmt: skip
    asyncio.run(create_app()(scope, receive, send))
    assert told[0]["status"] == 400
    assert TOKEN not in str(scope["path"]) + caplog.text
    assert rows(ledger, "SELECT count(*) FROM sms_acks") == [(0,)]


@pytest.mark.parametrize(
    "number", ["", "0493000000", "33493000000", "12", "99999999999999", "33600000000", "447700900123", "abc", "0033"]
)
@METHODS
def test_a_stop_of_what_is_no_mobile_of_ours_changes_nothing(ledger, method, number):
    with browsing("") as client:
        assert told_ok(call(client, method, reply("STOP", number)))
    assert in_force(ledger) == {}
    assert rows(ledger, "SELECT count(*) FROM sms_replies") == [(0,)]


@pytest.mark.parametrize("missing", ["smsId", "phoneNumber"])
@pytest.mark.parametrize("value", ["", " ", None])
@METHODS
def test_a_receipt_names_its_sms_and_its_number(ledger, method, missing, value):
    sms = left(ledger, sms_id="id-1")
    said = {**ack("5"), missing: value}
    with browsing("") as client:
        assert told_ok(call(client, method, {name: one for name, one in said.items() if one is not None}))
    assert state(ledger, sms) == ("accepted", None)
    assert rows(ledger, "SELECT count(*) FROM sms_acks") == [(0,)]


@pytest.mark.parametrize(
    "date",
    ["0001-01-01 00:00:00", "1979-12-31 00:00:00", "9999-12-31 23:59:59", "2999-01-01 00:00:00", "tomorrow", "\x00"],
)
@METHODS
def test_a_date_that_cannot_be_is_unknown(ledger, method, date):
    with browsing("") as client:
        assert told_ok(call(client, method, ack("1", sms_id="id-9", receptionDate=date)))
        assert told_ok(call(client, method, {**reply("STOP"), "receptionDate": date}))
    assert (
        rows(ledger, "SELECT received_at FROM sms_acks UNION ALL SELECT received_at FROM sms_replies") == [(None,)] * 2
    )
    assert in_force(ledger) == {NUMBER: "stop"}


@pytest.mark.parametrize(
    ("networks", "host", "status"),
    [
        ("", "203.0.113.9", 200),
        ("192.0.2.0/24", "192.0.2.7", 200),
        ("192.0.2.0/24, 198.51.100.7", "198.51.100.7", 200),
        ("192.0.2.0/24,2001:db8::/32", "2001:db8::1", 200),
        ("192.0.2.0/24", "::ffff:192.0.2.7", 200),
        ("192.0.2.0/24", "203.0.113.9", 404),
        ("192.0.2.0/24", "testclient", 404),
        ("2001:db8::/32", "192.0.2.7", 404),
    ],
)
def test_only_networks_of_the_list_may_call(monkeypatch, networks, host, status):
    from loan_reminders.web.app import create_app

    monkeypatch.setenv("REMINDERS_SMS_CALLBACK_NETWORKS", networks)
    with TestClient(create_app(), client=(host, 50_000)) as client:
        assert client.get(DOOR).status_code == status


def test_a_network_that_is_none_is_told_at_the_start(monkeypatch):
    from loan_reminders.domain.errors import SettingsError
    from loan_reminders.web.app import create_app

    monkeypatch.setenv("REMINDERS_SMS_CALLBACK_NETWORKS", "chez allmysms")
    with pytest.raises(SettingsError, match="REMINDERS_SMS_CALLBACK_NETWORKS"):
        create_app()


def test_a_burst_of_10_000_is_kept_whole_in_bounded_time(postgres_server, ledger_database):
    began = time.monotonic()
    found = burst(postgres_server, ledger_database, 10_000)
    assert (found.said_ok, found.kept, found.lost) == (10_000, 10_000, 0)
    assert time.monotonic() - began < 90


@METHODS
def test_none_answered_ok_is_lost_when_the_process_is_killed(postgres_server, ledger_database, method):
    found = burst(postgres_server, ledger_database, 4_000, kill_after_s=1.0, method=method)
    assert found.lost == 0
    assert 0 < found.said_ok < 4_000


def test_receipts_are_told_apart():
    assert len({one["smsId"] for one in receipts(100)}) == 100
