"""Every route of the pages, taken from the router itself: its right, four roles and a stranger, hostile values."""

from __future__ import annotations

import uuid

import pytest
from fastapi.routing import APIRoute

from loan_reminders.settings.library_toml import settings
from loan_reminders.web.access import Right
from loan_reminders.web.guard import FOREIGN, GuardedRoute
from tests.web.client import browsing, connection_to

DOOR = "/rappels-sms/{token:path}"
ROLES = {
    "": None,
    "personne": set(),
    "lecteur": {Right.SEE},
    "biblio": {Right.SEE, Right.ACT},
    "admin": set(Right),
}
SEEN = {("GET", "/"), ("GET", "/lots"), ("GET", "/static/relances.css")}
ADMINISTERED = {("GET", "/installation")}
HOSTILE = (
    "\x00", "a\x00b", "x" * 10_000, "-1", "0", "9" * 40, "9" * 5_000, "1e400", "9999-12-31", "0001-01-01",
    "2026-02-30", "\ud800", "\u202e\u0000", "<script>alert(1)</script>", "'; DROP TABLE letters; --", "%00", "é" * 200,
    "../../etc/passwd", "{{ 7 * 7 }}", " ", "\r\n\r\nSet-Cookie: a=b",
)  # fmt: skip


def routes():
    from loan_reminders.web.app import create_app

    return [route for route in create_app().routes if getattr(route, "path", "") != DOOR]


def calls(route):
    path = route.path.replace("{delivery_id}", str(uuid.UUID(int=1)))
    for name in ("batch_id", "volume", "suppression_id"):
        path = path.replace(f"{{{name}}}", "1")
    return [(method, path) for method in route.methods]


@pytest.fixture(autouse=True)
def installed(monkeypatch, postgres_server, ledger_database, tmp_path):
    monkeypatch.setenv("AIRFLOW_CONN_REMINDERS_LEDGER", connection_to(postgres_server, ledger_database))
    monkeypatch.setenv("REMINDERS_STORAGE", str(tmp_path / "letters"))
    monkeypatch.delenv("REMINDERS_SMS_CALLBACK_TOKEN", raising=False)


def test_every_route_has_a_right_and_changes_need_more_than_seeing():
    found = routes()
    assert len(found) > 20
    for route in found:
        assert isinstance(route, GuardedRoute), f"{route.path} has no right"
        assert isinstance(route.right, Right)
        for method in route.methods:
            asked = (method, route.path)
            wanted = Right.SEE if asked in SEEN else Right.ADMINISTER if asked in ADMINISTERED else Right.ACT
            assert route.right is wanted, asked


def test_a_route_without_a_right_would_be_found():
    from loan_reminders.web.app import create_app

    app = create_app()

    @app.get("/nouvelle")
    def new() -> str:
        return "open"

    assert [route.path for route in app.routes if not isinstance(route, GuardedRoute)] == [DOOR, "/nouvelle"]


@pytest.mark.parametrize("role", ROLES)
def test_each_role_walks_every_route(role):
    may = ROLES[role]
    with browsing(role) as client:
        for route in routes():
            for method, path in calls(route):
                status = client.request(method, path).status_code
                if may is None:
                    assert status == 401, (method, path)
                elif route.right not in may:
                    assert status == 403, (method, path)
                else:
                    assert status in (200, 303, 400, 404, 409), (method, path, status)


@pytest.mark.parametrize("role", ROLES)
def test_each_page_shows_the_links_that_the_role_may_follow(role):
    with browsing(role) as client:
        page = client.get("/lots").text
    may = ROLES[role] or set()
    for link, right in (("/lots", Right.SEE), ("/bureau", Right.ACT), ("/installation", Right.ADMINISTER)):
        assert (f'href="{link}"' in page) is (right in may)


