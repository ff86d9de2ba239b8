"""Forms that are safe to send twice: the same key acts once, whoever sends it and whatever became of the first."""

from __future__ import annotations

import uuid
from html import unescape

import pytest

from loan_reminders.ledger.journal import PostgresFormKeys
from loan_reminders.web.suppressions.suppression_list import ADDED, THERE_ALREADY
from tests.scenes.ledger_runs import rows
from tests.web.client import browsing, said_once

PAGE = "/desinscriptions"
NUMBER = "06 12 34 56 78"


@pytest.fixture(autouse=True)
def pages(installed):
    """On the test's own ledger."""


def form(key, number=NUMBER, **more):
    return {"cle": str(key), "numero": number, **more}


def acts(ledger):
    return rows(ledger, "SELECT count(*) FROM journal")[0][0]


def test_the_ledger_that_does_not_answer_is_told_by_the_page_itself(monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_REMINDERS_LEDGER")
    with browsing() as client:
        answer = client.post(PAGE, data=form(uuid.uuid4()))
    assert (answer.status_code, "reminders_ledger" in answer.text) == (503, True)


def test_a_key_that_is_none_is_refused(ledger):
    with browsing() as client:
        assert client.post(PAGE, data=form("pas une clé")).status_code == 400
    assert acts(ledger) == 0


def test_the_same_form_twice_acts_once_and_leads_to_the_same_place(ledger):
    key = uuid.uuid4()
    with browsing() as client:
        first, second = (client.post(PAGE, data=form(key)) for _ in range(2))
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.headers["location"] == second.headers["location"]
    assert said_once(first) == said_once(second) == ADDED
    assert acts(ledger) == 1


def test_what_was_done_is_said_though_airflow_renewed_the_session_meanwhile(ledger):
    with browsing() as client:
        client.cookies.set("_token", "before")
        done = client.post(PAGE, data=form(uuid.uuid4()))
        client.cookies.set("_token", "after")
        assert ADDED in unescape(client.get(done.headers["location"]).text)
    with browsing("léo") as client:
        client.cookies.set("relances_fait", done.cookies["relances_fait"])
        assert ADDED not in unescape(client.get(done.headers["location"]).text)


def test_another_person_with_the_same_key_is_not_led_anywhere(ledger):
    key = uuid.uuid4()
    with browsing("chloé") as client:
        client.post(PAGE, data=form(key))
    with browsing("léo") as client:
        assert client.post(PAGE, data=form(key, "06 12 34 56 79")).status_code == 409
    assert acts(ledger) == 1


def test_the_same_key_on_another_page_does_nothing(ledger):
    key = uuid.uuid4()
    with browsing() as client:
        client.post(PAGE, data=form(key))
        assert client.post("/bureau/npai", data={"cle": str(key), "reference": "R1"}).status_code == 409


def test_a_refused_form_may_be_sent_again(ledger):
    key = uuid.uuid4()
    with browsing() as client:
        assert client.post(PAGE, data=form(key, "rien")).status_code == 400
        assert client.post(PAGE, data=form(key)).status_code == 303
    assert acts(ledger) == 1


def test_a_form_in_hand_waits(ledger):
    key = uuid.uuid4()
    assert ledger.part(PostgresFormKeys).take(key, who="biblio", what=f"POST{PAGE}").first
    with browsing() as client:
        answer = client.post(PAGE, data=form(key))
    assert (answer.status_code, "déjà en cours" in answer.text) == (409, True)
    assert acts(ledger) == 0


def test_a_form_without_a_key_acts_each_time(ledger):
    with browsing() as client:
        answers = [client.post(PAGE, data={"numero": NUMBER}) for _ in range(2)]
    assert [*map(said_once, answers)] == [ADDED, THERE_ALREADY]


def test_an_answer_that_is_a_file_may_be_asked_for_again():
    key = str(uuid.uuid4())
    with browsing() as client:
        assert [client.post("/a-corriger/liste", data={"cle": key}).status_code for _ in range(2)] == [200, 200]
