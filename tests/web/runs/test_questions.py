"""The two questions of a run on our pages, answered through Airflow with whoever's session; also answered elsewhere."""

from __future__ import annotations

import re

import pytest

from loan_reminders.domain.marks.high_water import Gap
from loan_reminders.domain.runs.volume import VolumeAnswer
from loan_reminders.hooks.marks import marks_of
from loan_reminders.services.registered.approval import REASONS
from tests.scenes.ledger_letters import drafted
from tests.scenes.ledger_runs import planned, rows, some_deliveries
from tests.web.client import browsing

LETTERS, VOLUME = "approve_letters", "confirm_volume"


@pytest.fixture
def asked(ledger, airflow):
    """A run whose registered letters wait: its page, and its letters."""
    run_id, _, letters = drafted(ledger)
    airflow.ask("registered_letter", "run-1", LETTERS, ["Valider", "Ne rien imprimer"])
    return f"/questions/{run_id}/lettres", run_id, letters


@pytest.fixture
def volume(ledger, airflow):
    run = planned(ledger, some_deliveries(3), dag_run_id="manual__2026-11-27T08:00:00+00:00")
    ledger.record_volume_answer(run.run_id, VolumeAnswer.ASKED)
    airflow.ask("overdue_notice", "manual__2026-11-27T08:00:00+00:00", VOLUME, ["Envoyer", "Ne rien envoyer"])
    return f"/questions/{run.run_id}/volume"


def test_the_page_shows_every_letter_with_its_reader_and_the_two_answers(asked):
    path, _, letters = asked
    with browsing() as client:
        answer = client.get(path)
    page = answer.text
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert page.count('type="checkbox"') == 3
    for words in (*(one.notice.patron.name for one in letters), "REF-PL0", "Valider", "Ne rien imprimer", REASONS[0]):
        assert words.replace("'", "&#39;") in page
    assert "approve_letters" not in page
    assert "|" not in page


def test_letters_that_were_all_stopped_are_said_to_be_and_the_question_stays(asked, ledger):
    """Somebody said of a restored ledger that nothing is to leave; Airflow asks on, and the run waits for an answer."""
    path, _, letters = asked
    marks_of(ledger).find(Gap(unreadable=True))
    assert marks_of(ledger).refuse(who="zoé") == len(letters)
    with browsing() as client:
        page = client.get(path).text
        to_do = client.get("/").text
    assert "Plus aucune de ces lettres n'attend" in page
    assert ('type="checkbox"' in page, 'name="reponse"' in page) == (False, True)
    assert path in to_do


def test_letters_are_approved_with_the_librarians_session(asked, airflow, ledger):
    path, run_id, _ = asked
    with browsing("chloé", cookie="_token=abc") as client:
        said = client.post(path, data={"reponse": "oui"})
        assert (said.status_code, said.headers["location"]) == (303, f"/tournees/{run_id}?repondu=lettres")
        page = client.get(said.headers["location"]).text
        assert "Lettres recommandées validées, par chloé, aujourd&#39;hui" in page
        again = client.get(path).text
    assert airflow.changes == [
        ("PATCH", f"dags/registered_letter/dagRuns/run-1/taskInstances/{LETTERS}/-1/hitlDetails",
         {"chosen_options": ["Valider"], "params_input": {"retirer": None, "motif": None}}),
    ]  # fmt: skip
    assert set(airflow.sessions) == {"_token=abc"}
    assert ("Répondu par zoé" in again, 'name="reponse"' in again) == (True, False)
    assert rows(ledger, "SELECT question, agreed, who FROM question_answers") == [("letters", True, "chloé")]


def test_after_an_answer_the_first_page_asks_airflow_anew(asked, airflow):
    with browsing("chloé") as client:
        client.get("/")
        assert client.post(asked[0], data={"reponse": "oui"}).status_code == 303
        before = len(airflow.sessions)
        client.get("/")
    assert len(airflow.sessions) > before


def test_letters_that_are_taken_out_are_named_by_their_reference_with_a_reason(asked, airflow):
    path, _, letters = asked
    with browsing() as client:
        data = {"reponse": "oui", "retirer": [str(letters[1].delivery_id)], "motif": REASONS[1]}
        assert client.post(path, data=data).status_code == 303
    assert airflow.changes[0][2] == {
        "chosen_options": ["Valider"],
        "params_input": {"retirer": "REF-PL1", "motif": REASONS[1]},
    }


def test_a_refusal_takes_nothing_out_one_by_one(asked, airflow):
    path, _, letters = asked
    with browsing() as client:
        data = {"reponse": "non", "retirer": [str(letters[1].delivery_id)], "motif": ""}
        assert client.post(path, data=data).status_code == 303
    assert airflow.changes[0][2] == {
        "chosen_options": ["Ne rien imprimer"],
        "params_input": {"retirer": None, "motif": None},
    }


