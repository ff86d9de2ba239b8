"""The search page: one reader opens, several are listed, nobody is explained; nothing personal in an address."""

from __future__ import annotations

import re

import pytest

from loan_reminders.ledger.readers.readers import PostgresReaders
from loan_reminders.settings.library_toml import settings
from tests.scenes.builders import a_loan, a_mobile, a_patron, an_email
from tests.scenes.disputed_loan import TRACKING, a_whole_story
from tests.scenes.ledger_runs import extracted, rows
from tests.web.client import browsing

PAGE = "/lecteurs"


@pytest.fixture(autouse=True)
def without_other_addresses(installed):
    """The pages find the ledger of this file."""


def many(ledger, number, name="Martin, Zoé"):
    patrons = [
        a_patron(patron_id=f"M{place}", barcode=f"C{place}", email=an_email(f"m{place}@example.fr"), name=name)
        for place in range(number)
    ]
    extracted(ledger, [a_loan(loan_id=f"L{one.patron_id}", item_barcode="", patron=one) for one in patrons])


def test_the_box_is_ready_and_posts(ledger):
    with browsing() as client:
        page = client.get(PAGE).text
    assert '<form method="post" action="/lecteurs" class="search" role="search">' in page
    assert "data-focus" in page


@pytest.mark.parametrize("text", ["", "   "])
def test_nothing_typed_is_told(ledger, text):
    with browsing() as client:
        answer = client.post(PAGE, data={"recherche": text})
    assert (answer.status_code, "Saisir ou scanner" in answer.text) == (400, True)


def test_one_reader_opens_at_once_by_a_neutral_address(ledger):
    a_whole_story(ledger, patron=a_patron(mobile=a_mobile("33612345678")))
    number = ledger.part(PostgresReaders).number_of("P1")
    with browsing() as client:
        for text in ("P1", "2100000000017", "06 12 34 56 78", "camille martin", "0935000123", "L1", TRACKING):
            answer = client.post(PAGE, data={"recherche": text})
            assert (answer.status_code, answer.headers["location"]) == (303, f"/lecteurs/{number}"), text


@pytest.mark.parametrize(
    ("printed", "registered", "words"),
    [
        ("NULL", "UPDATE registered_letters SET state = 'to_print'", "mise en lot"),
        ("now()", "UPDATE registered_letters SET state = 'printed'", "imprimée aujourd'hui"),
        (
            "now()",
            "UPDATE registered_letters SET state = 'posted', posted_on = '2026-08-03'",
            "déposée à La Poste le 03/08/2026",
        ),
        (
            "now()",
            "UPDATE registered_letters SET state = 'acknowledged', posted_on = '2026-08-03',"
            " acknowledged_on = '2026-08-07'",
            "avis de réception revenu signé le 07/08/2026",
        ),
        ("now()", "UPDATE registered_letters SET state = 'numbered'", "numérotée"),
        ("now()", "DELETE FROM registered_letters", "imprimée aujourd'hui"),
    ],
)
def test_the_last_letter_is_told_as_far_as_it_came(ledger, printed, registered, words):
    a_whole_story(ledger)
    many(ledger, 1, "Martin, Camille-Zoé")
    rows(ledger, f"UPDATE letter_batches SET printed_at = {printed}")
    rows(ledger, registered)
    with browsing() as client:
        page = client.post(PAGE, data={"recherche": "martin"}).text
    assert f"Lettre recommandée : {words}" in page.replace("&#39;", "'")


def test_several_readers_are_told_apart_and_paged(ledger):
    many(ledger, 60)
    with browsing() as client:
        first = client.post(PAGE, data={"recherche": "martin"}).text
        second = client.post(PAGE, data={"recherche": "martin", "page": "2"}).text
        beyond = client.post(PAGE, data={"recherche": "martin", "page": "9"})
    assert "60 lecteurs" in first
    assert len(re.findall(r'href="/lecteurs/\d+"', first)) == 50
    assert len(re.findall(r'href="/lecteurs/\d+"', second)) == 10
    assert ">C7</td>" in first + second
    assert "Page 2 sur 2" in second
    assert beyond.status_code == 200


def test_a_name_with_a_mistake_is_said_to_be_near(ledger):
    many(ledger, 2)
    with browsing() as client:
        page = client.post(PAGE, data={"recherche": "matrin"}).text
    assert "presque ainsi" in page
    assert "un nom voisin" in page


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("dupuis", "comme nom"),
        ("personne@example.fr", "comme adresse e-mail"),
        ("06 12 34 56 78", "comme numéro de mobile"),
        ("04 93 12 34 56", "ce n'est pas un mobile"),
        ("06 00 00 00 00", "factice"),
        ("1A 234 567 8901 2", "comme numéro de recommandé"),
        ("<script>x", "comme nom"),
    ],
)
def test_nobody_found_says_what_was_tried_and_what_to_do(ledger, text, words):
    with browsing() as client:
        answer = client.post(PAGE, data={"recherche": text})
    said = answer.text.replace("&#39;", "'")
    assert answer.status_code == 200
    assert "Personne ne répond" in said
    assert words in said
    assert "Scanner la carte" in said
    assert "<script>x" not in answer.text


@pytest.mark.parametrize(
    ("countries", "words"), [(["FR"], "un pays non desservi"), (["FR", "BE"], "comme numéro de mobile")]
)
def test_a_foreign_mobile_is_looked_for_where_sms_go(ledger, monkeypatch, countries, words):
    ours = settings()
    abroad = ours.model_copy(update={"sms": ours.sms.model_copy(update={"countries": countries})})
    monkeypatch.setattr("loan_reminders.web.readers.search.settings", lambda: abroad)
    with browsing() as client:
        said = client.post(PAGE, data={"recherche": "+32 470 12 34 56"}).text.replace("&#39;", "'")
    assert words in said


def test_a_name_that_is_markup_stays_text(ledger):
    many(ledger, 2, name="<b>Gras</b>, Zoé")
    with browsing() as client:
        page = client.post(PAGE, data={"recherche": "gras"}).text
    assert "&lt;b&gt;Gras" in page
    assert "<b>Gras" not in page


def test_whoever_only_sees_may_not_search(ledger):
    with browsing("lecteur") as client:
        assert client.get(PAGE).status_code == 403
        assert client.post(PAGE, data={"recherche": "x"}).status_code == 403


def test_without_its_ledger_the_search_says_what_to_do(monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_REMINDERS_LEDGER")
    with browsing() as client:
        answer = client.post(PAGE, data={"recherche": "L1"})
    assert (answer.status_code, "reminders_ledger" in answer.text) == (503, True)
