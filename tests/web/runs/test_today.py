"""The first page: what the ledger and Airflow know of the day, and what is said when one of them is silent."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from types import SimpleNamespace

import httpx
import pytest

from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.settings.library_toml import settings
from tests.scenes.first_page import (
    NOW,
    STARTS,
    TODAY,
    DayInAirflow,
    all_done,
    card,
    forget,
    look,
    look_twice,
    run_of,
    verdict,
)
from tests.scenes.ledger_runs import rows
from tests.web.client import application, browsing


@pytest.fixture(autouse=True)
def airflow(installed):
    """Airflow's API, and ten forty-two on the thirtieth of November."""
    from loan_reminders.web.runs.today import present

    fake, app = DayInAirflow(), application()
    app.state.airflow = httpx.MockTransport(fake)
    app.dependency_overrides[present] = lambda: NOW
    forget()
    yield fake
    del app.state.airflow
    app.dependency_overrides.clear()


def test_a_fresh_installation_says_what_to_do_first(airflow):
    airflow.paused = frozenset(STARTS)
    page = look()
    for words in (
        "Rien n'est encore parti d'ici",
        "Essai à blanc",
        "Relire les messages",
        "Demander à l'administrateur",
    ):
        assert words in page
    assert page.count("en pause") >= 5
    assert "prochaine tournée" not in page
    assert "Pas encore connu" in page
    assert 'pill bad"' not in page
    assert 'href="/installation"' in look("admin")


def test_an_unreachable_ledger_is_a_page_that_says_so(monkeypatch):
    from loan_reminders.web import ledger_access

    ledger_access.close()
    monkeypatch.setenv("AIRFLOW_CONN_REMINDERS_LEDGER", '{"conn_type": "postgres", "host": "127.0.0.1", "port": 1}')
    page = look(status=503)
    assert "registre" in page
    assert "prévenir l&#39;administrateur" in page
    ledger_access.close()


def test_an_unmigrated_ledger_names_the_command(monkeypatch, postgres_server, empty_database):
    from loan_reminders.web import ledger_access
    from tests.web.client import connection_to

    ledger_access.close()
    monkeypatch.setenv("AIRFLOW_CONN_REMINDERS_LEDGER", connection_to(postgres_server, empty_database))
    assert "commands.migrate upgrade" in look(status=503)
    ledger_access.close()


@pytest.mark.parametrize("status", [500, 404, 200])
def test_a_silent_airflow_leaves_what_the_ledger_knows(ledger, airflow, monkeypatch, status):
    run_of(ledger, Stage.COURTESY_NOTICE, 3, lost=1)
    monkeypatch.setattr("loan_reminders.web.runs.airflow_day.PATIENCE", 0.05)
    airflow.status = status
    airflow.delay = 0.3 if status == 200 else 0
    page = look()
    assert "Airflow ne répond pas" in page
    assert "3 lecteurs prévenus" in card(page, "Lettre de courtoisie")
    assert "faite à 10 h 03" in card(page, "Lettre de courtoisie")
    assert "manquée" in card(page, "1re lettre de relance")


def test_a_silent_airflow_is_not_asked_again_at_once(ledger, airflow):
    airflow.status = 503
    look_twice()
    assert len(airflow.asked) == 2


def test_an_answer_that_cannot_be_read_is_none(airflow):
    airflow.begin("overdue_notice", "a state of tomorrow")
    assert "Airflow ne répond pas" in look()


@pytest.mark.parametrize("status", [401, 403])
def test_airflow_refuses_whoever_may_not_see_runs(ledger, airflow, status):
    run_of(ledger, Stage.COURTESY_NOTICE, 3)
    airflow.status = status
    page = look()
    assert "Votre compte ne permet pas de voir les tournées" in page
    assert "faite à 10 h 03" in card(page, "Lettre de courtoisie")


def test_a_fine_day_is_said_in_one_sentence(ledger, airflow):
    all_done(ledger, airflow)
    page = look()
    assert verdict(page) == "Tout va bien."
    assert "Les cinq étapes sont faites, leurs comptes sont justes." in page
    assert "prochaine tournée : demain à 7 h" in page
    shown = card(page, "Lettre de courtoisie")
    for words in ("J − 2", "faite à 10 h 03", "3 lecteurs prévenus", "prêts vus 4", "e-mails 3", "non joint 1"):
        assert words in shown
    assert "Comptes justes" in shown
    assert "<h1>Lundi 30 novembre 2026</h1>" in page


