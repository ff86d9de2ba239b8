"""A librarian of one library on every address of another: nothing is seen, searched, shown, saved or changed."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from starlette.routing import Mount

from loan_reminders.web import ledger_access
from loan_reminders.web.guard import GuardedRoute
from tests.scenes.ledger_runs import rows
from tests.scenes.library_people import browsing_libraries
from tests.scenes.several_libraries import use, write_libraries
from tests.web.client import CALLBACK_ROUTE, calls

pytestmark = pytest.mark.usefixtures("pages", "two")
ALL = ("see", "act", "administer")


@pytest.fixture
def two(tmp_path, monkeypatch):
    yield use(monkeypatch, write_libraries(tmp_path / "libraries", "rivage", "colline"))
    ledger_access.close()


@pytest.fixture
def ledger(ledger_url):
    """That of one of them; the test looks at all rows."""
    from loan_reminders.ledger.connect import connect

    with connect(ledger_url, library="colline") as opened:
        yield opened


def every_call():
    """Each way to ask for a page of a library, from the router itself."""
    from loan_reminders.web.app import create_app

    [pages] = [route.app.pages for route in create_app().routes if isinstance(route, Mount)]
    assert isinstance(pages, FastAPI)
    found = [route for route in pages.routes if isinstance(route, GuardedRoute)]
    assert {route.path for route in pages.routes} - {route.path for route in found} == {CALLBACK_ROUTE}
    return [call for route in found for call in calls(route)]


def test_nothing_of_another_library_is_answered_on_any_route(ledger):
    asked = every_call()
    assert len(asked) > 40
    with browsing_libraries("chloé", rivage=ALL) as client:
        for method, path in asked:
            theirs = client.request(
                method, f"/relances/colline{path}", data={"lecteur": "P1"} if method == "POST" else None
            )
            assert theirs.status_code == 403, (method, path)
            assert "olline" not in theirs.text.replace("/relances/colline", ""), (method, path)
            ours = client.request(method, f"/relances/rivage{path}")
            assert ours.status_code not in (401, 403), (method, path)
    changed = (
        "SELECT count(*) FROM (SELECT library FROM journal UNION ALL SELECT library FROM suppressions) AS all_lines"
    )
    assert rows(ledger, f"{changed} WHERE library = 'colline'") == [(0,)]


def test_a_stranger_opens_no_page_of_any_library():
    with browsing_libraries() as client:
        client.headers["accept"] = "*/*"
        for method, path in every_call():
            for code in ("rivage", "colline", "nulle-part"):
                assert client.request(method, f"/relances/{code}{path}").status_code == 401, (method, code, path)


def test_whoever_sees_one_and_acts_in_another_does_no_more():
    with browsing_libraries("chloé", rivage=("see",), colline=("see", "act")) as client:
        assert client.post("/relances/rivage/desinscriptions", data={"numero": "06 12 34 56 78"}).status_code == 403
        assert client.post("/relances/colline/desinscriptions", data={"numero": "06 12 34 56 78"}).status_code == 303
        assert client.get("/relances/colline/installation").status_code == 403


@pytest.mark.parametrize("dags", [(), ("registered_letter__rivage",), ("registered_letter__colline",)])
@pytest.mark.parametrize("connections", [False, True])
def test_airflow_is_asked_about_the_dag_of_the_library_and_of_no_other(monkeypatch, dags, connections):
    """By Airflow's own functions, with the answers of an auth manager that knows rights on single DAGs, as FAB does."""
    import asyncio

    from loan_reminders.settings.libraries import of_library
    from loan_reminders.web import access
    from loan_reminders.web.access import Right

    asked = []

    class Manager:
        def is_authorized_dag(self, *, method, access_entity=None, details=None, user):
            asked.append(details.id)
            return details.id in dags

        def is_authorized_connection(self, *, method, details=None, user):
            return connections

    class User:
        def get_name(self):
            return "chloé"

    async def nothing(*_):
        return User()

    monkeypatch.setattr(access, "get_user", nothing)
    monkeypatch.setattr(access, "bearer_scheme", nothing)
    monkeypatch.setattr(access, "get_auth_manager", Manager)
    monkeypatch.setattr("airflow.api_fastapi.core_api.security.get_auth_manager", Manager)
    monkeypatch.setattr("airflow.api_fastapi.core_api.security.DagModel.get_team_name", lambda _: None)
    authenticator = access.AirflowAuthenticator()
    for code in ("rivage", "colline"):
        mine = f"registered_letter__{code}" in dags
        with of_library(code):
            person = asyncio.run(authenticator.person(None))
        wanted = {Right.SEE, Right.ACT, *([Right.ADMINISTER] if connections else [])} if mine else set()
        assert person.rights == wanted
        assert asyncio.run(authenticator.libraries(None, (code,))) == ((code,) if mine else ())
    assert set(asked) == {"registered_letter__rivage", "registered_letter__colline"}
