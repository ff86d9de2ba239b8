"""The page of readers who said yes or no to SMS."""

from __future__ import annotations

import re

import pytest

from loan_reminders.domain.journal import JournalAct
from loan_reminders.domain.loans import SmsChoice
from loan_reminders.ledger.suppressions.consents import PostgresSmsChoices
from loan_reminders.web.sms.choices import KNOWN, NOTED, REMOVED
from tests.scenes.known_readers import a_reader
from tests.scenes.ledger_runs import rows
from tests.web.client import browsing, said_once

pytestmark = pytest.mark.usefixtures("installed")
PAGE = "/accords-sms"


def said(ledger):
    return {tuple(row) for row in rows(ledger, "SELECT patron_id, choice, who FROM sms_choices")}


def note(client, **form):
    return client.post(PAGE, data={"lecteur": "21", "dit": "non", **form}, follow_redirects=False)


@pytest.mark.parametrize(
    ("form", "status", "words"),
    [
        ({"dit": "peut-être"}, 400, "Il faut dire oui ou non"),
        ({"lecteur": "  "}, 400, "Il manque la carte"),
        ({"lecteur": "99"}, 404, "aucune tournée n&#39;a encore vu cette carte"),
        ({"lecteur": "9" * 201}, 400, "plus de 200 signes"),
    ],
)
def test_what_cannot_be_noted_changes_nothing(ledger, form, status, words):
    a_reader(ledger, card="21")
    with browsing() as client:
        answer = note(client, **form)
    assert (answer.status_code, words in answer.text) == (status, True)
    assert said(ledger) == set()


def test_a_card_of_two_readers_is_refused(ledger):
    a_reader(ledger, "P1", card="21")
    a_reader(ledger, "P2", card="21")
    with browsing() as client:
        assert "plusieurs lecteurs ont cette carte" in note(client).text
    assert said(ledger) == set()


def test_the_list_begins_with_the_newest_or_the_oldest(ledger):
    for n in (1, 2):
        a_reader(ledger, f"P{n}", card=f"2{n}", name=f"Lecteur {n}")
        ledger.part(PostgresSmsChoices).note(f"P{n}", SmsChoice.YES, who="zoé")
    with browsing() as client:
        pages = [client.get(f"{PAGE}{query}").text for query in ("", "?tri=jour")]
    assert [re.findall(r">Lecteur (\d)</a>", page) for page in pages] == [["2", "1"], ["1", "2"]]


def test_noted_listed_found_and_taken_off(ledger):
    number = a_reader(ledger, card="21")
    with browsing("chloé") as client:
        answer = note(client)
        assert (answer.status_code, answer.headers["location"]) == (303, PAGE)
        assert said_once(answer) == NOTED
        assert said_once(note(client)) == KNOWN
        page = client.get(PAGE).text
        for words in (
            "Camille Martin",
            f"/lecteurs/{number}",
            "non aux SMS",
            "noté, par chloé",
            "Oui aux SMS : 0",
            "Non aux SMS : 1",
        ):
            assert words in page, words
        assert "Camille Martin" not in client.get(PAGE, params={"dit": "oui"}).text
        assert "Camille Martin" in client.post(f"{PAGE}/recherche", data={"lecteur": "21"}).text
        assert "Personne pour cette recherche" in client.post(f"{PAGE}/recherche", data={"lecteur": "99"}).text
        [line] = ledger.part(PostgresSmsChoices).lines(limit=1)
        away = client.post(f"{PAGE}/{line.choice_id}/retrait", follow_redirects=False)
        assert said_once(away) == REMOVED
        assert client.post(f"{PAGE}/{line.choice_id}/retrait").status_code == 404
    assert said(ledger) == set()
    acts = [row[0] for row in rows(ledger, "SELECT act FROM journal ORDER BY entry_id")]
    assert acts == ["sms_choice_noted", "sms_choice_removed"]


def test_a_form_sent_twice_is_noted_once(ledger):
    a_reader(ledger, card="21")
    key = {"cle": "6f1d2f5e-6c5b-4a53-9a3e-2f8d0a5b7c11"}
    with browsing() as client:
        first = note(client, **key)
        ledger.part(PostgresSmsChoices).note("P1", SmsChoice.YES, who="léa")
        assert note(client, **key).headers["location"] == first.headers["location"]
    assert {choice for _, choice, _ in said(ledger)} == {"yes"}


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (b"", 400, "Le fichier est vide"),
        (b"PK\x03\x04\x00", 400, "pas un fichier CSV"),
        (b"a;b\n1;2\n", 400, "nommer les colonnes"),
        (b"carte;sms\n" + b"x" * (2 * 1024 * 1024), 413, "trop grand"),
    ],
)
def test_a_file_that_is_none_is_refused_whole(ledger, content, status, words):
    with browsing() as client:
        answer = client.post(f"{PAGE}/import", files={"fichier": ("l.csv", content)})
    assert (answer.status_code, words in answer.text, "Rien n&#39;a été pris" in answer.text) == (status, True, True)
    assert said(ledger) == set()


def test_a_file_is_taken_and_its_other_lines_are_named_by_their_number(ledger):
    a_reader(ledger, card="21")
    content = b"carte;sms\n21;oui\n22;non\n21zz;\n"
    with browsing("chloé") as client:
        page = client.post(f"{PAGE}/import", files={"fichier": ("l.csv", content)}).text
        assert "1 ligne prise, 2 laissées de côté." in page
        assert "Ligne 3 : aucune tournée" in page
        assert "Ligne 4 : la colonne" in page
        assert "21zz" not in page
        again = client.post(f"{PAGE}/import", files={"fichier": ("l.csv", content)}).text
    assert "0 ligne prise, 1 déjà ainsi, 2 laissées de côté." in again
    assert said(ledger) == {("P1", "yes", "chloé")}


def test_the_page_says_the_rule_of_each_population(ledger):
    with browsing() as client:
        page = client.get(PAGE).text
    assert "Les étudiants reçoivent des SMS, sauf ceux qui disent non." in page
    assert "Les personnels n&#39;en reçoivent que s&#39;ils disent oui." in page
    assert "Les lecteurs extérieurs n&#39;en reçoivent pas." in page
    assert "mineurs" not in page


def _noted(desk):
    a_reader(desk.ledger, card="21")
    desk.post(PAGE, lecteur="21", dit="non")


def _taken_off(desk):
    _noted(desk)
    [line] = desk.ledger.part(PostgresSmsChoices).lines(limit=1)
    desk.post(f"{PAGE}/{line.choice_id}/retrait")


def _imported(desk):
    desk.client.post(f"{PAGE}/import", files={"fichier": ("l.csv", b"lecteur;sms\nP1;oui\n")})


ACTS = (
    (JournalAct.SMS_CHOICE_NOTED, _noted),
    (JournalAct.SMS_CHOICE_REMOVED, _taken_off),
    (JournalAct.SMS_CHOICES_IMPORTED, _imported),
)
"""What a person does on this page, for the test of the journal."""
