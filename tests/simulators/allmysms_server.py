"""allmysms on this machine: a real HTTP server that answers as the provider's two APIs do, faults included.

In a test: `with AllMySmsServer() as server:`, then `server.base_url`, `server.fail_next(Fault...)`, and what came of it
in `server.provider.accepted`. For the demo: `python -m tests.simulators.allmysms_server --port 8025 --journal
sms.jsonl`; it says its address when it is ready, writes every accepted SMS as a line of JSON, and stops on SIGTERM or
SIGINT. With an address in ALLMYSMS_CALLBACK it pushes receipts there as they come.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import signal
import socket
import sys
import threading
from collections import deque
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from tests.simulators.sms_provider import LEGACY_METHODS, SmsProvider

REST_PATHS = ("/sms/send", "/account", "/report/campaign/", "/ping")


class Fault(StrEnum):
    """What can go wrong with one request. `after_accepting`: the SMS are taken and journalled, the answer is spoilt."""

    SILENCE_AFTER_ACCEPTING = "silence_after_accepting"
    CUT_AFTER_ACCEPTING = "cut_after_accepting"
    HTTP_500_AFTER_ACCEPTING = "http_500_after_accepting"
    HTTP_503_HTML = "http_503_html"
    TRUNCATED_JSON = "truncated_json"
    SHORT_BODY = "short_body"
    EMPTY_BODY = "empty_body"
    IDS_MISSING = "ids_missing"
    ONE_ID_MISSING = "one_id_missing"
    UNKNOWN_CODE = "unknown_code"
    CUT_BEFORE_READING = "cut_before_reading"
    HTTP_404 = "http_404"
    HTTP_429 = "http_429"
    REDIRECT = "redirect"


class AllMySmsServer:
    """The simulated provider on a socket of this machine; `provider` is the account, its money and its SMS."""

    def __init__(self, provider: SmsProvider | None = None, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.provider = provider or SmsProvider()
        self.stopping = threading.Event()
        self._faults: deque[tuple[Fault, str]] = deque()
        self._server = _Server((host, port), self)
        self.base_url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.close_connections()
        self._server.server_close()
        self._thread.join()

    def fail_next(self, fault: Fault, times: int = 1, *, asking: str = "") -> None:
        """Spoil the next requests, or the next of those whose path holds `asking`."""
        self._faults.extend([(fault, asking)] * times)

    def next_fault(self, path: str) -> Fault | None:
        return self._faults.popleft()[0] if self._faults and self._faults[0][1] in path else None


class _Server(ThreadingHTTPServer):
    """Knows its open connections, so that stopping leaves none behind."""

    daemon_threads = False
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], owner: AllMySmsServer) -> None:
        self.owner = owner
        self._open: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def do_POST(self) -> None:
        fault = self.server.owner.next_fault(self.path)
        if fault is Fault.CUT_BEFORE_READING:
            self._cut()
            return
        form = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode("utf-8")
        self._serve(form, fault)

    def do_GET(self) -> None:
        self._serve(urlsplit(self.path).query, self.server.owner.next_fault(self.path))

    def _serve(self, form: str, fault: Fault | None) -> None:
        path = urlsplit(self.path).path
        method = path.removeprefix("/http/9.0").strip("/")
        legacy = path.startswith("/http/9.0/") and method in LEGACY_METHODS
        if fault is Fault.CUT_BEFORE_READING:
            self._cut()
        elif fault is Fault.HTTP_404 or not (legacy or path.startswith(REST_PATHS)):
            self._say(404, b"<html><body>404 Not Found</body></html>")
        elif fault is Fault.HTTP_429:
            self._say(429, b"<html><body>Too Many Requests</body></html>")
        elif fault is Fault.HTTP_503_HTML:
            self._say(503, b"<html><body>Service Unavailable</body></html>")
        elif fault is Fault.REDIRECT:
            self._say(307, b"", location="http://127.0.0.1:9/")
        elif legacy:
            fields = {name: values[-1] for name, values in parse_qs(form, keep_blank_values=True).items()}
            said = self.server.owner.provider.answer(method, fields)
            self._spoil(200, said, fault, echo=f"{fields.get('login')} {fields.get('apiKey')}")
        else:
            who, body = self._basic(), form.encode() if self.command == "POST" else b""
            status, said = self.server.owner.provider.answer_rest(self.command, path.rstrip("/"), who, body)
            self._spoil(status, said, fault, echo=f"{self.headers.get('Authorization')} {who}")

    def _basic(self) -> tuple[str, str] | None:
        """Login and key of the Authorization header."""
        kind, _, coded = self.headers.get("Authorization", "").partition(" ")
        try:
            login, _, key = base64.b64decode(coded, validate=True).decode("utf-8").partition(":")
        except ValueError:
            return None
        return (login, key) if kind == "Basic" else None

    def _spoil(self, status: int, said: dict[str, Any], fault: Fault | None, *, echo: str) -> None:
        content = json.dumps(said).encode()
        if fault is Fault.SILENCE_AFTER_ACCEPTING:
            self.server.owner.stopping.wait()
            self._cut()
        elif fault is Fault.CUT_AFTER_ACCEPTING:
            self._cut()
        elif fault is Fault.HTTP_500_AFTER_ACCEPTING:
            page = f"<html><body><h1>Internal Server Error</h1><pre>{echo} {said}</pre></body></html>"
            self._say(500, page.encode())
        elif fault is Fault.TRUNCATED_JSON:
            self._say(status, content[: len(content) - 20])
        elif fault is Fault.SHORT_BODY:
            self._say(status, content[: len(content) // 2], announced=len(content))
            self._cut()
        elif fault is Fault.EMPTY_BODY:
            self._say(status, b"")
        elif fault is Fault.IDS_MISSING:
            kept = {name: value for name, value in said.items() if name not in {"smsIds", "smsId", "campaignId"}}
            self._say(status, json.dumps(kept).encode())
        elif fault is Fault.ONE_ID_MISSING:
            self._say(status, json.dumps({**said, "smsIds": said["smsIds"][1:]}).encode())
        elif fault is Fault.UNKNOWN_CODE:
            legacy = self.path.startswith("/http/")
            outcome = {"status": "0", "statusText": "Error"} if legacy else {"code": 0, "description": "Error"}
            self._say(status, json.dumps(outcome).encode())
        else:
            self._say(status, content)

    def _say(self, status: int, content: bytes, *, announced: int | None = None, location: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=UTF-8")
        self.send_header("Content-Length", str(len(content) if announced is None else announced))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def _cut(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_: Any) -> None:
        """Keep quiet: the journal says what was taken."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description="A simulated allmysms, API v9.0 and REST. The environment may hold ALLMYSMS_API_KEY, or the name of"
        " a file in ALLMYSMS_API_KEY_FILE, and ALLMYSMS_CALLBACK: receipts are pushed to this address every second; it"
        " must answer OK"
    )
    parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 in a container")
    parser.add_argument("--port", type=int, default=0, help="0: any free port")
    parser.add_argument("--journal", type=Path, help="file that gets one line of JSON for every accepted SMS")
    parser.add_argument("--login", default="bu-demo")
    parser.add_argument("--credits", type=int, default=150_000, help="15 pay for one SMS")
    parser.add_argument("--partial-code", type=int, choices=(100, 113), default=100)
    parser.add_argument("--callback-method", choices=("GET", "POST"), default="GET")
    parser.add_argument("--fault", type=Fault, action="append", default=[], help=f"spoil requests: {', '.join(Fault)}")
    chosen = parser.parse_args()
    callback = os.environ.get("ALLMYSMS_CALLBACK", "")  # its last part is a secret
    key_file = os.environ.get("ALLMYSMS_API_KEY_FILE")
    key = Path(key_file).read_text(encoding="ascii").strip() if key_file else os.environ.get("ALLMYSMS_API_KEY")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    provider = SmsProvider(
        login=chosen.login,
        api_key=key or "demo-api-key",
        credit=chosen.credits,
        journal=chosen.journal,
        partial_code=chosen.partial_code,
    )
    server = AllMySmsServer(provider, host=chosen.host, port=chosen.port)
    for fault in chosen.fault:
        server.fail_next(fault)
    with server:
        sys.stdout.write(f"{server.base_url}\n")
        sys.stdout.flush()
        subscribed = False
        while not stop.wait(1 if callback else None):
            subscribed = subscribed or provider.subscribe(callback, chosen.callback_method)
            if subscribed:
                provider.push_acks(callback, chosen.callback_method)


if __name__ == "__main__":
    main()
