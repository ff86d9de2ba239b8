"""The pages in a running Airflow: real log-ins, real sockets, a real browser on another port, and its real logs."""

from __future__ import annotations

import http.server
import shutil
import socket
import subprocess
import threading
import time
import uuid
from contextlib import contextmanager
from html import unescape
from urllib.parse import quote

import pytest
import requests
from fastapi.routing import APIRoute

from loan_reminders.commands.previews import browser
from loan_reminders.web.access import Right
from loan_reminders.web.guard import FOREIGN
from tests.e2e.airflow_api import PATIENCE_S
from tests.scenes.sentences import as_typed

RIGHTS = {
    "personne": set(),
    "lecteur": {Right.SEE},
    "biblio": {Right.SEE, Right.ACT},
    "chef": set(Right),
    "admin": set(Right),
}
SECRET = "0612984375"


@pytest.fixture(scope="module")
def tokens(installation):
    """A session of each user, as Airflow's own log-in gives it."""
    found = {}
    for user in RIGHTS:
        body = {"username": user, "password": installation.passwords[user]}
        answer = requests.post(f"{installation.url}/auth/token", json=body, timeout=60)
        answer.raise_for_status()
        found[user] = answer.json()["access_token"]
    return found


def asked(installation, method, path, token="", **more):
    headers = {"sec-fetch-site": "same-origin", **more.pop("headers", {})}
    cookies = {"_token": token} if token else {}
    address = f"{installation.url}/relances{path}"
    return requests.request(
        method, address, headers=headers, cookies=cookies, timeout=60, allow_redirects=False, **more
    )


def calls():
    from loan_reminders.web.app import create_app

    for route in create_app().routes:
        if isinstance(route, APIRoute):
            path = route.path.replace("{delivery_id}", str(uuid.UUID(int=1)))
            for name in ("batch_id", "volume", "suppression_id"):
                path = path.replace(f"{{{name}}}", "987654")
            for method in route.methods:
                yield method, path, route.right


def raw(installation, head: str, body: bytes = b"", *, wait=True) -> bytes:
    """What a bare socket is told."""
    with socket.create_connection(("127.0.0.1", installation.port), timeout=PATIENCE_S) as line:
        line.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body)
        return line.recv(4096) if wait else b""


def web_log(installation) -> str:
    return (installation.processes.logs / "api-server.log").read_text(encoding="utf-8", errors="replace")


def suppressed(installation) -> int:
    [(count,)] = installation.postgres.execute("SELECT count(*) FROM suppressions", database="ledger")
    return int(count)


def test_airflows_roles_walk_every_route(installation, tokens):
    for method, path, right in calls():
        assert asked(installation, method, path).status_code == 401, (method, path)
        assert asked(installation, method, path, "spoilt").status_code in (401, 403), (method, path)
        for user, token in tokens.items():
            status = asked(installation, method, path, token).status_code
            if right is None or right in RIGHTS[user]:
                assert status in (200, 303, 400, 404, 409), (user, method, path, status)
            else:
                assert status == 403, (user, method, path, status)


def test_a_bearer_token_is_a_log_in_too(installation, tokens):
    headers = {"Authorization": f"Bearer {tokens['biblio']}"}
    address = f"{installation.url}/relances/bureau/npai"
    answer = requests.post(address, headers=headers, data={"reference": "R1-1"}, timeout=60)
    assert (answer.status_code, "Aucune lettre" in unescape(answer.text)) == (400, True)


def test_airflow_frames_the_pages_and_keeps_their_headers(installation, tokens):
    answer = asked(installation, "GET", "/lots", tokens["lecteur"])
    assert "frame-ancestors 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert '/relances/static/relances.css"' in answer.text
    style = asked(installation, "GET", "/static/relances.css", tokens["lecteur"])
    assert (style.status_code, style.headers["content-type"].split(";")[0]) == (200, "text/css")


def test_a_stranger_who_announces_300_megabytes_is_turned_away_at_once(installation):
    began = time.monotonic()
    for length in ("Content-Length: 314572800", "Transfer-Encoding: chunked"):
        head = (
            "POST /relances/recommandes/import HTTP/1.1\nHost: localhost\n"
            f"Content-Type: multipart/form-data; boundary=x\n{length}"
        )
        told = raw(installation, head)
        assert b" 401 " in told.splitlines()[0]
    assert time.monotonic() - began < 20


