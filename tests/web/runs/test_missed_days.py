"""Days without a run: their list, what a run would still say, and the one start of it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from loan_reminders.domain.errors import IlsUnavailable
from loan_reminders.domain.stages import Stage
from loan_reminders.settings.library_toml import settings
from loan_reminders.web.runs import missed_days
from tests.scenes.builders import a_loan, a_mobile, a_patron, an_email
from tests.scenes.ledger_runs import extracted, opened, rows
from tests.scenes.world import ListedLoans
from tests.web.client import browsing

TODAY = datetime.now(settings().zone).date()
DAY = TODAY - timedelta(days=2)
STAGE = Stage.OVERDUE_NOTICE
LIST = "/tournees/jours-manques"
PAGE = f"{LIST}/{STAGE}/{DAY}"


@pytest.fixture
def ils(airflow, monkeypatch):
    """An ILS in which two readers still have what was due the day before."""
    due = settings().policy().rule(STAGE).due_date_on(DAY)
    readers = [
        a_patron(patron_id=f"P{one}", email=an_email(f"p{one}@x.example"), mobile=a_mobile(f"3363998000{one}"))
        for one in (1, 2)
    ]
    listed = ListedLoans(
        rows=[a_loan(loan_id=f"L{reader.patron_id}", due_date=due, patron=reader) for reader in readers]
    )
    monkeypatch.setattr(missed_days, "source_for", lambda *_, **__: listed)
    return listed


def a_green_run(ledger, day, stage=STAGE):
    run = opened(ledger, dag_run_id=f"green {stage} {day}", reference_date=day, today=day, stage=stage)
    ledger.finish_extraction(run.run_id, 0)
    with ledger.planning(run.run_id):
        pass
    ledger.close_run(run.run_id)


def test_the_list_says_which_days_and_what_is_wrong(ledger, airflow):
    with browsing() as client:
        assert "Aucun jour n&#39;a été manqué" in client.get(LIST).text.replace("n'a", "n&#39;a")
        a_green_run(ledger, DAY - timedelta(days=1))
        page = client.get(LIST).text
    assert f'href="/tournees/jours-manques/overdue_notice/{DAY}"' in page
    assert "aucune tournée" in page
    with browsing("lecteur") as client:
        seen = client.get(LIST)
    assert (seen.status_code, f"{LIST}/overdue_notice" in seen.text) == (200, False)


def test_a_long_list_is_filtered_ordered_and_comes_page_by_page(ledger, airflow):
    for stage in (STAGE, Stage.FIRST_REMINDER):
        a_green_run(ledger, TODAY - timedelta(days=29), stage)

    def listed(**asked):
        page = client.get(LIST, params=asked).text
        return re.findall(rf'href="{LIST}/(\w+)/([\d-]+)"', page), page

    with browsing() as client:
        first, page = listed()
        rest, _ = listed(page=2)
        assert (len(first), len(first + rest) in (56, 57, 58), "page=2" in page) == (50, True, True)
        newest, _ = listed(tri="jour", sens="desc")
        assert [day for _, day in newest] == sorted((day for _, day in newest), reverse=True)
        assert {stage for stage, _ in listed(etape="first_reminder")[0]} == {"first_reminder"}
        assert listed(page=99)[0] == rest


def test_before_anything_is_started_the_page_says_whom_it_would_tell(ils, ledger):
    with browsing() as client:
        page = client.get(PAGE).text
    assert '<span class="big">2</span> lecteurs seraient encore prévenus' in page
    assert "2 e-mails" in page
    assert 'name="cle"' in page
    assert rows(ledger, "SELECT count(*) FROM runs") == [(0,)]


def test_readers_whom_a_later_stage_tells_are_named_and_those_known_lead_to_their_pages(ils, ledger):
    day = TODAY - timedelta(days=7)
    due = settings().policy().rule(STAGE).due_date_on(day)
    ils.rows = [replace(one, due_date=due) for one in ils.rows]
    known, other = (one.patron for one in ils.rows)
    ils.rows = [replace(ils.rows[0], patron=replace(known, name="Zoé Zèbre")), *ils.rows[1:]]
    extracted(ledger, ils.rows[:1], reference_date=day, due_date=due, today=day)
    [(number,)] = rows(ledger, "SELECT reader_number FROM readers")
    with browsing() as client:
        page = client.get(f"{LIST}/{STAGE}/{day}").text
    assert "<b>2</b> à une étape suivante" in page
    assert f'<li>{other.name}</li><li><a href="/lecteurs/{number}">Zoé Zèbre</a></li>' in page


def test_the_button_starts_the_run_of_that_day_and_the_journal_says_who(ils, airflow, ledger):
    with browsing("chloé") as client:
        client.get("/")
        said = client.post(PAGE)
        assert said.status_code == 303
        before = len(airflow.sessions)
        client.get("/")
        assert len(airflow.sessions) > before, "the first page asks Airflow anew"
        assert said.headers["location"] == f"/tournees/airflow?dag=overdue_notice&tournee=rattrapage__{DAY}__1"
        assert "pas encore commencé" in client.get(said.headers["location"]).text
    [(method, path, body)] = [one for one in airflow.changes if not one[1].endswith("/list")]
    assert (method, path) == ("POST", "dags/overdue_notice/dagRuns")
    assert body == {
        "dag_run_id": f"rattrapage__{DAY}__1", "logical_date": None, "conf": {"reference_date": DAY.isoformat()},
    }  # fmt: skip
    acts = rows(ledger, "SELECT who, act, facts->>'stage', facts->>'day' FROM journal")
    assert acts == [("chloé", "day_caught_up", "overdue_notice", DAY.isoformat())]


def test_a_run_of_that_day_under_way_is_said_and_not_started_again(ils, airflow, ledger):
    with browsing() as client:
        assert client.post(PAGE).status_code == 303
        for said in (client.post(PAGE), client.get(PAGE)):
            assert "déjà en cours ou en attente" in said.text
            assert "<button" not in said.text
        assert client.post(PAGE).status_code == 409
        airflow.runs["overdue_notice"][0]["state"] = "failed"
        assert client.post(PAGE).status_code == 303
    assert [body["dag_run_id"][-1] for _, _, body in airflow.changes] == ["1", "2"]
    assert rows(ledger, "SELECT count(*) FROM journal") == [(2,)]


def test_a_scheduled_run_of_that_day_under_way_is_seen_too(ils, airflow):
    tick = datetime.combine(DAY, datetime.min.time(), settings().zone).replace(hour=10).isoformat()
    airflow.runs["overdue_notice"] = [
        {"dag_run_id": "scheduled__x", "state": "running", "conf": {}, "logical_date": tick, "run_after": tick}
    ]
    with browsing() as client:
        assert client.post(PAGE).status_code == 409
        other = client.get(f"{LIST}/{STAGE}/{DAY - timedelta(days=1)}").text
        airflow.at_once = 2
        beside = client.get(f"{LIST}/{STAGE}/{DAY - timedelta(days=1)}").text
    waits = "celle-ci attendra que l'une d'elles soit finie"
    assert waits in other
    assert waits not in beside
    assert airflow.changes == []


def test_two_librarians_at_once_start_one_run(ils, airflow):
    airflow.runs["overdue_notice"] = [
        {"dag_run_id": f"rattrapage__{DAY}__2", "state": "success", "conf": {}, "run_after": "2026-11-01T00:00:00Z"}
    ]
    with browsing() as client:
        said = client.post(PAGE)
    assert (said.status_code, "déjà en cours" in said.text) == (409, True)


def test_a_paused_stage_is_said(ils, airflow):
    airflow.paused.add("overdue_notice")
    with browsing() as client:
        assert "en pause dans Airflow" in client.get(PAGE).text
        assert client.post(PAGE).status_code == 409
    assert airflow.changes == []


@pytest.mark.parametrize(("status", "words"), [(403, "ne permet pas"), (404, "ne connaît pas cette étape")])
def test_what_airflow_refuses_is_said(ils, airflow, status, words, ledger):
    airflow.status = status
    with browsing() as client:
        for said in (client.get(PAGE), client.post(PAGE)):
            assert words in said.text
            assert "<button" not in said.text
    assert rows(ledger, "SELECT count(*) FROM journal") == [(0,)]


def test_a_silent_airflow_or_ils_is_said(ils, airflow, monkeypatch):
    airflow.silent = True
    with browsing() as client:
        assert "Airflow ne répond pas" in client.get(PAGE).text
        assert client.post(PAGE).status_code == 503
        airflow.silent, ils.down = False, True
        page = client.get(PAGE)
    assert (page.status_code, "the ILS does not answer" in page.text, "<button" in page.text) == (200, True, False)
    assert issubclass(IlsUnavailable, Exception)


@pytest.mark.parametrize("day", [TODAY + timedelta(days=1), TODAY - timedelta(days=400), date.min])
def test_a_day_that_cannot_be_is_refused(ils, airflow, day):
    with browsing() as client:
        for said in (client.get(f"{LIST}/{STAGE}/{day}"), client.post(f"{LIST}/{STAGE}/{day}")):
            assert said.status_code == 404
        assert client.get(f"{LIST}/watch/{DAY}").status_code == 404
    assert airflow.changes == []
