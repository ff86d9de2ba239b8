"""What Airflow makes of a DAG that is turned on for the first time: one run, of its latest hour, and nothing older."""

from __future__ import annotations

import json
from datetime import timedelta

import pendulum
import pytest

from loan_reminders.domain.runs.reference_date import reference_date
from loan_reminders.domain.stages import Stage
from loan_reminders.settings.library_toml import ROOT, settings


@pytest.fixture(scope="module")
def stored():
    """The DAGs as the scheduler reads them from its database."""
    from airflow.dag_processing.dagbag import DagBag
    from airflow.serialization.serialized_objects import DagSerialization

    bag = DagBag(dag_folder=str(ROOT / "dags"), collect_dags=True)
    return {
        dag_id: DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag))))
        for dag_id, dag in bag.dags.items()
    }


def next_run(dag, last):
    """What the scheduler is told by the DAG's timetable, the DAG having begun in January and had this run."""
    from airflow.timetables.base import TimeRestriction

    restriction = TimeRestriction(earliest=pendulum.instance(dag.start_date), latest=None, catchup=dag.catchup)
    return dag.timetable.next_dagrun_info(last_automated_data_interval=last, restriction=restriction)


@pytest.mark.parametrize("stage", Stage)
def test_turning_a_stage_on_makes_one_run_of_the_latest_hour_and_none_of_the_past(stored, stage):
    dag, before = stored[stage.value], pendulum.now("UTC")
    first = next_run(dag, None)
    after = pendulum.now("UTC")
    assert before - timedelta(days=1, hours=1) < first.run_after <= after  # a day of 25 hours is one
    assert next_run(dag, first.data_interval).run_after > before
    about = reference_date(
        param=None, logical_date=first.logical_date, run_after=first.run_after, time_zone=settings().zone
    )
    assert timedelta(0) <= after.in_timezone(settings().zone).date() - about <= timedelta(days=1)
