"""« Effacer » on a run whose lateness is watched: Airflow's own tables and its own code, without a server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from loan_reminders.domain.stages import Stage
from loan_reminders.settings.library_toml import ROOT, settings

TICK = datetime(2026, 11, 27, 9, tzinfo=UTC)
STAGE = Stage.OVERDUE_NOTICE.value


@pytest.fixture(scope="module")
def stage_dag():
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(dag_folder=str(ROOT / "dags" / f"{STAGE}.py")).dags[STAGE]


@pytest.fixture(autouse=True)
def buttons_as_before(monkeypatch):
    """Clearing switches the buttons of tasks off, in Airflow's own class: for other tests they are there again."""
    from airflow.serialization.serialized_objects import DagSerialization

    monkeypatch.setattr(DagSerialization, "_load_operator_extra_links", True)


@pytest.fixture
def session():
    """Airflow's tables, left as they were."""
    from airflow.utils.db import initdb
    from airflow.utils.session import create_session

    initdb()
    with create_session() as session:
        yield session
        session.rollback()


@pytest.fixture
def known(session, stage_dag):
    """The stage as the scheduler knows it."""
    from airflow.models.dag import DagModel
    from airflow.models.dagbag import DBDagBag
    from airflow.models.dagbundle import DagBundleModel
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.serialization.serialized_objects import LazyDeserializedDAG

    for row in (DagBundleModel(name="dags"), DagModel(dag_id=STAGE, bundle_name="dags", fileloc=stage_dag.fileloc)):
        session.add(row)
        session.flush()
    SerializedDagModel.write_dag(LazyDeserializedDAG.from_dag(stage_dag), bundle_name="dags", session=session)
    session.flush()
    return DBDagBag().get_latest_version_of_dag(STAGE, session=session)


@pytest.fixture
def begun(session, known):
    """A run of it."""
    from airflow.utils.state import DagRunState
    from airflow.utils.types import DagRunTriggeredByType, DagRunType

    return known.create_dagrun(
        run_id="manual__2026-11-27",
        logical_date=TICK,
        run_after=TICK,
        run_type=DagRunType.MANUAL,
        triggered_by=DagRunTriggeredByType.UI,
        state=DagRunState.QUEUED,
        session=session,
    )


def late_at(session):
    """When Airflow will tell that the run is late."""
    from airflow.models import Deadline
    from sqlalchemy import select

    session.flush()
    (deadline,) = session.scalars(select(Deadline)).all()
    return deadline.deadline_time


def test_a_run_is_late_hours_after_it_was_queued(session, begun):
    assert late_at(session) == begun.queued_at + timedelta(hours=settings().alerts.late_after_hours)


@pytest.mark.parametrize("state", ["running", "failed"])
def test_a_task_of_a_run_that_is_under_way_or_red_can_be_cleared(session, known, begun, state):
    from airflow.utils.state import DagRunState, TaskInstanceState

    begun.state = DagRunState(state)
    task = begun.get_task_instance("send_sms", session=session)
    task.state = TaskInstanceState.FAILED
    expected = late_at(session)

    assert known.clear(task_ids=["send_sms"], run_id=begun.run_id, session=session) == 1

    assert task.state is None
    assert begun.state in (DagRunState.QUEUED, DagRunState.RUNNING)
    assert late_at(session) == expected
