"""Each state of a stage as the card of the first page says it, out of the ledger and Airflow's own answers."""

from __future__ import annotations

import re

import pytest

from loan_reminders.domain.stages import Channel, Stage
from tests.scenes.first_page import all_done, card, forget, look, run_of
from tests.scenes.ledger_runs import rows
from tests.web.client import browsing

pytestmark = pytest.mark.usefixtures("stages")
STAGE, NAME = "second_reminder", "2e lettre de relance"


@pytest.fixture
def unknown(ledger, stages):
    """A fine day, but the ledger and Airflow know of no run of this stage."""
    all_done(ledger, stages)
    rows(ledger, "UPDATE runs SET library = 'other' WHERE stage = :stage", stage=STAGE)
    del stages.runs[STAGE]


@pytest.mark.usefixtures("unknown")
@pytest.mark.parametrize(
    ("state", "tasks", "words"),
    [
        ("queued", (), "attend son tour"),
        ("running", (("extract_loans", "running"),), "en cours depuis 8 h 20"),
        ("running", (("confirm_volume", "awaiting_input"),), "à confirmer"),
        ("running", (("approve_letters", "awaiting_input"),), "attend votre accord"),
        ("running", (("send_sms", "deferred"),), "SMS : partiront à 10 h"),
        ("running", (("extract_loans", "up_for_retry"),), r"nouvel essai à 1[01] h \d\d"),
        ("running", (("send_emails", "failed"),), "arrêtée : « Envoyer les e-mails »"),
        ("failed", (("extract_loans", "failed"),), "arrêtée : « Extraire les prêts »"),
        ("success", (), "déclarée faite, sans comptes"),
        ("", (), "manquée : prévue à 8 h 20"),
    ],
)
def test_a_card_says_how_far_its_run_is_in_airflow(stages, state, tasks, words):
    if state:
        stages.begin(STAGE, state, *tasks)
    assert re.search(words, card(look(), NAME))


@pytest.mark.usefixtures("unknown")
def test_a_card_says_that_its_stage_is_paused(stages):
    stages.paused = frozenset({STAGE})
    assert "en pause Rien ne part tant" in card(look(), NAME)


def test_a_card_says_that_its_hour_has_not_come(ledger, stages):
    from loan_reminders.web.runs.today import present
    from tests.scenes.first_page import NOW
    from tests.web.client import application

    application().dependency_overrides[present] = lambda: NOW.replace(hour=6)
    assert "pas encore : prévue à 8 h 20" in card(look(), NAME)


def test_a_card_says_when_it_was_done(ledger, stages):
    all_done(ledger, stages)
    assert "faite à 10 h 03" in card(look(), NAME)


def test_a_card_says_what_is_left_to_print(ledger, stages):
    run_of(ledger, Stage.SECOND_REMINDER, 1, channel=Channel.LETTER)
    stages.begin(STAGE, "success")
    assert "1 lettre à imprimer" in card(look(), NAME)


LOG = f"/dags/{STAGE}/runs/scheduled__{STAGE}/tasks"


def ways(page: str, name: str = NAME) -> dict[str, str]:
    """The links below a card: their words, and where each leads."""
    [found] = [part for part in page.split('<li class="card">')[1:] if f"<h3>{name}</h3>" in part]
    links = re.findall(r'<a href="([^"]*)"[^>]*>([^<]*)</a>', found.partition("</li>")[0])
    return {words.replace("&#39;", "'"): path for path, words in links}