def test_whoever_only_sees_reads_nobodys_name(monkeypatch):
    from datetime import UTC, date, datetime

    from loan_reminders.domain.letters.batches import BatchState, BatchView
    from loan_reminders.domain.stages import Channel, Stage
    from loan_reminders.web import ledger_access

    class Books:
        def batches(self, **_):
            at = datetime(2026, 11, 2, 9, tzinfo=UTC)
            return [
                BatchView(
                    batch_id=7, run_id=1, stage=Stage.FIRST_REMINDER, reference_date=date(2026, 11, 2), name="lot",
                    kind=Channel.LETTER, branch="", at=at, letters=3, pages=3, left_out=0, state=BatchState.PRINTED,
                    pdfs=("lot/lettres.pdf",), csv="", slip="", printed_at=at, printed_by="chloé",
                )
            ]  # fmt: skip

    monkeypatch.setattr(ledger_access, "letters", Books)
    with browsing("lecteur") as client:
        seen = client.get("/lots").text
    with browsing() as client:
        acted = client.get("/lots").text
    assert "Lot n° 7" in seen
    assert ("chloé" in seen, "/lots/7" in seen, "recherche" in seen) == (False, False, False)
    assert ("chloé" in acted, "/lots/7" in acted, "recherche" in acted) == (True, True, True)


def test_every_answer_keeps_to_its_place():
    with browsing() as client:
        answers = [client.get(path) for path in ("/lots", "/static/relances.css", "/nulle-part", "/lots/999", "/")]
        answers += [client.post("/lots"), client.post("/bureau/npai"), client.get("/rappels-sms/x")]
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none';"), answer.url
        assert "frame-ancestors 'self'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "<script" not in answer.text
        assert "<style" not in answer.text
        assert " style=" not in answer.text


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({"sec_fetch_site": "same-origin"}, True),
        ({"sec_fetch_site": "none"}, True),
        ({"sec_fetch_site": "same-site"}, False),
        ({"sec_fetch_site": "cross-site"}, False),
        ({"sec_fetch_site": "same-site", "authorization": "Bearer x", "origin": "http://testserver"}, False),
        ({"sec_fetch_site": "", "origin": "http://testserver"}, False),
        ({"origin": "http://testserver"}, True),
        ({"origin": "HTTP://TESTSERVER"}, True),
        ({"origin": "http://testserver:8081"}, False),
        ({"origin": "https://testserver"}, False),
        ({"origin": "http://testserver.example.org"}, False),
        ({"origin": "null"}, False),
        ({"origin": "null", "authorization": "Bearer x"}, False),
        ({"authorization": "Bearer x"}, True),
        ({"authorization": "Basic x"}, False),
        ({"cookie": "_token=x"}, False),
        ({}, False),
    ],
)
def test_a_change_is_asked_for_by_our_own_pages_alone(ledger_url, headers, ours):
    from loan_reminders.ledger.connect import connect

    with browsing(**headers) as client:
        if "sec_fetch_site" not in headers:
            del client.headers["sec-fetch-site"]
        answer = client.post("/desinscriptions", data={"numero": "06 12 34 56 78"})
        assert client.get("/desinscriptions").status_code == 200
    assert answer.status_code == (303 if ours else 403)
    assert (FOREIGN in answer.text.replace("&#39;", "'")) is not ours
    with connect(ledger_url, library=settings().library.code) as ledger:
        assert len(ledger.feedback().suppressions()) == int(ours)


def test_airflows_own_address_is_ours_behind_a_proxy(monkeypatch):
    from loan_reminders.web import access

    class Conf:
        @staticmethod
        def get(*_, **__):
            return "https://airflow.example.org/bib"

    monkeypatch.setattr(access, "conf", Conf)
    with browsing(origin="https://airflow.example.org") as client:
        del client.headers["sec-fetch-site"]
        assert client.post("/desinscriptions", data={"numero": "06 12 34 56 78"}).status_code == 303


def fields_of(route):
    return [field.alias for field in (*route.dependant.body_params, *route.dependant.query_params)]


def plausible(name, hostile):
    return {"numero": "0612345678", "lettre": str(uuid.UUID(int=1)), "lot": "1", "etape": "1", **hostile}


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda value: repr(value)[:24])
def test_no_value_of_any_field_breaks_a_page_or_succeeds_falsely(hostile):
    value = hostile.encode("utf-8", "surrogatepass")
    tried = 0
    with browsing("admin") as client:
        for route in routes():
            assert isinstance(route, APIRoute)
            for name in fields_of(route):
                for method, path in calls(route):
                    tried += 1
                    if method == "GET":
                        answer = client.get(path, params={name: value})
                    elif name == "fichier":
                        answer = client.post(path, files={name: ("a.csv", value)})
                    else:
                        answer = client.post(path, data=plausible(name, {name: value}))
                    where = (method, path, name, answer.status_code)
                    assert answer.status_code < 500, where
                    assert "Enregistré" not in answer.text, where
                    assert "Retour noté" not in answer.text, where
                    if answer.status_code >= 400:
                        assert 'class="problem" role="alert">' in answer.text, where
    assert tried > 15


