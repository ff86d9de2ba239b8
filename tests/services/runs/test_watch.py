"""What the DAG `watch` finds: days without a green run, and runs that stand still; and what it lets be."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from loan_reminders.domain.errors import DaysMissed
from loan_reminders.domain.stages import Stage
from loan_reminders.services.runs.watch import watch
from tests.scenes.ledger_letters import answered_hours_ago

PARIS = ZoneInfo("Europe/Paris")
TODAY = date(2026, 11, 27)
STAGE = Stage.OVERDUE_NOTICE
STARTS = dict.fromkeys(Stage, time(10))
ONE_AT_A_TIME = {Stage.COURTESY_NOTICE, Stage.FIRST_REMINDER, Stage.SECOND_REMINDER}
_RUN = text("""
    INSERT INTO runs (library, stage, reference_date, due_date, today, dag_run_id, attempt, dry_run, state,
        loans_extracted, balanced, started_at, closed_at)
    VALUES (:library, :stage, :day, :day, :day, :dag_run_id, 1, :dry_run, :state, 0, :balanced, :started_at, :closed_at)
    RETURNING run_id
""")
_DRAFT = text("""
    INSERT INTO letter_batches (library, run_id, name, letters, pages, pdf, csv, sha256, kind, state)
    VALUES ('demo', :run_id, 'draft', 1, 1, 'a', 'b', '', 'registered_letter', 'draft')
""")
_APPROVED = text("""
    INSERT INTO letter_events (library, batch_id, who, act)
    SELECT library, batch_id, 'zoé', 'approved' FROM letter_batches
""")


@dataclass
class Airflow:
    """Fulfils `Orchestrator`."""

    running: set[str] = field(default_factory=set)
    active: int = 0
    is_paused: bool = False

    def under_way(self, stage, dag_run_id):
        return dag_run_id in self.running

    def active_runs(self, stage):
        return self.active

    def paused(self, stage):
        return self.is_paused


@dataclass
class Books:
    """A ledger whose runs are as the test says, and the watch over it."""

    ledger: object
    airflow: Airflow = field(default_factory=Airflow)
    runs: int = 0

    def run(self, days_ago, *, stage=STAGE, how="green", dry_run=False, library="demo", running=False, draft=False):
        self.runs += 1
        day, name = TODAY - timedelta(days=days_ago), f"run {self.runs}"
        began = datetime.combine(day, time(10), PARIS)
        closed = how in {"green", "red"}
        values = {"library": library, "stage": stage.value, "day": day, "dag_run_id": name, "dry_run": dry_run}
        values |= {"state": "closed" if closed else "extracting", "balanced": how == "green" if closed else None}
        with self.ledger.engine.begin() as connection:
            run_id = connection.execute(
                _RUN, {**values, "started_at": began, "closed_at": began if closed else None}
            ).scalar_one()
            if draft:
                connection.execute(_DRAFT, {"run_id": run_id})
        if running:
            self.airflow.running.add(name)

    def green(self, *days_ago, **more):
        for number in days_ago:
            self.run(number, **more)

    def found(self, at=time(13)):
        """What is missed, in words; empty when nothing is."""
        try:
            now = datetime.combine(TODAY, at, PARIS)
            watch(self.ledger, self.airflow, starts=STARTS, one_at_a_time=ONE_AT_A_TIME, now=now)
        except DaysMissed as error:
            return str(error)
        return ""


@pytest.fixture
def books(ledger):
    return Books(ledger)


def test_a_new_installation_misses_nothing(books):
    assert books.found() == ""


def test_days_that_were_all_done_are_green(books):
    for stage in Stage:
        books.green(3, 2, 1, 0, stage=stage)
    assert books.found() == ""


def test_a_day_that_nobody_ran_is_told_with_its_stage_and_what_to_do(books):
    books.green(4, 2, 0)
    said = books.found()
    assert "Avis de retard (overdue_notice) : aucune tournée pour le 24/11/2026, le 26/11/2026." in said
    assert "« Déclencher », avec ce jour de référence" in said
    assert "25/11/2026" not in said
    books.green(3, 1)
    assert books.found() == ""


def test_each_stage_is_looked_at_alone_and_so_is_each_library(books):
    books.green(2, 1, 0)
    books.green(2, 0, stage=Stage.FIRST_REMINDER)
    books.green(1, stage=Stage.FIRST_REMINDER, library="elsewhere")
    said = books.found()
    assert "(first_reminder) : aucune tournée pour le 26/11/2026." in said
    assert "overdue_notice" not in said


def test_a_day_too_long_ago_is_let_be(books):
    books.green(40, *range(30, -1, -1))
    assert books.found() == ""


@pytest.mark.parametrize(("at", "missed"), [(time(9), False), (time(11, 59), False), (time(12), True)])
def test_todays_run_may_begin_until_two_hours_after_its_hour(books, at, missed):
    books.green(1)
    assert ("27/11/2026" in books.found(at)) is missed


def test_a_dry_run_does_no_day(books):
    books.green(2, 0)
    books.run(1, dry_run=True)
    assert "aucune tournée pour le 26/11/2026" in books.found()


def test_red_books_are_told_until_a_later_run_of_the_day_is_green(books):
    books.run(1, how="red")
    assert "comptes qui ne sont pas justes pour le 26/11/2026" in books.found()
    books.green(1, 0)
    assert books.found() == ""


def test_a_run_begun_and_never_closed_is_told_once_airflow_has_ended_it(books):
    books.green(2, 0)
    books.run(1, how="open")
    assert "tournée commencée et jamais close pour le 26/11/2026" in books.found()
    assert "Arrêtée exprès" in books.found()
    books.green(1)
    assert books.found() == ""


def test_a_run_under_way_is_let_be_with_the_days_it_holds_back(books):
    stage = Stage.FIRST_REMINDER
    books.green(3, stage=stage)
    books.run(2, how="open", running=True, stage=stage)
    assert books.found() == ""


def test_a_run_whose_sms_wait_for_their_hour_holds_no_other_day_back(books):
    books.green(3, 0)
    books.run(2, how="open", running=True)
    assert "aucune tournée pour le 26/11/2026." in books.found()


def test_a_day_missed_before_the_run_under_way_is_told_all_the_same(books):
    books.green(4, 2, stage=Stage.FIRST_REMINDER)
    books.run(1, how="open", running=True, stage=Stage.FIRST_REMINDER)
    assert "aucune tournée pour le 24/11/2026." in books.found()


def test_a_run_that_stands_still_for_days_is_told(books):
    books.run(7, how="open", running=True)
    said = books.found()
    assert "tournée qui n'avance plus pour le 20/11/2026" in said
    assert "« Actions requises »" in said


def test_letters_may_wait_for_their_approval_as_long_as_it_takes_but_hold_nothing_back(books):
    stage = Stage.REGISTERED_LETTER
    books.green(21, *range(19, 2, -1), 1, 0, stage=stage)
    books.run(20, stage=stage, how="open", running=True, draft=True)
    said = books.found()
    assert "(registered_letter) : aucune tournée pour le 25/11/2026." in said
    assert "07/11/2026" not in said


def test_a_run_whose_letters_were_approved_and_that_does_not_go_on_is_told(books):
    stage = Stage.REGISTERED_LETTER
    books.green(21, *range(19, -1, -1), stage=stage)
    books.run(20, stage=stage, how="open", running=True, draft=True)
    with books.ledger.engine.begin() as connection:
        connection.execute(_APPROVED)
    assert books.found() == ""  # it is being printed
    answered_hours_ago(books.ledger, 3)
    assert "n'avance plus" in books.found()


def test_a_draft_whose_run_airflow_has_ended_is_told(books):
    books.run(2, stage=Stage.REGISTERED_LETTER, how="open", draft=True)
    assert "jamais close pour le 25/11/2026" in books.found()


def test_a_stage_that_stands_still_is_told_why(books):
    books.green(2)
    books.airflow.active = 2
    assert "Tournées en cours ou en attente dans Airflow : 2" in books.found()
    books.airflow.is_paused = True
    assert "en pause" in books.found()


@pytest.mark.parametrize("zone", ["Pacific/Noumea", "America/Cayenne", "Europe/Paris"])
def test_today_is_the_librarys_own(books, zone):
    """Noon in each zone: the same day has begun, wherever the ledger's server is."""
    books.green(1, 0)
    now = datetime.combine(TODAY, time(13), ZoneInfo(zone))
    assert watch(books.ledger, books.airflow, starts=STARTS, one_at_a_time=ONE_AT_A_TIME, now=now) == 0