def test_who_was_not_reached_is_a_link_only_for_whoever_may_see_names(ledger, airflow):
    all_done(ledger, airflow)
    link = re.compile(r'href="/tournees/\d+" aria-label="1 non joint, Lettre de courtoisie : qui et pourquoi"')
    assert link.search(look())
    assert "/tournees/" not in look("lecteur")


def test_nobodys_name_is_on_the_page(ledger, airflow):
    all_done(ledger, airflow)
    for role in ("biblio", "lecteur"):
        page = look(role)
        assert "Camille" not in page
        assert "Pcourtesy" not in page


def test_letters_to_print_and_a_question_wait_for_a_person(ledger, airflow):
    all_done(ledger, airflow)
    run_of(ledger, Stage.REGISTERED_LETTER, 6, channel=Channel.REGISTERED_LETTER, draft=True, close=False)
    airflow.begin("registered_letter", "running", ("prepare_letters", "success"), ("approve_letters", "awaiting_input"))
    page = look()
    assert verdict(page) == "wait Une chose vous attend."
    assert "attend votre accord" in card(page, "Lettre recommandée")
    assert "6 lettres en projet" in card(page, "Lettre recommandée")
    assert verdict(look("lecteur")) == "wait Une chose attend."
    rows(ledger, "UPDATE letter_batches SET state = 'ready'")
    assert "6 lettres en projet" not in look()


def test_a_stopped_stage_is_said_first_with_what_failed(ledger, airflow):
    all_done(ledger, airflow)
    airflow.begin("second_reminder", "failed", ("send_emails", "failed"), ("close_run", "failed"))
    page = look()
    assert verdict(page) == "bad La 2e lettre de relance est arrêtée."
    assert "Les comptes des 4 tournées faites sont justes." in page
    assert "arrêtée : « Envoyer les e-mails »" in card(page, "2e lettre de relance")


def test_what_waits_for_an_hour_says_which(ledger, airflow):
    all_done(ledger, airflow)
    rows(ledger, "UPDATE runs SET closed_at = NULL, balanced = NULL WHERE stage = 'overdue_notice'")
    airflow.begin("overdue_notice", "running", ("send_emails", "success"), ("send_sms", "deferred"))
    airflow.begin("second_reminder", "running", ("extract_loans", "up_for_retry"))
    page = look()
    # Deferred at 9 h 15, when the window opened at 10 h.
    assert "SMS : partiront à 10 h" in card(page, "Avis de retard")
    retried = card(page, "2e lettre de relance")
    assert re.search(r"nouvel essai à 1[01] h \d\d", retried)
    assert "« Extraire les prêts » n&#39;a pas abouti. Airflow recommence tout seul" in retried
    assert verdict(page) == "Tout va bien."
    assert "nouvel essai automatique pour la 2e lettre de relance" in page


def test_a_paused_and_a_broken_stage_stop_the_day(ledger, airflow):
    all_done(ledger, airflow)
    for stage in ("first_reminder", "second_reminder"):
        del airflow.runs[stage]
        rows(ledger, "UPDATE runs SET library = 'other' WHERE stage = :stage", stage=stage)
    airflow.paused, airflow.broken = frozenset({"first_reminder", "courtesy_notice"}), frozenset({"second_reminder"})
    page = look()
    assert verdict(page) == "bad Deux étapes sont arrêtées."
    assert "en pause" in card(page, "1re lettre de relance")
    assert "illisible pour Airflow" in card(page, "2e lettre de relance")
    assert "rien ne partira demain" in card(page, "Lettre de courtoisie")
    assert "prochaine tournée : demain à 8 h 20" in page


def test_runs_of_other_days_and_dry_runs_are_not_the_day(airflow):
    airflow.begin("courtesy_notice", "failed", conf={"reference_date": "2026-11-28", "dry_run": False})
    airflow.begin("first_reminder", "running", ("extract_loans", "running"), conf={"dry_run": True})
    airflow.begin("second_reminder", "running", ("extract_loans", "running"), conf={"reference_date": "2026-11-30"})
    page = look()
    assert "manquée" in card(page, "Lettre de courtoisie")
    assert "manquée" in card(page, "1re lettre de relance")
    assert "en cours" in card(page, "2e lettre de relance")


