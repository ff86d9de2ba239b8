"""Who may call the address of the SMS provider, by which request, and what the web server's log knows of it."""

from __future__ import annotations

import asyncio
import uuid

import pytest

from tests.scenes.ledger_runs import rows
from tests.scenes.ledger_sms import NUMBER
from tests.scenes.sms_callbacks import METHODS, ack, call, told_ok
from tests.web.client import CALLBACKS, TOKEN, TestClient, browsing

pytestmark = pytest.mark.usefixtures("installed")


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
def test_without_a_long_enough_token_there_is_no_such_address(monkeypatch, token):
    monkeypatch.setenv("REMINDERS_SMS_CALLBACK_TOKEN", token)
    with browsing("") as client:
        assert call(client, "GET", ack(), f"/rappels-sms/{token}").status_code == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_refused(method):
    with browsing("") as client:
        assert client.request(method, CALLBACKS).status_code == 405


def test_oversized_callbacks_are_refused_as_soon_as_they_are_too_large(ledger):
    def endless():
        for _ in range(100):
            sent.append(1)
            yield b"message=" + b"x" * 4096

    sent: list[int] = []
    with browsing("") as client:
        assert client.post(CALLBACKS, data={"message": "x" * 20_000}).status_code == 413
        assert client.post(CALLBACKS, content=endless()).status_code == 413
        assert client.get(CALLBACKS, params={"message": "x" * 20_000}).status_code == 413
        assert client.post(CALLBACKS, content=b"&".join(b"a=1" for _ in range(60))).status_code == 400
        assert told_ok(client.post(CALLBACKS, data={"message": "x" * 10_000, "smsMoId": "1", "phoneNumber": NUMBER}))
    assert rows(ledger, "SELECT count(*), max(length(text)) FROM sms_replies") == [(1, 2_000)]


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
        CALLBACKS,
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

    path = CALLBACKS.encode()
    scope = {
        "type": "http", "method": "POST", "path": CALLBACKS, "raw_path": path, "query_string": b"", "headers": [],
        "root_path": "", "scheme": "http", "server": ("testserver", 80), "client": ("192.0.2.1", 1),
        "http_version": "1.1",
    }  # fmt: skip
    asyncio.run(create_app()(scope, receive, send))
    assert told[0]["status"] == 400
    assert TOKEN not in str(scope["path"]) + caplog.text
    assert rows(ledger, "SELECT count(*) FROM sms_acks") == [(0,)]


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
        assert client.get(CALLBACKS).status_code == status


def test_a_network_that_is_none_is_told_at_the_start(monkeypatch):
    from loan_reminders.domain.errors import SettingsError
    from loan_reminders.web.app import create_app

    monkeypatch.setenv("REMINDERS_SMS_CALLBACK_NETWORKS", "chez allmysms")
    with pytest.raises(SettingsError, match="REMINDERS_SMS_CALLBACK_NETWORKS"):
        create_app()
