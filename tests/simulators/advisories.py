"""A server of advisories that answers as OSV's `/v1/query` does: what is known of one version of one package."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


class Advisories:
    """`known` is what is wrong with a package, by its name: id, aliases and the versions that mend it."""

    def __init__(self, known: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]]) -> None:
        self.known = known
        self.status = 200
        self.garbled = False
        self.asked: list[tuple[str, str]] = []
        self._server = _Server(("127.0.0.1", 0), self)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1/query"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        """What is known, in OSV's schema 1."""
        name, version = question["package"]["name"], question["version"]
        self.asked.append((name, version))
        if name not in self.known:
            return {}
        ident, aliases, mended = self.known[name]
        events = [{"introduced": "0"}, *({"fixed": one} for one in mended)]
        affected = {
            "package": {"name": name, "ecosystem": question["package"]["ecosystem"]},
            "ranges": [{"type": "ECOSYSTEM", "events": events}],
        }
        hole = {"schema_version": "1.6.0", "id": ident, "aliases": aliases, "summary": "a hole", "affected": [affected]}
        return {"vulns": [hole]}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], advisories: Advisories) -> None:
        super().__init__(address, _Handler)
        self.advisories = advisories


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each answer waits for the acknowledgement of its own head

    def do_POST(self) -> None:
        question = json.loads(self.rfile.read(int(self.headers["content-length"])))
        content = json.dumps(self.server.advisories.answer(question)).encode()
        if self.server.advisories.garbled:
            content = b"<html>a proxy's own page</html>"
        self.send_response(self.server.advisories.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""
