"""Airflow reads each DAG file again and again: what has not changed is no new version of its DAG.

A deadline is written in a table of its own and named by a number in the DAG; a value that comes in another order each
time would do the same harm. A version for each parse would be a hundred thousand of them a month.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from loan_reminders.domain.stages import Stage
from loan_reminders.french.task_names import DAGS

ROOT = Path(__file__).resolve().parents[2]
BUNDLE = "versions"
HASHES = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
from airflow.models.serialized_dag import SerializedDagModel
from airflow.serialization.serialized_objects import DagSerialization

bag = DagBag(dag_folder=sys.argv[1], collect_dags=True)
print(json.dumps({name: SerializedDagModel.hash(DagSerialization.to_dict(dag)) for name, dag in bag.dags.items()}))
"""


@pytest.fixture
def session():
    """Airflow's tables, in which our DAGs are known and not yet written; all of it is taken away after."""
    from airflow.models.dag import DagModel
    from airflow.models.dagbundle import DagBundleModel
    from airflow.utils.db import initdb
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Alembic's, about Airflow's own configuration
        initdb()

    def clear():
        with create_session() as opened:
            opened.execute(delete(DagModel).where(DagModel.dag_id.in_(DAGS)))
            opened.execute(delete(DagBundleModel).where(DagBundleModel.name == BUNDLE))

    clear()
    with create_session() as opened:
        opened.add(DagBundleModel(name=BUNDLE))
        opened.flush()
        opened.add_all(DagModel(dag_id=dag_id, bundle_name=BUNDLE) for dag_id in DAGS)
    with create_session() as opened:
        yield opened
    clear()


def changed(session):
    """Parse every file as if for the first time and write its DAG, as the DAG processor does; which were written."""
    from airflow.dag_processing.dagbag import DagBag
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.serialization.serialized_objects import LazyDeserializedDAG

    bag = DagBag(dag_folder=str(ROOT / "dags"), collect_dags=True)
    assert set(bag.dags) == set(DAGS)
    found = {
        dag_id
        for dag_id, dag in bag.dags.items()
        if SerializedDagModel.write_dag(LazyDeserializedDAG.from_dag(dag), bundle_name=BUNDLE, session=session)
    }
    session.commit()
    return found


def test_a_dag_that_is_parsed_again_is_not_written_again(session):
    from airflow.models.deadline_alert import DeadlineAlert
    from sqlalchemy import func, select

    assert changed(session) == set(DAGS)
    assert changed(session) == set()
    assert changed(session) == set()
    deadlines = session.execute(select(func.count()).select_from(DeadlineAlert)).scalar_one()
    assert deadlines == len(Stage), "each stage is watched for lateness"


def test_another_process_reads_the_same():
    """Whatever it draws for its sets and hashes: the DAG processor begins anew now and then, and there may be two."""
    read = []
    for seed in ("1", "2"):
        environment = os.environ | {"PYTHONPATH": f"{ROOT / 'plugins'}:{ROOT}", "PYTHONHASHSEED": seed}
        run = [sys.executable, "-W", "ignore", "-c", HASHES, str(ROOT / "dags")]
        done = subprocess.run(run, env=environment, capture_output=True, text=True, check=True)
        read.append(json.loads(done.stdout.splitlines()[-1]))
    assert set(read[0]) == set(DAGS)
    assert read[0] == read[1]