@pytest.mark.parametrize("number", ["0", "-1", "9" * 40, "9" * 5_000, "abc", "1.5", "%00", "1%00"])
def test_no_number_in_an_address_breaks_a_page(number):
    with browsing("admin") as client:
        for route in routes():
            for method, path in calls(route):
                if path == route.path:
                    continue
                asked = path.replace("/1", f"/{number}").replace(str(uuid.UUID(int=1)), number)
                answer = client.request(method, asked)
                assert answer.status_code == 404, (method, path, answer.status_code)
                assert 'class="problem" role="alert">' in answer.text


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"numero": "0612345678", "jusqu_au": "9999-12-31"}, "plus de 20 ans"),
        ({"numero": "0612345678", "jusqu_au": "0001-01-01"}, "déjà passée"),
        ({"numero": "0612345678\x00"}, "« numero » ne peut pas avoir cette valeur"),
        ({"numero": "0" * 500}, "« numero » a plus de 100 signes"),
        ({"numero": "0612345678", "note": "a\x00"}, "« note »"),
    ],
)
def test_what_is_wrong_is_said(form, words):
    with browsing() as client:
        answer = client.post("/desinscriptions", data=form)
    assert answer.status_code == 400
    assert words in answer.text


def test_a_line_that_nobody_knows_is_not_lifted():
    with browsing() as client:
        answer = client.post("/desinscriptions/424242/levee")
    assert answer.status_code == 404
    assert "pas, ou plus, en vigueur" in answer.text


@pytest.mark.parametrize("said", ["Tout est payé", "R3-000000-AAAAAA", "0935000123", "<b>x</b>"])
@pytest.mark.parametrize(("path", "name"), [("/recommandes", "fait"), ("/bureau", "npai")])
def test_an_address_makes_no_page_say_what_was_not_done(path, name, said):
    with browsing() as client:
        answer = client.get(path, params={name: said})
    assert answer.status_code == 404
    assert said not in answer.text
    assert 'role="status"' not in answer.text


def test_an_unexpected_error_is_told_by_its_class_and_place_alone(monkeypatch, caplog):
    import logging

    from loan_reminders.web import ledger_access

    def broken():
        raise KeyError("camille.martin@etu.example.org")

    monkeypatch.setattr(ledger_access, "desk", broken)
    with browsing() as client:
        ours = logging.getLogger("loan_reminders")
        ours.addHandler(caplog.handler)
        try:
            answer = client.get("/bureau")
        finally:
            ours.removeHandler(caplog.handler)
    assert answer.status_code == 500
    assert "Erreur inattendue" in answer.text
    assert "camille" not in answer.text + caplog.text
    assert "KeyError (web/desk.py:" in caplog.text


@pytest.mark.parametrize("path", ["/recommandes/import", "/desinscriptions", "/lots/1/impression"])
def test_what_is_too_large_is_not_read_and_a_stranger_is_asked_for_nothing(path):
    def endless():
        while True:
            sent.append(1)
            yield b"x" * 65_536

    sent: list[int] = []
    with browsing("") as client:
        assert client.post(path, content=endless(), headers={"content-length": str(300 * 1024**2)}).status_code == 401
    with browsing() as client:
        headers = {"content-type": "application/x-www-form-urlencoded", "content-length": str(300 * 1024**2)}
        answer = client.post(path, content=b"a=1", headers=headers)
    assert answer.status_code == 413
    assert "trop grand" in answer.text


def test_a_file_that_grows_while_it_comes_is_cut_off():
    from loan_reminders.services.registered.following import LARGEST_FILE

    with browsing() as client:
        answer = client.post("/recommandes/import", files={"fichier": ("a.csv", b"x" * (LARGEST_FILE + 1))})
        assert (answer.status_code, "dépasse 2 Mo" in answer.text) == (400, True)
        answer = client.post("/recommandes/import", files={"fichier": ("a.csv", b"x" * (2 * LARGEST_FILE))})
        assert answer.status_code == 413
