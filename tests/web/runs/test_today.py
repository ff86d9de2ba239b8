"""The first page: the verdict and the five stages, as the ledger and Airflow know them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest

from loan_reminders.domain.runs.to_do import ToDoItem, ToDoKind
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.settings.library_toml import settings
from loan_reminders.web import badge, ledger_access
from tests.scenes.first_page import NOW, TODAY, all_done, card, forget, look, run_of, verdict
from tests.scenes.ledger_runs import rows
from tests.web.client import browsing

pytestmark = pytest.mark.usefixtures("stages")


def test_a_fine_day_is_said_in_one_sentence(ledger, stages):
    all_done(ledger, stages)
    page = look()
    assert verdict(page) == "Tout va bien."
    assert "Les cinq étapes sont faites, leurs comptes sont justes." in page
    assert "prochaine tournée : demain à 7 h" in page
    shown = card(page, "Lettre de courtoisie")
    for words in ("J − 2", "faite à 10 h 03", "3 lecteurs prévenus", "prêts vus 4", "e-mails 3", "non joint 1"):
        assert words in shown
    assert "Comptes justes" in shown
    assert "<h1>Lundi 30 novembre 2026</h1>" in page


def test_letters_to_print_and_a_question_wait_for_a_person(ledger, stages):
    all_done(ledger, stages)
    run_of(ledger, Stage.REGISTERED_LETTER, 6, channel=Channel.REGISTERED_LETTER, draft=True, close=False)
    stages.begin("registered_letter", "running", ("prepare_letters", "success"), ("approve_letters", "awaiting_input"))
    page = look()
    assert verdict(page) == "wait Une chose vous attend."
    assert "attend votre accord" in card(page, "Lettre recommandée")
    assert "6 lettres en projet" in card(page, "Lettre recommandée")
    assert verdict(look("lecteur")) == "wait Une chose attend."
    rows(ledger, "UPDATE letter_batches SET state = 'ready'")
    assert "6 lettres en projet" not in look()


def test_a_stopped_stage_is_said_first_with_what_failed(ledger, stages):
    all_done(ledger, stages)
    stages.begin("second_reminder", "failed", ("send_emails", "failed"), ("close_run", "failed"))
    page = look()
    assert verdict(page) == "bad La 2e lettre de relance est arrêtée."
    assert "Les comptes des 4 tournées faites sont justes." in page
    assert "arrêtée : « Envoyer les e-mails »" in card(page, "2e lettre de relance")


def test_what_waits_for_an_hour_says_which(ledger, stages):
    all_done(ledger, stages)
    rows(ledger, "UPDATE runs SET closed_at = NULL, balanced = NULL WHERE stage = 'overdue_notice'")
    stages.begin("overdue_notice", "running", ("send_emails", "success"), ("send_sms", "deferred"))
    stages.begin("second_reminder", "running", ("extract_loans", "up_for_retry"))
    page = look()
    # Deferred at 9 h 15, when the window opened at 10 h.
    assert "SMS : partiront à 10 h" in card(page, "Avis de retard")
    retried = card(page, "2e lettre de relance")
    assert re.search(r"nouvel essai à 1[01] h \d\d", retried)
    assert "« Extraire les prêts » n&#39;a pas abouti. Airflow recommence tout seul" in retried
    assert verdict(page) == "Tout va bien."
    assert "nouvel essai automatique pour la 2e lettre de relance" in page


def test_a_paused_and_a_broken_stage_stop_the_day(ledger, stages):
    all_done(ledger, stages)
    for stage in ("first_reminder", "second_reminder"):
        del stages.runs[stage]
        rows(ledger, "UPDATE runs SET library = 'other' WHERE stage = :stage", stage=stage)
    stages.paused, stages.broken = frozenset({"first_reminder", "courtesy_notice"}), frozenset({"second_reminder"})
    page = look()
    assert verdict(page) == "bad Deux étapes sont arrêtées."
    assert "en pause" in card(page, "1re lettre de relance")
    assert "illisible pour Airflow" in card(page, "2e lettre de relance")
    assert "rien ne partira demain" in card(page, "Lettre de courtoisie")
    assert "prochaine tournée : demain à 8 h 20" in page


def test_runs_of_other_days_and_dry_runs_are_not_the_day(stages):
    stages.begin("courtesy_notice", "failed", conf={"reference_date": "2026-11-28", "dry_run": False})
    stages.begin("first_reminder", "running", ("extract_loans", "running"), conf={"dry_run": True})
    stages.begin("second_reminder", "running", ("extract_loans", "running"), conf={"reference_date": "2026-11-30"})
    page = look()
    assert "manquée" in card(page, "Lettre de courtoisie")
    assert "manquée" in card(page, "1re lettre de relance")
    assert "en cours" in card(page, "2e lettre de relance")


def test_a_missed_day_before_waits_for_somebody(ledger, stages):
    all_done(ledger, stages)
    run_of(ledger, Stage.SECOND_REMINDER, 1, day=TODAY - timedelta(days=2))
    page = look()
    assert verdict(page) == "wait Une chose vous attend."
    assert "1 jour manqué à rattraper" in page


def test_a_long_outage_is_one_line_a_stage(ledger, stages):
    all_done(ledger, stages)
    for stage in Stage:
        run_of(ledger, stage, 1, day=TODAY - timedelta(days=25))
    page = look()
    assert verdict(page) == "wait 5 choses vous attendent."
    assert "120 jours manqués à rattraper" in page
    assert page.count('<li class="missed_day">') == 5
    assert "24 jours n'ont pas eu" in page.replace("&#39;", "'")


@pytest.mark.parametrize("state", ["queued", "running"])
def test_a_day_whose_run_goes_on_in_airflow_is_not_missed_though_the_ledger_knows_nothing(ledger, stages, state):
    all_done(ledger, stages)
    run_of(ledger, Stage.COURTESY_NOTICE, 1, day=TODAY - timedelta(days=1))
    rows(
        ledger, "UPDATE runs SET library = 'other' WHERE stage = 'courtesy_notice' AND reference_date = :day", day=TODAY
    )
    stages.begin("courtesy_notice", state, ("extract_loans", "running"))
    page = look()
    assert verdict(page) == "Tout va bien."
    assert '<li class="missed_day">' not in page
    assert "jour manqué" not in page
    del stages.runs["courtesy_notice"]
    forget()
    page = look()
    assert verdict(page) == "bad La lettre de courtoisie n&#39;a pas eu lieu, une chose vous attend."
    assert '<li class="missed_day">' in page


def test_the_number_beside_the_tab_is_that_of_the_first_page_on_every_page(monkeypatch, stages):
    """The clock of the number is the real one; a run of today that goes on in Airflow is nobody's work."""

    class Missing:
        def items(self, **_):
            today = datetime.now(settings().zone).date()
            return [ToDoItem(kind=ToDoKind.MISSED_DAY, stage=Stage.COURTESY_NOTICE, days=(today,))]

    def numbers():
        badge.forget()
        forget()
        with browsing() as client:
            pages = [client.get("/messages").text, client.post("/lecteurs", data={"recherche": "Zèbre"}).text]
        return ['class="count"' in one for one in pages]

    monkeypatch.setattr(ledger_access, "to_do", Missing)
    stages.begin("courtesy_notice", "queued")
    assert numbers() == [False, False]
    stages.runs.clear()
    assert numbers()[-1]


def test_a_run_of_yesterday_that_still_sends_is_no_day_to_catch_up(ledger, stages):
    all_done(ledger, stages)
    run_of(ledger, Stage.OVERDUE_NOTICE, 1, day=TODAY - timedelta(days=1), close=False)
    rows(ledger, "UPDATE runs SET started_at = :at WHERE closed_at IS NULL", at=NOW - timedelta(hours=20))
    page = look()
    assert verdict(page) == "Tout va bien."
    assert "jour manqué" not in page
