"""Ends at once a run whose logical date is in the future, however it was created.

The timetable refuses it where a librarian asks for it. The command line and another DAG's trigger do not show the date
to the timetable: Airflow's scheduler would call such a run running until that day, and never begin it.
"""

from __future__ import annotations

from typing import Any

from airflow.listeners import hookimpl

from loan_reminders.timetables import UpToNowTimetable, in_future, refusal


@hookimpl
def on_dag_run_running(dag_run: Any, msg: str) -> None:
    """Airflow calls this when a run becomes « running »: fail one that is in the future, and say why in its note."""
    ours = isinstance(getattr(dag_run.dag, "timetable", None), UpToNowTimetable)
    if ours and dag_run.logical_date is not None and in_future(dag_run.logical_date):
        dag_run.set_state("failed")
        dag_run.note = refusal(dag_run.logical_date, field="date logique")
