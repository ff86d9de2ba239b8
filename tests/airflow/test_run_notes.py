"""What a run says of itself in Airflow: its note, its buttons, its tab; and a backfill that is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from loan_reminders.domain.clock import of_number
from loan_reminders.domain.runs.books import BOOKS
from loan_reminders.settings.library_toml import ROOT
from loan_reminders.timetables import UpToNowTimetable
from tests.scenes.ledger_runs import rows
from tests.scenes.world import loans

FIGURES = {"loans": 3, "notices": 2, "skipped": 1, "cancelled": 0, "not_sent": 0, "balanced": 1, "email": 2}
TICK = datetime(2026, 11, 27, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def dags():
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(dag_folder=str(ROOT / "dags"), collect_dags=True).dags


@pytest.fixture(scope="module")
def metadata():
    """Airflow's own tables, of which runs and XComs are asked."""
    from airflow.utils.db import initdb
    from airflow.utils.session import create_session

    initdb()
    with create_session() as session:
        yield session


@pytest.fixture
def a_run(metadata):
    """A run in Airflow's tables, with what its last task left."""
    from airflow.models.dagrun import DagRun
    from airflow.models.xcom import XComModel
    from sqlalchemy import insert, select, text

    session = metadata

    def make(figures=FIGURES, *, run_type="manual", conf=None, timetable=None, **xcom):
        session.rollback()
        session.execute(text("PRAGMA defer_foreign_keys = ON"))  # the rows around it are nobody's business here
        values = {"run_id": "r1", "run_type": run_type, "run_after": TICK, "logical_date": TICK, "conf": conf}
        session.execute(insert(DagRun).values(dag_id="overdue_notice", state="success", **values))
        run = session.scalars(select(DagRun)).one()
        run.dag = SimpleNamespace(timetable=timetable or UpToNowTimetable("0 10 * * *", timezone="Europe/Paris"))
        if figures is not None:
            kept = {"key": BOOKS, "task_id": "close_run", "value": json.dumps(figures), **xcom}
            session.execute(insert(XComModel).values(dag_run_id=run.id, dag_id=run.dag_id, run_id="r1", **kept))
        return run

    yield make
    session.rollback()


def test_the_note_of_a_run_is_its_books_in_one_sentence(a_run):
    from loan_reminders import run_listener

    run = a_run()
    run_listener.on_dag_run_success(dag_run=run, msg="")
    assert run.note == "Comptes justes : 3 prêts à échéance, 2 avis ; 2 e-mails ; 1 prêt écarté."


@pytest.mark.parametrize(("dry_run", "begins"), [(False, "Effacé : "), (True, "Rien n'est effacé, seulement compté.")])
def test_the_note_of_a_night_is_what_it_removed(a_run, dry_run, begins):
    from loan_reminders import run_listener

    removed = {"loans": 12, "messages": 20, "readers": 1, "batches": 0, "dry_run": dry_run}
    run = a_run(removed, task_id="erase_expired", key="return_value")
    run.note = "Vu avec Zoé."
    for _ in range(2):
        run_listener.on_dag_run_success(dag_run=run, msg="")
    first, second = run.note.splitlines()
    assert first == "Vu avec Zoé."
    assert second.startswith(begins)
    assert second.endswith("12 prêts, 20 messages, 1 lecteur")


def test_a_failed_run_has_its_books_too_and_what_a_person_wrote_stays(a_run):
    from loan_reminders import run_listener

    run = a_run({**FIGURES, "balanced": 0})
    run.note = "Vu avec Zoé."
    run_listener.on_dag_run_failed(dag_run=run, msg="")
    assert run.note.startswith("Vu avec Zoé.\nComptes à vérifier : 3 prêts")
    a_second_end = run.note
    run_listener.on_dag_run_failed(dag_run=run, msg="")
    assert run.note == a_second_end


@pytest.mark.parametrize("changes", [{"figures": None}, {"task_id": "send_emails"}, {"key": "return_value"}])
def test_without_books_there_is_no_note(a_run, changes):
    from loan_reminders import run_listener

    run = a_run(**changes)
    run_listener.on_dag_run_failed(dag_run=run, msg="")
    assert run.note is None


def test_a_run_of_somebody_elses_dag_is_left_alone(a_run):
    from airflow.timetables.simple import NullTimetable

    from loan_reminders import run_listener

    run = a_run(timetable=NullTimetable())
    run_listener.on_dag_run_success(dag_run=run, msg="")
    assert run.note is None