@pytest.mark.parametrize(
    ("data", "status", "words"),
    [
        ({}, 400, "Il manque la réponse"),
        ({"reponse": "bof"}, 400, "Il manque la réponse"),
        ({"reponse": "oui", "retirer": "ours"}, 400, "choisir pourquoi"),
        ({"reponse": "oui", "motif": "Camille est malade"}, 400, "Ce motif n&#39;est pas dans la liste"),
        ({"reponse": "oui", "retirer": "12", "motif": REASONS[0]}, 400, "ne peut pas avoir cette valeur"),
        (
            {"reponse": "oui", "retirer": "00000000-0000-0000-0000-000000000001", "motif": REASONS[0]},
            409,
            "n&#39;est plus de ce lot",
        ),
    ],
)
def test_what_is_not_an_answer_changes_nothing(asked, airflow, data, status, words):
    path, _, letters = asked
    if data.get("retirer") == "ours":
        data = {**data, "retirer": str(letters[0].delivery_id)}
    with browsing() as client:
        said = client.post(path, data=data)
    assert (said.status_code, words in said.text) == (status, True)
    assert airflow.changes == []
    assert "Camille est malade" not in said.text


def test_a_letter_stays_ticked_when_its_reason_is_missing(asked):
    path, _, letters = asked
    with browsing() as client:
        page = client.post(path, data={"reponse": "oui", "retirer": str(letters[2].delivery_id)}).text
    assert re.findall(r'value="([0-9a-f-]+)"[^>]* checked', page) == [str(letters[2].delivery_id)]
    assert 'aria-invalid="true"' in page


def test_the_volume_is_shown_in_figures_without_a_name_and_answered(volume, airflow, monkeypatch):
    from loan_reminders.settings.library_toml import Settings

    guard = Settings.guard

    def strict(self):
        from dataclasses import replace

        usual = guard(self)
        return replace(usual, caps=dict.fromkeys(usual.caps, 1))

    monkeypatch.setattr(Settings, "guard", strict)
    with browsing() as client:
        page = client.get(volume).text
        for words in ("e-mails", "<b>3</b>", "Envoyer", "Ne rien envoyer", "étudiant"):
            assert words in page
        assert "Camille" not in page
        said = client.post(volume, data={"reponse": "non"})
        assert said.status_code == 303
        assert "Volume refusé, rien ne part, par biblio" in client.get(said.headers["location"]).text
    [(_, path, body)] = airflow.changes
    assert path.split("/")[3] == "manual__2026-11-27T08:00:00+00:00"
    assert body == {"chosen_options": ["Ne rien envoyer"], "params_input": {}}


def test_an_answer_that_came_second_is_told(asked, airflow, ledger):
    path, _, _ = asked
    with browsing() as client:
        client.get(path)
        airflow._reply(airflow.questions["registered_letter", "run-1", LETTERS], {"chosen_options": ["Valider"]})
        said = client.post(path, data={"reponse": "non"})
    assert said.status_code == 409
    assert "Quelqu&#39;un a répondu entre-temps" in said.text
    assert "« Valider »" in said.text
    assert rows(ledger, "SELECT count(*) FROM question_answers") == [(0,)]


@pytest.mark.parametrize("status", [401, 403])
def test_whoever_may_not_answer_in_airflow_is_told(asked, airflow, status, ledger):
    path, _, _ = asked
    airflow.status = status
    with browsing() as client:
        for said in (client.get(path), client.post(path, data={"reponse": "oui"})):
            assert (said.status_code, "ne permet pas de répondre" in said.text) == (403, True)
            assert "in English" not in said.text
    assert rows(ledger, "SELECT count(*) FROM question_answers") == [(0,)]


def test_a_silent_airflow_is_told_with_where_else_to_answer(asked, airflow):
    path, _, _ = asked
    airflow.silent = True
    with browsing() as client:
        for said in (client.get(path), client.post(path, data={"reponse": "oui"})):
            assert (said.status_code, "Actions requises" in said.text) == (503, True)
            assert 'name="reponse"' not in said.text
            assert "REF-PL0" in said.text


def test_a_question_that_is_not_asked_has_no_buttons(asked, airflow):
    path, run_id, _ = asked
    airflow.questions.clear()
    with browsing() as client:
        page = client.get(path)
        assert (page.status_code, "pas posée en ce moment" in page.text) == (200, True)
        assert client.post(path, data={"reponse": "oui"}).status_code == 409
        for unknown in (f"/questions/{run_id + 1}/lettres", "/questions/0/lettres", "/questions/x/volume"):
            assert client.get(unknown).status_code == 404
        assert client.post(f"/questions/{run_id + 1}/lettres", data={"reponse": "oui"}).status_code == 404


def test_without_the_ledger_the_page_says_what_to_do(monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_REMINDERS_LEDGER", raising=False)
    with browsing() as client:
        for answer in (client.get("/questions/1/lettres"), client.post("/questions/1/volume", data={"reponse": "oui"})):
            assert (answer.status_code, "reminders_ledger" in answer.text) == (503, True)
