"""What Airflow's scheduler does when a run begins or ends: it refuses one in the future, and notes the books.

The timetable refuses a future date where a librarian asks for it. The command line and another DAG's trigger do not
show the date to the timetable: Airflow's scheduler would call such a run running until that day, and never begin it.

The note of a run is set here because a task cannot: neither the task SDK nor the execution API of Airflow 3.3 write it,
and a worker has no session of anybody's for the REST API. « Clore et vérifier » leaves the figures as an XCom; here
they become a sentence. The table of XComs is read in the session of the run, as Airflow's own pages do.
"""

from __future__ import annotations

import json
from typing import Any

from airflow.listeners import hookimpl

from loan_reminders.domain.errors import ReminderError
from loan_reminders.domain.runs.books import BOOKS
from loan_reminders.domain.runs.reference_date import DayRefusal, ReferenceDateRefused
from loan_reminders.french.refusals import sentence
from loan_reminders.french.retention import ERASED, WOULD_BE_ERASED, note_words
from loan_reminders.french.runs import NOTE, books_sentence
from loan_reminders.timetables import UpToNowTimetable, in_future, refusal

CLOSING = "close_run"
"""The task that counts the books."""

ERASING = "erase_expired"
"""The task that removes what was kept long enough."""

OURS = (NOTE, ERASED, WOULD_BE_ERASED)
"""What a sentence of ours begins with."""

LONGEST_NOTE = 1000
"""Characters of a note at most (Airflow's column and API)."""


@hookimpl
def on_dag_run_running(dag_run: Any, msg: str) -> None:
    """Airflow calls this when a run becomes « running »: fail one that is in the future, and say why in its note."""
    if _is_ours(dag_run) and dag_run.logical_date is not None and in_future(dag_run.logical_date):
        dag_run.set_state("failed")
        dag_run.note = refusal(dag_run.logical_date, field="date logique")


@hookimpl
def on_dag_run_success(dag_run: Any, msg: str) -> None:
    """Airflow calls this when a run ends well: note its books."""
    _note_books(dag_run)


@hookimpl
def on_dag_run_failed(dag_run: Any, msg: str) -> None:
    """Airflow calls this when a run fails: note its books, or why it was refused."""
    _note_books(dag_run)


def _is_ours(dag_run: Any) -> bool:
    return isinstance(getattr(dag_run.dag, "timetable", None), UpToNowTimetable)


def _note_books(dag_run: Any) -> None:
    if not _is_ours(dag_run):
        return
    refused = _refused_backfill(dag_run)
    figures = None if refused else _figures(dag_run, task_id=CLOSING, key=BOOKS)
    removed = None if refused or figures else _figures(dag_run, task_id=ERASING, key="return_value")
    if refused or figures:
        dag_run.note = with_sentence(dag_run.note, refused or books_sentence(figures or {}))
    elif removed:
        said = note_words(removed, dry_run=bool(removed.get("dry_run")))
        dag_run.note = with_sentence(dag_run.note, said)


def with_sentence(note: str | None, sentence: str) -> str:
    """A run's note with our sentence, in the place of the one of an earlier end; what a person wrote stays."""
    kept = [line for line in (note or "").splitlines() if line and not line.startswith(OURS) and line != sentence]
    room = LONGEST_NOTE - len(sentence) - 1
    return "\n".join([*kept, sentence]) if sum(map(len, kept)) + len(kept) <= room else sentence


def _refused_backfill(dag_run: Any) -> str:
    given = isinstance(dag_run.conf, dict) and dag_run.conf.get("reference_date")
    if dag_run.run_type != "backfill" or not given:
        return ""
    error: ReminderError = ReferenceDateRefused(DayRefusal.IN_A_BACKFILL)
    return sentence(error)


def _figures(dag_run: Any, *, task_id: str, key: str) -> dict[str, int] | None:
    """What a task of the run left, as numbers; None when it left nothing."""
    from airflow.models.xcom import XComModel
    from sqlalchemy.orm import object_session

    session = object_session(dag_run)
    if session is None:
        return None
    left = XComModel.get_many(
        run_id=dag_run.run_id, dag_ids=dag_run.dag_id, task_ids=task_id, key=key
    ).with_only_columns(XComModel.value)
    value = session.execute(left).scalar()
    found = json.loads(value) if isinstance(value, str) else value
    if not isinstance(found, dict):
        return None
    return {str(name): number for name, number in found.items() if isinstance(number, int)}
