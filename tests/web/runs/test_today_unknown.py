"""The first page of a new installation, and when the ledger or Airflow is silent; how little Airflow is asked."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from loan_reminders.domain.stages import Stage
from loan_reminders.settings.library_toml import settings
from tests.scenes.first_page import NOW, STARTS, all_done, card, forget, look, look_twice, run_of
from tests.web.client import application

pytestmark = pytest.mark.usefixtures("stages")


def test_a_fresh_installation_says_what_to_do_first(stages):
    stages.paused = frozenset(STARTS)
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
    page = look(status=503)
    for words in (
        "Tout est arrêté : le registre attend sa mise à jour",
        "loan_reminders migrate upgrade",
        '<h2 id="a-faire">',
    ):
        assert words in page
    assert "Le registre attend sa mise à jour : plus rien ne part" in page
    assert "Voir l'installation" not in page
    assert 'href="/installation" aria-label="Voir l' in look("admin", status=503)
    ledger_access.close()


@pytest.mark.parametrize("status", [500, 404, 200])
def test_a_silent_airflow_leaves_what_the_ledger_knows(ledger, stages, monkeypatch, status):
    run_of(ledger, Stage.COURTESY_NOTICE, 3, lost=1)
    monkeypatch.setattr("loan_reminders.web.runs.airflow_day.PATIENCE", 0.05)
    stages.status = status
    stages.delay = 0.3 if status == 200 else 0
    page = look()
    assert "Airflow ne répond pas" in page
    assert "3 lecteurs prévenus" in card(page, "Lettre de courtoisie")
    assert "faite à 10 h 03" in card(page, "Lettre de courtoisie")
    assert "manquée" in card(page, "1re lettre de relance")


def test_a_silent_airflow_is_not_asked_again_at_once(ledger, stages):
    stages.status = 503
    look_twice()
    assert len(stages.asked) == 2


def test_an_answer_that_cannot_be_read_is_none(stages):
    stages.begin("overdue_notice", "a state of tomorrow")
    assert "Airflow ne répond pas" in look()


@pytest.mark.parametrize("status", [401, 403])
def test_airflow_refuses_whoever_may_not_see_runs(ledger, stages, status):
    run_of(ledger, Stage.COURTESY_NOTICE, 3)
    stages.status = status
    page = look()
    assert "Votre compte ne permet pas de voir les tournées" in page
    assert "faite à 10 h 03" in card(page, "Lettre de courtoisie")


def test_airflow_is_asked_as_little_as_can_be(ledger, stages):
    all_done(ledger, stages)
    look_twice()
    assert sorted(stages.asked) == ["dags", "dags/~/dagRuns/list"]
    assert b"2026-11-30T00:00:00+01:00" in stages.bodies[0]
    look("zoé")
    assert len(stages.asked) == 4
    stages.begin("second_reminder", "failed", ("send_emails", "failed"))
    forget("zoé")
    look("zoé")
    tasks = "dags/second_reminder/dagRuns/scheduled__second_reminder/taskInstances"
    assert stages.asked[6:] == [tasks, f"{tasks}/send_emails/xcomEntries/cause"]


def test_who_does_not_wait_for_airflow_leaves_its_answer_to_the_next(stages):
    from loan_reminders.web.airflow_api import AirflowApi
    from loan_reminders.web.runs.airflow_day import airflow_day

    request = SimpleNamespace(headers={}, app=application())

    async def one_after_the_other():
        def ask():
            return airflow_day(AirflowApi(request), person="zoé", now=NOW, window=settings().sms_window())

        for _ in range(2):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await ask()
        return await ask()

    stages.delay = 0.2
    day = asyncio.run(one_after_the_other())
    assert (set(day.stages), len(stages.asked)) == (set(Stage), 2)


def test_many_looks_of_one_person_at_once_ask_once(stages):
    from loan_reminders.web.airflow_api import AirflowApi
    from loan_reminders.web.runs.airflow_day import airflow_day

    request = SimpleNamespace(headers={}, app=application())

    async def all_at_once():
        looks = (
            airflow_day(AirflowApi(request), person="zoé", now=NOW, window=settings().sms_window()) for _ in range(9)
        )
        return await asyncio.gather(*looks)

    stages.delay = 0.02
    days = asyncio.run(all_at_once())
    assert (len(days), len(stages.asked)) == (9, 2)
    assert set(days[0].stages) == set(Stage)
