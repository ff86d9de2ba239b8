"""The simulated provider's callbacks and its questions for one SMS or campaign, on real sockets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.scenes.sms_requests import API_KEY, LOGIN, gateway_to, number, texts
from tests.simulators.allmysms_server import AllMySmsServer
from tests.simulators.sms_provider import SmsProvider

OURS = f"{LOGIN}:{API_KEY}"
METHODS = pytest.mark.parametrize("method", ["GET", "POST"])


class Receiver(ThreadingHTTPServer):
    """Takes callbacks; answers with what `says` holds, `OK` once it is empty."""

    daemon_threads = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}/callback/unguessable"
        self.got: list[dict[str, str]] = []
        self.says: list[bytes] = []
        self.first = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_GET(self) -> None:
        self._take(urllib.parse.urlsplit(self.path).query)

    def do_POST(self) -> None:
        self._take(self.rfile.read(int(self.headers["Content-Length"])).decode())

    def _take(self, form: str) -> None:
        self.server.got.append(dict(urllib.parse.parse_qsl(form, keep_blank_values=True)))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.server.says.pop(0) if self.server.says else b"OK\n")
        self.server.first.set()

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def server() -> Iterator[AllMySmsServer]:
    with AllMySmsServer(SmsProvider(login=LOGIN, api_key=API_KEY)) as running:
        with gateway_to(running.base_url) as gateway:
            gateway.send(texts(2))
        yield running


@METHODS
def test_receipts_are_pushed_until_they_are_final(server: AllMySmsServer, receiver: Receiver, method: str) -> None:
    server.provider.fate[number(1)] = 5
    assert [server.provider.push_acks(receiver.url, method) for _ in range(3)] == [[True, True], [True, True], []]
    assert [(said["phoneNumber"], said["status"]) for said in receiver.got] == [
        (number(0), "3"), (number(1), "3"), (number(0), "1"), (number(1), "5"),
    ]  # fmt: skip
    assert receiver.got[0].keys() == {"smsId", "status", "statusText", "receptionDate", "phoneNumber", "campaignId"}
    assert {said["smsId"] for said in receiver.got} == {sms.sms_id for sms in server.provider.accepted}


def test_what_was_not_answered_ok_is_pushed_again(server: AllMySmsServer, receiver: Receiver) -> None:
    receiver.says = [b"KO", b"<html>OK</html>"]
    assert server.provider.push_acks(receiver.url) == [False, False]
    assert server.provider.push_acks("http://127.0.0.1:9/") == [False, False]
    assert server.provider.push_acks(receiver.url, connections=2) == [True, True]
    assert {said["status"] for said in receiver.got} == {"3"}


def test_receipts_are_replayed_and_forged_on_demand(server: AllMySmsServer, receiver: Receiver) -> None:
    assert server.provider.push_acks(receiver.url, replay=True) == []
    server.provider.push_acks(receiver.url)
    server.provider.push_acks(receiver.url, replay=True, status="99", smsId="forged")
    assert [(said["status"], said["smsId"] == "forged") for said in receiver.got] == [("3", False)] * 2 + [
        ("99", True)
    ] * 2


@METHODS
def test_replies_are_pushed_with_the_sms_they_answer(server: AllMySmsServer, receiver: Receiver, method: str) -> None:
    assert server.provider.push_reply(receiver.url, number(0), "Stop svp!! é&=", method, times=2) == [True, True]
    first, again = receiver.got
    assert first == again
    assert (first["message"], first["phoneNumber"], first["smsId"]) == (
        "Stop svp!! é&=", number(0), server.provider.accepted[0].sms_id,
    )  # fmt: skip
    assert first.keys() == {"smsId", "smsMoId", "message", "phoneNumber", "receptionDate", "campaignId"}
    assert server.provider.blacklist == {number(0)}
    assert server.provider.push_reply(receiver.url, "33699999999", "qui ?", method) == [True]
    assert receiver.got[-1]["smsId"] == ""


@METHODS
def test_an_address_is_tried_with_an_unknown_sms(server: AllMySmsServer, receiver: Receiver, method: str) -> None:
    receiver.says = [b"unknown"]
    assert [server.provider.subscribe(receiver.url, method) for _ in range(2)] == [False, True]
    assert receiver.got[0]["smsId"] not in {sms.sms_id for sms in server.provider.accepted}


def test_alone_it_pushes_to_the_address_it_is_given(receiver: Receiver) -> None:
    command = [sys.executable, "-m", "tests.simulators.allmysms_server", "--callback-method", "POST"]
    environment = {**os.environ, "ALLMYSMS_CALLBACK": receiver.url}
    root = Path(__file__).resolve().parents[3]
    with subprocess.Popen(command, cwd=root, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert receiver.first.wait(timeout=10)
        finally:
            process.terminate()
        assert process.wait(timeout=10) == 0
    assert receiver.got[0]["campaignId"] == "test"


def call(server: AllMySmsServer, method: str, **fields: str) -> dict[str, Any]:
    body = urllib.parse.urlencode({"login": LOGIN, "apiKey": API_KEY, **fields}).encode()
    with urllib.request.urlopen(f"{server.base_url}/http/9.0/{method}/", body) as answer:
        said: dict[str, Any] = json.load(answer)
        return said


def test_one_sms_and_one_campaign_can_be_asked_for_again_and_again(server: AllMySmsServer) -> None:
    sms = server.provider.accepted[0]
    mo = server.provider.reply(number(0), "oui")
    assert [call(server, "getPull", campId=sms.campaign_id)["mos"] for _ in range(2)] == [[mo], [mo]]
    assert call(server, "getPullBySmsId", smsId=sms.sms_id) == mo
    assert call(server, "getPullBySmsId", smsId="x")["status"] == "0"
    assert [call(server, "getAckBySmsId", smsId=sms.sms_id)["statut"] for _ in range(2)] == ["3", "1"]
    assert call(server, "getAcks", campId="x")["status"] == "0"


@pytest.mark.parametrize(
    ("path", "who", "body", "status", "code"),
    [
        ("/account", "", None, 401, 102),
        ("/account", "Bearer x", None, 401, 102),
        ("/account", "Basic ?", None, 401, 102),
        ("/account", f"{LOGIN}:guess", None, 403, 102),
        ("/account", OURS, None, 200, 100),
        ("/ping/", OURS, None, 200, 100),
        ("/report/campaign/none", OURS, None, 404, 0),
        ("/sms/send/", OURS, {"to": "0612345678", "text": "a"}, 201, 100),
        (
            "/sms/send/",
            f"{LOGIN}:{API_KEY}",
            {"to": "0612345678", "text": "a", "date": "2999-01-01 10:00:00"},
            201,
            101,
        ),
        ("/sms/send/", OURS, {"to": "0612345678", "text": "a", "date": "demain"}, 400, 115),
        ("/sms/send/", OURS, {"to": ["0612345678"], "text": "a"}, 400, 109),
        ("/sms/send/bulk/", OURS, {"to": [], "text": "a"}, 400, 109),
        ("/sms/send/bulk/", OURS, {"to": ["0612345678"], "text": "a"}, 201, 100),
        ("/sms/send/bulk/", OURS, [], 400, 115),
    ],
)
def test_the_rest_api_says_what_it_is_known_to_say(
    server: AllMySmsServer, path: str, who: str, body: Any, status: int, code: int
) -> None:
    basic = f"Basic {b64encode(who.encode()).decode()}" if ":" in who else who
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{server.base_url}{path}", data, {"Authorization": basic} if who else {})
    try:
        with urllib.request.urlopen(request) as answer:
            got, said = answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            got, said = error.code, json.load(error)
    assert (got, said["code"]) == (status, code)


def test_rest_fills_in_its_own_form_of_parameters(server: AllMySmsServer) -> None:
    document = {"text": "RDV #param1# #param_1#", "to": [{"mobilePhone": number(5), "param1": "lundi"}]}
    who = f"Basic {b64encode(f'{LOGIN}:{API_KEY}'.encode()).decode()}"
    data = json.dumps(document).encode()
    request = urllib.request.Request(f"{server.base_url}/sms/send/bulk/", data, {"Authorization": who})
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 201
    assert server.provider.accepted[-1].text == "RDV lundi #param_1#"
