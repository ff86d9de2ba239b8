"""« Droits du lecteur »: data given, a channel refused, something put right, each noted, or refused in words."""

from __future__ import annotations

import io
import json
import re
import uuid

import pikepdf
import pytest

from loan_reminders.domain.stages import Channel, Stage
from tests.scenes.disputed_loan import sent
from tests.scenes.ledger_runs import rows
from tests.web.client import browsing

pytestmark = [pytest.mark.usefixtures("installed"), pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.fixture
def page(ledger):
    """A reader who was told of the loan L1: the address of his page."""
    sent(ledger, Channel.EMAIL, Stage.OVERDUE_NOTICE)
    [[number]] = rows(ledger, "SELECT reader_number FROM readers WHERE patron_id = 'P1'")
    return f"/lecteurs/{number}"


def text_of(answer):
    return re.sub(r"\s+", " ", answer.text.replace("&#39;", "'"))


def acts(ledger):
    return rows(ledger, "SELECT who, act, patron_id FROM journal WHERE act NOT LIKE '%seen' ORDER BY entry_id")


@pytest.mark.parametrize("form", ["pdf", "json"])
def test_his_data_are_a_file_without_his_name_in_its_own_and_who_asked_is_kept(ledger, page, form):
    with browsing("chloé") as client:
        answer = client.post("/lecteurs/donnees", data={"lecteur": "P1", "forme": form})
    assert (answer.status_code, answer.headers["content-type"]) == (200, f"application/{form}")
    assert answer.headers["content-disposition"] == f'attachment; filename="donnees-du-lecteur.{form}"'
    if form == "json":
        assert json.loads(answer.content)["lecteur"] == "P1"
    else:
        with pikepdf.open(io.BytesIO(answer.content)) as pdf:
            assert pdf.open_metadata().pdfa_status == "2A"
    assert acts(ledger) == [("chloé", "reader_data_given", "P1")]


def test_an_objection_is_noted_shown_and_lifted(ledger, page):
    with browsing("chloé") as client:
        noted = client.post("/lecteurs/opposition", data={"lecteur": "P1", "canal": "email", "motif": "ne les lit pas"})
        assert noted.headers["location"] == page
        shown = text_of(client.get(noted.headers["location"]))
        assert "rien ne part plus par cette voie" in shown
        assert "Aucun e-mail" in shown
        assert "ne les lit pas" in shown
        assert "Le lecteur s'y oppose" in shown
        assert 'value="email"' not in shown.partition('name="canal"')[2].partition("</select>")[0].replace(
            'name="canal"', ""
        )
        again = client.post("/lecteurs/opposition", data={"lecteur": "P1", "canal": "email", "motif": "x"})
        assert (again.status_code, "déjà notée" in text_of(again)) == (409, True)
        [(number,)] = rows(ledger, "SELECT objection_id FROM objections")
        form = {"lecteur": "P1", "opposition": number}
        assert client.post("/lecteurs/opposition-levee", data=form).status_code == 400
        lifted = client.post("/lecteurs/opposition-levee", data={**form, "motif": "les veut"})
        assert lifted.headers["location"] == page
        assert client.post("/lecteurs/opposition-levee", data={**form, "motif": "x"}).status_code == 409
    assert acts(ledger) == [("chloé", "objected", "P1"), ("chloé", "objection_lifted", "P1")]


def test_something_put_right_is_shown_by_its_name_alone_and_ended(ledger, page):
    form = {"lecteur": "P1", "quoi": "email", "valeur": "camille@neuve.example.fr", "motif": "a changé"}
    with browsing("chloé") as client:
        noted = client.post("/lecteurs/rectification", data=form)
        assert noted.headers["location"] == page
        shown = text_of(client.get(noted.headers["location"]))
        assert "C'est noté : la recherche" in shown
        assert "camille@neuve.example.fr" not in shown
        found = client.post("/lecteurs", data={"recherche": "camille@neuve.example.fr"})
        assert found.headers["location"] == page
        [(number,)] = rows(ledger, "SELECT amendment_id FROM amendments")
        end = {"lecteur": "P1", "rectification": number}
        assert 'name="lecteur" value="P1"><input type="hidden" name="rectification"' in client.get(page).text
        ended = client.post("/lecteurs/rectification-terminee", data=end)
        assert ended.headers["location"] == page
        again = client.post("/lecteurs/rectification-terminee", data=end)
        assert (again.status_code, "Droits" in again.text) == (409, True), "said on the reader's page"
    assert acts(ledger) == [("chloé", "amended", "P1"), ("chloé", "amendment_ended", "P1")]


@pytest.mark.parametrize(
    ("path", "form", "status", "words"),
    [
        ("donnees", {"forme": "doc"}, 400, "PDF ou le JSON"),
        ("donnees", {"lecteur": "P9"}, 404, "il n'y a rien à donner"),
        ("opposition", {"canal": "letter", "motif": "x"}, 400, "réclame ses documents"),
        ("opposition", {"canal": "registered_letter", "motif": "x"}, 400, "mise en demeure"),
        ("opposition", {"canal": "sms", "motif": " "}, 400, "Il manque le motif"),
        ("opposition", {"canal": "sms", "motif": "x", "lecteur": "P9"}, 404, "ne connaît pas, ou plus"),
        ("rectification", {"quoi": "age", "valeur": "x", "motif": "x"}, 400, "Choisir ce qui est à rectifier"),
        ("rectification", {"quoi": "email", "valeur": "x", "motif": "x"}, 400, "ne peut pas servir"),
        ("rectification", {"quoi": "email", "valeur": "a@b.fr", "motif": ""}, 400, "Il manque le motif"),
        ("rectification", {"quoi": "name", "valeur": "Camille Martin", "motif": "x"}, 409, "déjà cela"),
        ("rectification", {"quoi": "email", "valeur": "a@b.fr", "motif": "x", "lecteur": "P9"}, 404, "ne connaît pas"),
    ],
)
def test_what_cannot_be_is_refused_in_words_and_changes_nothing(ledger, page, path, form, status, words):
    with browsing() as client:
        answer = client.post(f"/lecteurs/{path}", data={"lecteur": "P1", **form})
    assert (answer.status_code, words in text_of(answer)) == (status, True), text_of(answer)
    if path != "donnees" and "lecteur" not in form:
        typed = text_of(answer).partition(f'action="/lecteurs/{path}"')[2].partition("</form>")[0]
        assert f'value="{form["motif"]}"' in typed
        assert form.get("valeur", "") in typed
    assert rows(ledger, "SELECT 1 FROM objections UNION ALL SELECT 1 FROM amendments") == []
    assert acts(ledger) == []


def test_the_same_form_twice_is_noted_once(ledger, page):
    form = {"cle": str(uuid.uuid4()), "lecteur": "P1", "canal": "sms", "motif": "x"}
    with browsing() as client:
        first, second = (client.post("/lecteurs/opposition", data=form) for _ in range(2))
    assert first.headers["location"] == second.headers["location"]
    assert len(rows(ledger, "SELECT 1 FROM objections")) == 1
