"""Every page when the ledger cannot be reached, or waits for its migrations: each says what to do, and who can."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from loan_reminders.ledger import schema
from tests.scenes.ledger_runs import rows, upgraded
from tests.scenes.sms_callbacks import ack, call, told_ok
from tests.web.client import browsing, calls, connection_to, routes

WITHOUT_A_LEDGER = {
    *("/static/relances.css", "/static/pages.css", "/static/relances.js"),
    *("/messages", "/messages/cadre", "/messages/page.png"),
    *("/lecteurs", "/dossier"),  # forms; what is looked for in them needs the ledger
    *("/tournees/airflow", "/tournees/jours-manques/overdue_notice/2000-01-01"),  # of no run, and of a day too old
    "/installation",  # says itself what is wrong with the ledger
}
SEARCHES = ("/lecteurs", "/dossier")
"""Where something is looked for, by POST."""


@pytest.fixture(autouse=True)
def no_connection_is_kept() -> Iterator[None]:
    from loan_reminders.web import ledger_access

    ledger_access.close()
    yield
    ledger_access.close()


def unavailable_pages(role: str) -> dict[str, str]:
    """The text of each page that may not answer without a ledger; the others are seen to answer."""
    said = {}
    with browsing(role) as client:
        asked = [path for route in routes() for method, path in calls(route) if method == "GET"]
        for path in asked:
            answer = client.get(path)
            if path in WITHOUT_A_LEDGER:
                assert answer.status_code in {200, 403, 404}, path
            else:
                assert answer.status_code == 503, path
                said[path] = answer.text
        for path in SEARCHES:
            answer = client.post(path, data={"recherche": "Martin"})
            assert answer.status_code == 503, path
            said[path] = answer.text
    assert len(said) > 20
    return said


def test_a_ledger_that_does_not_answer_is_said_by_every_page(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_REMINDERS_LEDGER", '{"conn_type": "postgres", "host": "127.0.0.1", "port": 1}')
    for path, text in unavailable_pages("biblio").items():
        assert "ne répond pas" in text, path
        assert "si cela dure, prévenir l&#39;administrateur" in text, path


@pytest.mark.parametrize("role", ["biblio", "admin"])
def test_a_ledger_that_waits_for_its_migrations_is_said_by_every_page(
    monkeypatch, postgres_server, empty_database, role
):
    monkeypatch.setenv("AIRFLOW_CONN_REMINDERS_LEDGER", connection_to(postgres_server, empty_database))
    for path, text in unavailable_pages(role).items():
        assert "administrateur doit lancer" in text or "attend sa mise à jour" in text, path
        assert "loan_reminders migrate upgrade" in text, path


@pytest.mark.usefixtures("installed")
def test_between_an_upgrade_and_its_restart_pages_and_callbacks_write_nothing(monkeypatch, ledger):
    with browsing("biblio") as client:
        assert client.get("/lots").status_code == 200
        assert told_ok(call(client, "GET", ack()))
        monkeypatch.setattr(schema, "CHECKED_AGAIN_S", 0)
        with upgraded(ledger):
            answer = client.get("/lots")
            assert answer.status_code == 503
            assert "9999" in answer.text
            assert client.post("/desinscriptions", data={"numero": "06 12 34 56 78"}).status_code == 503
            assert call(client, "GET", ack(sms_id="id-2")).status_code == 503
    assert rows(ledger, "SELECT sms_id FROM sms_acks") == [("id-1",)]
    assert rows(ledger, "SELECT count(*) FROM suppressions") == [(0,)]
