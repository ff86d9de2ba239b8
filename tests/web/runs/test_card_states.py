"""Each state of a stage as the card of the first page says it, out of the ledger and Airflow's own answers."""

from __future__ import annotations

import re

import pytest

from loan_reminders.domain.stages import Channel, Stage
from tests.scenes.first_page import all_done, card, look, run_of
from tests.scenes.ledger_runs import rows

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