def test_the_operator_asks_airflow_about_each_run_and_fails_at_once(books, monkeypatch):
    from types import SimpleNamespace

    from airflow.sdk.exceptions import AirflowFailException

    from loan_reminders.operators import WatchRuns, base

    class Instance:
        asked: list = []  # noqa: RUF012

        def get_dr_count(self, **which):
            self.asked.append(which)
            return 1

        def get_dag(self, **which):
            return SimpleNamespace(is_paused=False)

    monkeypatch.setattr(base.Installed, "ledger", lambda _: books.ledger)
    monkeypatch.setattr(base.Installed, "now", lambda _: datetime.combine(TODAY, time(13), PARIS))
    books.green(4, 2)
    books.run(1, how="open")
    with pytest.raises(AirflowFailException, match="24/11/2026"):
        WatchRuns(task_id="watch_runs").execute({"ti": Instance()})
    states = ["queued", "running"]
    assert {"dag_id": "overdue_notice", "run_ids": ["run 3"], "states": states} in Instance.asked
    assert {"dag_id": "overdue_notice", "states": states} in Instance.asked


def test_the_dag_is_one_task_that_ends_by_itself():
    from airflow.dag_processing.dagbag import DagBag

    from loan_reminders.settings.library_toml import ROOT

    dag = DagBag(dag_folder=str(ROOT / "dags" / "watch.py"), collect_dags=True).dags["watch"]
    [task] = dag.tasks
    assert (task.task_id, task.task_display_name) == ("watch_runs", "Surveiller les tournées")
    assert (dag.dag_display_name, dag.max_active_runs) == ("8. Surveillance des tournées", 1)
    assert dag.dagrun_timeout <= timedelta(hours=2)
    assert dag.doc_md.startswith("## ")
