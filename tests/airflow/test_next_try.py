"""When a task is tried again: the page's arithmetic gives what Airflow's own does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from loan_reminders.domain.stages import Stage
from loan_reminders.settings.library_toml import ROOT
from loan_reminders.web.runs.airflow_day import next_try

ENDED = datetime(2026, 11, 30, 9, 10, 11, 123456, tzinfo=UTC)


@pytest.fixture(scope="module")
def task():
    """The first task of a stage, as the scheduler reads it back."""
    from airflow.dag_processing.dagbag import DagBag
    from airflow.serialization.serialized_objects import DagSerialization

    dag = DagBag(dag_folder=str(ROOT / "dags"), collect_dags=True).dags[Stage.OVERDUE_NOTICE.value]
    return DagSerialization.from_dict(DagSerialization.to_dict(dag)).get_task("extract_loans")


@pytest.mark.parametrize("tried", [1, 2, 3, 4])
@pytest.mark.parametrize("logical", [datetime(2026, 11, 30, 9, tzinfo=UTC), None])
def test_the_next_try_is_when_airflow_makes_it(task, tried, logical):
    from airflow.models.taskinstance import TaskInstance

    told = {"dag_id": "overdue_notice", "task_id": "extract_loans", "try_number": tried}
    row = SimpleNamespace(**told, task=task, logical_date=logical, end_date=ENDED, retry_delay_override=None)
    airflow = TaskInstance.next_retry_datetime(row)
    said = {"logical_date": logical and logical.isoformat().replace("+00:00", "Z"), "end_date": ENDED.isoformat()}
    assert next_try({**told, **said}) == airflow
    assert timedelta(minutes=5) <= airflow - ENDED <= timedelta(hours=1)


def test_a_task_that_has_not_ended_has_no_next_try():
    assert next_try({"end_date": None, "try_number": 1}) is None