def test_a_note_is_never_longer_than_airflow_keeps():
    from loan_reminders.run_listener import LONGEST_NOTE, with_sentence

    assert with_sentence("x" * 990, "Comptes justes : 3.") == "Comptes justes : 3."
    assert len(with_sentence("x" * (LONGEST_NOTE - 21), "Comptes justes : 3.")) <= LONGEST_NOTE


def test_the_last_task_leaves_figures_alone_also_when_it_fails(world, dags, monkeypatch):
    from airflow.sdk.exceptions import AirflowFailException

    from loan_reminders.operators import base

    monkeypatch.setattr(base.Installed, "ledger", lambda _: world.ledger)
    run_id = world.begin(*loans(2))
    task = dags["overdue_notice"].get_task("close_run")
    monkeypatch.setattr(task, "run_id", run_id)
    left = {}
    instance = SimpleNamespace(xcom_push=lambda *, key, value: left.update({key: value}))
    with pytest.raises(AirflowFailException, match="comptes"):
        task.execute({"ti": instance})
    assert left[BOOKS]["loans"] == 2
    assert left[BOOKS]["balanced"] == 0
    assert left[BOOKS]["run"] == run_id
    assert of_number(left[BOOKS]["closed_at"]) == rows(world.ledger, "SELECT closed_at FROM runs")[0].closed_at
    assert all(isinstance(value, int) for value in left[BOOKS].values())


@pytest.mark.parametrize(
    ("dag", "task", "run_id", "link"),
    [
        ("first_reminder", "print_letters", 7, "relances/tournees/7/lots"),
        ("registered_letter", "prepare_letters", 7, "relances/tournees/7/lots"),
        ("registered_letter", "print_registered_letters", None, ""),
        ("courtesy_notice", "extract_loans", None, "relances/tournees/jours-manques"),
    ],
)
def test_tasks_have_buttons_whose_addresses_hold_behind_a_base_path(dags, dag, task, run_id, link, monkeypatch):
    operator = dags[dag].get_task(task)
    if run_id is not None:
        monkeypatch.setattr(operator, "run_id", run_id)
    [button] = operator.operator_extra_links
    assert button.get_link(operator, ti_key=None) == link
    assert not link.startswith(("/", "http"))


def test_the_buttons_survive_the_way_to_the_web_server(dags):
    from airflow.serialization.definitions.dag import SerializedDAG as Shown
    from airflow.serialization.serialized_objects import DagSerialization

    there = DagSerialization.from_dict(DagSerialization.to_dict(dags["first_reminder"]))
    assert isinstance(there, Shown)
    assert "Voir le lot de lettres" in there.get_task("print_letters").extra_links


def test_the_tab_of_a_run_is_relative_and_names_dag_and_run():
    from reminders_plugin import RemindersPlugin

    nav, tab = RemindersPlugin.external_views
    assert (nav["destination"], tab["destination"]) == ("nav", "dag_run")
    assert tab["href"] == "relances/tournees/airflow?dag={DAG_ID}&tournee={RUN_ID}"
    assert nav["url_route"] != tab["url_route"]


@pytest.mark.parametrize(("day", "refused"), [("2026-11-20", True), (None, False), ("", False)])
def test_a_backfill_with_a_reference_date_is_refused_before_anything_is_read(world, dags, monkeypatch, day, refused):
    from airflow.sdk.exceptions import AirflowFailException

    from loan_reminders.operators import base

    world.ils.rows = loans(2)
    monkeypatch.setattr(base.Installed, "ledger", lambda _: world.ledger)
    monkeypatch.setattr(base.Installed, "loan_source", lambda _: world.ils)
    dag_run = SimpleNamespace(run_id="backfill__x", run_type="backfill", logical_date=TICK, run_after=TICK)
    monkeypatch.setattr(base.Installed, "now", lambda self: datetime(2026, 11, 28, 9, tzinfo=self.config.zone))
    task, context = dags["overdue_notice"].get_task("extract_loans"), {"dag_run": dag_run}
    context["params"] = {"reference_date": day, "dry_run": False}
    if refused:
        with pytest.raises(AirflowFailException, match=r"Rattrapage refusé.*« Jour de référence »"):
            task.execute(context)
    else:
        task.execute(context)
    with world.ledger.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM runs").scalar() == int(not refused)


def test_a_refused_backfill_says_so_in_its_note(a_run):
    from loan_reminders import run_listener

    run = a_run(None, run_type="backfill", conf={"reference_date": "2026-11-20"})
    run_listener.on_dag_run_failed(dag_run=run, msg="")
    assert run.note.startswith("Rattrapage refusé")
    other = a_run(None, run_type="manual", conf={"reference_date": "2026-11-20"})
    run_listener.on_dag_run_failed(dag_run=other, msg="")
    assert other.note is None