def test_a_missed_day_before_waits_for_somebody(ledger, airflow):
    all_done(ledger, airflow)
    run_of(ledger, Stage.SECOND_REMINDER, 1, day=TODAY - timedelta(days=2))
    page = look()
    assert verdict(page) == "wait Une chose vous attend."
    assert "1 jour manqué à rattraper" in page


def test_airflow_is_asked_as_little_as_can_be(ledger, airflow):
    all_done(ledger, airflow)
    look_twice()
    assert sorted(airflow.asked) == ["dags", "dags/~/dagRuns/list"]
    assert b"2026-11-30T00:00:00+01:00" in airflow.bodies[0]
    look("zoé")
    assert len(airflow.asked) == 4
    airflow.begin("second_reminder", "failed", ("send_emails", "failed"))
    forget("zoé")
    look("zoé")
    assert airflow.asked[6:] == ["dags/second_reminder/dagRuns/scheduled__second_reminder/taskInstances"]


def test_many_looks_of_one_person_at_once_ask_once(airflow):
    from loan_reminders.web.airflow_api import AirflowApi
    from loan_reminders.web.runs.airflow_day import airflow_day

    request = SimpleNamespace(headers={}, app=application())

    async def all_at_once():
        looks = (
            airflow_day(AirflowApi(request), person="zoé", now=NOW, window=settings().sms_window()) for _ in range(9)
        )
        return await asyncio.gather(*looks)

    airflow.delay = 0.02
    days = asyncio.run(all_at_once())
    assert (len(days), len(airflow.asked)) == (9, 2)
    assert set(days[0].stages) == set(Stage)


def test_the_credit_its_pace_and_its_limits(ledger, airflow):
    run_of(ledger, Stage.OVERDUE_NOTICE, 28, channel=Channel.SMS)
    rows(ledger, "UPDATE deliveries SET claimed_at = :at, segments = 1", at=NOW - timedelta(days=27))
    ledger.keep_sms_credit(900, at=NOW - timedelta(days=3))
    ledger.keep_sms_credit(880, at=NOW.replace(hour=9, minute=10))
    page = look()
    assert '<span class="big">880</span> SMS · <b>plus de deux ans au rythme actuel</b>' in page
    assert "Relevé à 9 h 10 chez le prestataire" in page
    assert "Moins que la réserve de 1 000" in page
    assert "Crédit SMS, de 900 le 27/11 à 880 aujourd'hui" in page
    assert "<dd>0 sur 500</dd>" in page
    assert "<dd>28 sur 5 000</dd>" in page
    ledger.keep_sms_credit(90, at=NOW)
    assert "plus aucun SMS ne part" in look()


def test_the_last_days_are_drawn_and_their_figures_stand_beside(ledger, airflow):
    all_done(ledger, airflow)
    page = look()
    assert 'aria-label="Envois des sept derniers jours, par canal"' in page
    assert '<tr><th scope="row">lundi 30 novembre</th><td class="n">11</td></tr>' in page
    assert page.count('<th scope="row">') == 7


def test_tomorrow_is_about_what_the_last_weeks_say(ledger, airflow):
    assert "Pas encore assez de jours connus" in look()
    for week in (1, 2, 3):
        run_of(ledger, Stage.COURTESY_NOTICE, week, day=TODAY + timedelta(days=1 - 7 * week))
    forget()
    page = look()
    assert "environ 2 lecteurs" in page
    assert "pas encore assez de jours connus" in page


def test_the_page_is_light_and_needs_neither_script_nor_style_of_its_own(ledger, airflow):
    all_done(ledger, airflow)
    ledger.keep_sms_credit(900, at=NOW - timedelta(days=100))
    page = look()
    with browsing() as client:
        others = sum(len(client.get(f"/static/relances.{kind}").content) for kind in ("css", "js"))
    assert len(page.encode()) + others <= 100_000
    assert " style=" not in page
    assert page.count("<script") == 1
    assert re.findall(r"<h(\d)", page)[:3] == ["1", "2", "3"]
