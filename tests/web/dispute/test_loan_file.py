"""Asking for the file of a loan by the page: found, chosen, missing, refused."""

from __future__ import annotations

import io
import logging
import re

import pikepdf
import pytest

from loan_reminders.hooks.letter_store import letter_store
from tests.scenes.disputed_loan import TRACKING, a_whole_story, two_loans
from tests.web.client import browsing

PAGE = "/dossier"
PERSONAL = ("Camille", "camille.martin", "33639980001", "2100000000017")


@pytest.fixture(autouse=True)
def without_other_addresses(installed, monkeypatch, tmp_path):
    monkeypatch.delenv("REMINDERS_LEDGER_URL", raising=False)
    monkeypatch.setenv("REMINDERS_STORAGE", str(tmp_path / "letters"))


def pages_of(content):
    with pikepdf.open(io.BytesIO(content)) as read:
        return len(read.pages)


@pytest.mark.parametrize("text", ["L1", "0935000123", "MD-0000AAAA", TRACKING])
def test_a_librarian_gets_the_file_and_is_logged_without_the_reader(ledger, caplog, text):
    a_whole_story(ledger)
    with browsing("chloé") as client:
        # Airflow sets logging up anew when it is first imported.
        ours = logging.getLogger("loan_reminders")
        ours.addHandler(caplog.handler)
        try:
            with caplog.at_level(logging.INFO, "loan_reminders"):
                answer = client.post(PAGE, data={"recherche": text})
        finally:
            ours.removeHandler(caplog.handler)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-disposition"] == 'attachment; filename="dossier-de-pret.pdf"'
    assert pages_of(answer.content) >= 2
    assert "Dossier d'un prêt fait par chloé : envois 4" in caplog.text
    assert not [word for word in (*PERSONAL, "économie", "0935000123") if word in caplog.text]


def test_the_letters_come_from_the_letter_store(ledger):
    volume = io.BytesIO()
    with pikepdf.new() as pdf:
        for _ in range(3):
            pdf.add_blank_page(page_size=(500, 842))
        pdf.save(volume)
    [location, *_] = letter_store().store("lot", [("lettres.pdf", volume.getvalue())])
    a_whole_story(ledger, pdf=location)
    with browsing() as client:
        answer = client.post(PAGE, data={"recherche": "L1"})
    with pikepdf.open(io.BytesIO(answer.content)) as read:
        assert [round(float(page.mediabox[2])) for page in read.pages][-3:] == [500] * 3


def test_two_loans_of_one_document_are_to_be_chosen_from(ledger):
    two_loans(ledger)
    with browsing() as client:
        choice = client.post(PAGE, data={"recherche": "0935000123"})
        assert "Plusieurs prêts" in choice.text
        assert "&lt;b&gt;Gras" in choice.text
        assert "<b>Gras" not in choice.text
        assert not [word for word in PERSONAL if word in choice.text]
        assert re.findall(r'name="pret" value="([^"]+)"', choice.text) == ["L-new", "L-old"]
        made = client.post(PAGE, data={"pret": "L-old"})
    assert made.headers["content-type"] == "application/pdf"


@pytest.mark.parametrize(("form", "status", "words"), [
    ({"recherche": "<script>rien"}, 404, "aucun prêt"),
    ({"pret": "rien"}, 404, "aucun prêt"),
    ({"recherche": "  "}, 400, "Saisir"),
    ({}, 400, "Saisir"),
])  # fmt: skip
def test_what_is_not_found_is_told(ledger, form, status, words):
    a_whole_story(ledger)
    with browsing() as client:
        answer = client.post(PAGE, data=form)
    assert (answer.status_code, words in answer.text) == (status, True)
    assert "<script" not in answer.text.replace("<script src=", "")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_without_login_there_is_nothing(ledger, method):
    a_whole_story(ledger)
    with browsing("") as client:
        answer = client.request(method, PAGE, data={"recherche": "L1"} if method == "POST" else None)
        assert (answer.status_code, b"%PDF" in answer.content) == (401, False)
    with browsing("", accept="text/html") as client:
        assert client.get(PAGE).status_code == 303


def test_the_form_opens(ledger):
    with browsing() as client:
        answer = client.get(PAGE)
    assert (answer.status_code, 'name="recherche"' in answer.text) == (200, True)


def test_without_its_ledger_the_page_says_what_to_do(monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_REMINDERS_LEDGER")
    with browsing() as client:
        answer = client.post(PAGE, data={"recherche": "L1"})
    assert (answer.status_code, "reminders_ledger" in answer.text) == (503, True)
