"""What Airflow hands over of a task that failed."""

from __future__ import annotations

from types import SimpleNamespace

from airflow.sdk.exceptions import AirflowTaskTimeout


def context(dag, task_id, error=None, run_id="scheduled__2026-11-27"):
    found = {"dag": dag, "run_id": run_id, "dag_run": SimpleNamespace(run_id=run_id), "task": dag.get_task(task_id)}
    return found if error is None else {**found, "exception": error}


def failure_of(error):
    """What Airflow's task runner hands over: the error as the operators end with it."""
    from loan_reminders.operators.base import only_temporary_errors_are_retried

    try:
        with only_temporary_errors_are_retried():
            raise error
    except (Exception, AirflowTaskTimeout) as told:
        return told
