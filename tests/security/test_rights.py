"""Every route of the pages, taken from the router itself: its right, four roles and a stranger, and who may change."""

from __future__ import annotations

import pytest

from loan_reminders.web.access import Right
from loan_reminders.web.guard import FOREIGN, GuardedRoute
from tests.web.client import CALLBACK_ROUTE, browsing, calls, routes

pytestmark = pytest.mark.usefixtures("pages")
ROLES = {
    "": None,
    "personne": set(),
    "lecteur": {Right.SEE},
    "biblio": {Right.SEE, Right.ACT},
    "admin": set(Right),
}
SEEN = {
    ("GET", "/"),
    ("GET", "/lots"),
    ("GET", "/messages"),
    ("GET", "/messages/cadre"),
    ("GET", "/messages/page.png"),
    ("GET", "/statistiques"),
    ("GET", "/statistiques.csv"),
    ("GET", "/statistiques/effet"),
    ("GET", "/statistiques/effet.csv"),
    ("GET", "/statistiques/effet.pdf"),
    ("GET", "/statistiques/couts"),
    ("GET", "/statistiques/couts.csv"),
    ("GET", "/tournees/airflow"),
    ("GET", "/tournees/jours-manques"),
    ("GET", "/tournees/{run_id}"),
    ("GET", "/tournees/{run_id}/lots"),
}
KNOWN = {("GET", "/static/pages.css"), ("GET", "/static/relances.css"), ("GET", "/static/relances.js")}
"""For whoever is logged in: the page that refuses him has them."""
ADMINISTERED = {("GET", "/installation")}


def test_every_route_has_a_right_and_changes_need_more_than_seeing():
    found = routes()
    assert len(found) > 20
    for route in found:
        assert isinstance(route, GuardedRoute), f"{route.path} has no right"
        for method in route.methods:
            asked = (method, route.path)
            if asked in KNOWN:
                assert route.right is None, asked
                continue
            wanted = Right.SEE if asked in SEEN else Right.ADMINISTER if asked in ADMINISTERED else Right.ACT
            assert route.right is wanted, asked


def test_a_route_without_a_right_would_be_found():
    from loan_reminders.web.app import create_app

    app = create_app()

    @app.get("/nouvelle")
    def new() -> str:
        return "open"

    assert [route.path for route in app.routes if not isinstance(route, GuardedRoute)] == [CALLBACK_ROUTE, "/nouvelle"]


@pytest.mark.parametrize("role", ROLES)
def test_each_role_walks_every_route(role):
    may = ROLES[role]
    with browsing(role) as client:
        for route in routes():
            for method, path in calls(route):
                status = client.request(method, path).status_code
                if may is None:
                    assert status == 401, (method, path)
                elif route.right is not None and route.right not in may:
                    assert status == 403, (method, path)
                else:
                    assert status in (200, 303, 400, 404, 409), (method, path, status)


@pytest.mark.parametrize("role", ROLES)
def test_each_page_shows_the_links_that_the_role_may_follow(role):
    with browsing(role) as client:
        page = client.get("/lots").text
    may = ROLES[role] or set()
    for link, right in (("/lots", Right.SEE), ("/journal", Right.ACT), ("/installation", Right.ADMINISTER)):
        assert (f'href="{link}"' in page) is (right in may)


def test_whoever_only_sees_reads_nobodys_name(monkeypatch):
    from datetime import UTC, date, datetime

    from loan_reminders.domain.letters.batch_list import BatchPage
    from loan_reminders.domain.letters.batches import BatchState, BatchView
    from loan_reminders.domain.stages import Channel, Stage
    from loan_reminders.web import ledger_access

    class Books:
        def listed(self, _query):
            at = datetime(2026, 11, 2, 9, tzinfo=UTC)
            return BatchPage(total=1, batches=(
                BatchView(
                    batch_id=7, run_id=1, stage=Stage.FIRST_REMINDER, reference_date=date(2026, 11, 2), name="lot",
                    kind=Channel.LETTER, branch="", at=at, letters=3, pages=3, left_out=0, state=BatchState.PRINTED,
                    pdfs=("lot/lettres.pdf",), csv="", slip="", printed_at=at, printed_by="chloé",
                ),
            ))  # fmt: skip

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
        assert "<script" not in answer.text.replace("<script src=", "")
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
def test_a_change_is_asked_for_by_our_own_pages_alone(ledger, headers, ours):
    with browsing(**headers) as client:
        if "sec_fetch_site" not in headers:
            del client.headers["sec-fetch-site"]
        answer = client.post("/desinscriptions", data={"numero": "06 12 34 56 78"})
        assert client.get("/desinscriptions").status_code == 200
    assert answer.status_code == (303 if ours else 403)
    assert (FOREIGN in answer.text.replace("&#39;", "'")) is not ours
    assert len(ledger.feedback().suppressions()) == int(ours)


def test_no_change_is_made_for_another_site_by_any_route(ledger):
    posts = [call for route in routes() for call in calls(route) if call[0] not in ("GET", "HEAD")]
    assert len(posts) > 20
    with browsing("admin", sec_fetch_site="cross-site", origin="https://ailleurs.example") as client:
        for method, path in posts:
            answer = client.request(method, path, data={"lecteur": "P1", "motif": "x"})
            assert answer.status_code == 403, (method, path)
            assert FOREIGN in answer.text.replace("&#39;", "'"), (method, path)


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