@pytest.mark.parametrize(
    ("task", "cause", "words"),
    [
        ("extract_loans", "ils_silent", "arrêtée : le SIGB ne répond pas"),
        ("send_emails", "mail_refuses", "arrêtée : le serveur de messagerie refuse la connexion"),
        ("send_emails", '"mail_refuses"', "arrêtée : le serveur de messagerie refuse la connexion"),
        ("extract_loans", "a cause of tomorrow", "arrêtée : « Extraire les prêts »"),
    ],
)
@pytest.mark.usefixtures("unknown")
def test_a_stopped_stage_says_why_and_leads_to_the_log_of_its_task(stages, task, cause, words):
    stages.begin(STAGE, "failed", ("close_run", "failed"), (task, "failed"))
    stages.causes = {(STAGE, task, "-1"): cause, (STAGE, "close_run", "-1"): "other_task"}
    page = look()
    assert words in card(page, NAME)
    assert ways(page)["Journal de la tâche"].endswith(f"{LOG}/{task}")
    assert "Journal de la tâche" not in look("lecteur"), "it names readers' trouble, and Airflow refuses it"


@pytest.mark.usefixtures("unknown")
def test_of_several_that_send_the_emails_the_one_that_says_why_is_shown(stages):
    stages.begin(STAGE, "failed", ("send_emails", "failed"), ("send_emails", "failed"))
    for place, task in enumerate(stages.tasks[STAGE]):
        task["map_index"] = place
    stages.causes = {(STAGE, "send_emails", "1"): "mail_silent"}
    page = look()
    assert "arrêtée : le serveur de messagerie ne répond pas « Envoyer les e-mails »" in card(page, NAME).replace(
        "&#39;", "'"
    )
    assert ways(page)["Journal de la tâche"].endswith(f"{LOG}/send_emails/mapped/1")


@pytest.mark.usefixtures("unknown")
def test_a_stage_that_is_tried_again_says_what_keeps_it(stages):
    stages.begin(STAGE, "running", ("extract_loans", "up_for_retry"))
    stages.causes = {(STAGE, "extract_loans", "-1"): "ils_silent"}
    assert "n&#39;a pas abouti : le SIGB ne répond pas. Airflow recommence tout seul" in card(look(), NAME)


def test_a_card_leads_to_its_run_and_to_the_answer_that_is_waited_for(ledger, stages):
    run = run_of(ledger, Stage.SECOND_REMINDER, 2, close=False)
    assert ways(look("lecteur"))["Voir la tournée"] == f"/tournees/{run}"
    stages.begin(STAGE, "running", ("confirm_volume", "awaiting_input"))
    forget()
    page = look()
    assert ways(page)["Répondre"] == f"/questions/{run}/volume"
    assert "Actions requises" not in card(page, NAME)
    stages.begin(STAGE, "running", ("approve_letters", "awaiting_input"))
    forget()
    assert ways(look())["Relire et valider"] == f"/questions/{run}/lettres"
    forget()
    assert "Relire et valider" not in ways(look("lecteur"))
    stages.begin(STAGE, "failed", ("extract_loans", "failed"), dag_run_id="a later one")
    forget()
    assert "Voir la tournée" not in ways(look()), "the ledger knows an earlier run alone"


@pytest.mark.usefixtures("unknown")
def test_a_missed_day_is_caught_up_from_its_card(stages):
    page = look()
    assert ways(page)["Rattraper ce jour"] == f"/tournees/jours-manques/{STAGE}/2026-11-30"
    assert "dans Airflow" not in card(page, NAME)
    stages.paused = frozenset({STAGE})
    forget()
    assert ways(look())["L'étape dans Airflow"].endswith(f"/dags/{STAGE}")


def test_registered_letters_that_nobody_posted_are_on_their_card_with_their_batch(ledger, stages):
    run = run_of(ledger, Stage.REGISTERED_LETTER, 6, channel=Channel.REGISTERED_LETTER)
    stages.begin("registered_letter", "success")
    rows(ledger, "UPDATE letter_batches SET state = 'printed'")
    page = look()
    shown = card(page, "Lettre recommandée")
    assert "6 recommandés à poster" in shown
    assert "0 lecteurs prévenus" not in shown
    assert f'href="/tournees/{run}/lots" aria-label="6 recommandés à poster, Lettre recommandée : voir le lot"' in page
    with browsing() as client:
        assert re.fullmatch(r"/lots/\d+", client.get(f"/tournees/{run}/lots").headers["location"])