def test_the_web_servers_log_holds_neither_the_token_nor_a_number(installation, tokens):
    door = f"/relances/rappels-sms/{installation.callback_token}"
    query = f"smsId=1&status=1&phoneNumber=33{SECRET[1:]}"
    for method in ("GET", "PUT", "TRACE", "BREW", "PROPFIND"):
        told = raw(installation, f"{method} {door}?{query} HTTP/1.1\nHost: localhost\nConnection: close")
        # A method that no norm knows is refused by the web server itself.
        assert told.split()[1] == {"GET": b"200", "BREW": b"400"}.get(method, b"405"), told
    cut = f"POST {door} HTTP/1.1\nHost: localhost\nContent-Type: application/x-www-form-urlencoded\nContent-Length: 500"
    raw(installation, cut, b"status=1", wait=False)
    for path in (f"{door}x", f"/relances/RAPPELS-SMS/{installation.callback_token}", f"/relances//rappels-sms/{door}"):
        raw(installation, f"GET {path}?{query} HTTP/1.1\nHost: localhost\nConnection: close")
    token = tokens["biblio"]
    for path, form in (
        ("/desinscriptions/recherche", {"numero": SECRET}), ("/recommandes/recherche", {"q": SECRET}),
        ("/lots/recherche", {"reference": SECRET}), ("/dossier", {"recherche": SECRET}), ("/dossier", {"pret": SECRET}),
        ("/bureau/npai", {"reference": SECRET}), ("/recommandes/numero", {"reference": SECRET, "numero": SECRET}),
        ("/recommandes/suivi", {"numero": SECRET, "suite": SECRET, "jour": SECRET}),
        ("/desinscriptions", {"numero": SECRET, "note": SECRET, "jusqu_au": "x" * 9}),
        ("/lots/987654/retrait", {"lettre": str(uuid.UUID(int=1)), "motif": SECRET}),
    ):  # fmt: skip
        assert asked(installation, "POST", path, token, data=form).status_code < 500
    for path in ("/desinscriptions?numero=", "/lots?reference=", "/recommandes?fait=", "/bureau?npai=", "/x?y="):
        assert asked(installation, "GET", f"{path}{SECRET}", token).status_code < 500
    time.sleep(1)
    log = web_log(installation)
    assert "/relances/desinscriptions/recherche" in log
    assert installation.callback_token not in log
    assert SECRET not in log
    assert SECRET[1:] not in log


@contextmanager
def sibling(installation, token):
    """A site on another port of the same host: a page that posts to ours with the visitor's own session."""
    target = f"{installation.url}/relances/desinscriptions"
    page = (
        f"<form id=f method=post action='{target}'><input name=numero value={SECRET}></form>"
        "<script>document.getElementById('f').submit()</script>"
    )

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(303 if self.path == "/go" else 200)
            if self.path == "/go":
                self.send_header("Location", target)
            # A cookie belongs to a host, whatever the port: this is the session that Airflow's log-in would leave.
            self.send_header("Set-Cookie", f"_token={quote(token)}; Path=/; SameSite=Lax")
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_):
            """Keep quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://localhost:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_a_page_of_another_port_changes_nothing_in_chromium(installation, tokens, tmp_path):
    chromium = browser()
    if not chromium or not shutil.which(chromium):
        pytest.skip("no Chromium is installed: apt-get install chromium")

    def visited(address):
        command = [
            chromium, "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
            f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=20000", "--dump-dom", address,
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        return unescape(done.stdout)

    before = suppressed(installation)
    with sibling(installation, tokens["biblio"]) as other:
        # The session itself is good: the same browser, led to our page, reads it.
        assert "Désinscrire un numéro" in visited(f"{other}/go")
        assert FOREIGN in as_typed(visited(other))
    assert suppressed(installation) == before
    form = {"numero": SECRET}
    answer = asked(installation, "POST", "/desinscriptions", tokens["biblio"], data=form)
    assert answer.status_code == 303
    assert suppressed(installation) == before + 1
