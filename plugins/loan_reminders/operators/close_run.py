"""Clore et vérifier: the books must balance, and every task of the run must have succeeded."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from loan_reminders.domain.clock import as_number
from loan_reminders.domain.errors import SettingsError
from loan_reminders.domain.runs.books import BOOKS, Books
from loan_reminders.hooks.marks import mark_file, marks_of
from loan_reminders.operators.base import RunOperator
from loan_reminders.services.marks.guard import make_mark
from loan_reminders.services.runs.close import close_run
from loan_reminders.watching.metrics import give_run

if TYPE_CHECKING:
    from airflow.sdk import Context

    from loan_reminders.domain.ports.outside import Ledger

DONE = frozenset({"success", "removed"})
"""Airflow's states of a task that left nothing undone. Not « skipped »: no DAG of a stage skips a task."""


class CloseRun(RunOperator):
    """Counts the run's books, also after a failure, and fails when anything is neither done nor explained.

    Airflow judges a run by its last task alone, and this one runs whatever became of the others: it fails, once the
    books are written, when another did not succeed.
    """

    usual_id = "close_run"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"trigger_rule": "all_done", **kwargs})

    def work(self, context: Context, ledger: Ledger, now: datetime) -> dict[str, int]:
        """Close the run, and mark what left."""
        tell = self._telling(context, ledger, now)
        try:
            books = close_run(ledger, run_id=self.run_id, not_done=self._not_done(context), tell=tell)
        finally:
            self._mark(ledger)
        return {"loans": books.loans_extracted, "notices": books.notices, "deliveries": books.deliveries_planned}

    def _mark(self, ledger: Ledger) -> None:
        """Mark what left; a dry run leaves nothing, and where letters have no place, the senders have said so."""
        if not ledger.run(self.run_id).dry_run:
            with suppress(SettingsError):
                make_mark(marks_of(ledger), mark_file(self.config.library.code), run_id=self.run_id)

    def _telling(self, context: Context, ledger: Ledger, now: datetime) -> Callable[[Books], None]:
        """What gives the books to the scheduler, which makes the run's note of them, and to monitoring.

        `SendingOperator` of a later run reads by them which run of the ledger was closed, and when.
        """
        reading, dry_run = ledger.readings().of(self.run_id), ledger.run(self.run_id).dry_run
        more = {"dry_run": int(dry_run), **({} if reading is None else reading.figures())}
        began = getattr(context.get("dag_run"), "start_date", None)

        def tell(books: Books) -> None:
            # Also when this task fails: `run_listener` reads the XCom at the end of the run.
            if (push := getattr(context.get("ti"), "xcom_push", None)) is not None:
                closed_at = ledger.run(self.run_id).closed_at
                which = {"run": self.run_id, "closed_at": 0 if closed_at is None else as_number(closed_at)}
                push(key=BOOKS, value={**books.figures(), **more, **which})
            if not dry_run:
                seconds = (now - began).total_seconds() if began else None
                give_run(self.config.library.code, self.stage, books, seconds=seconds)

        return tell

    def _not_done(self, context: Context) -> list[str]:
        """The names, as librarians read them, of the run's other tasks that did not succeed; outside Airflow, none."""
        ask = getattr(context.get("ti"), "get_task_states", None)
        if ask is None:
            return []
        run_id = context["dag_run"].run_id
        states = ask(dag_id=self.dag_id, run_ids=[run_id]).get(run_id, {})
        failed = sorted(name for name, state in states.items() if name != self.task_id and state not in DONE)
        return list(dict.fromkeys(f"« {self._name(name)} »" for name in failed))

    def _name(self, task: str) -> str:
        """The name of a task, as librarians read it; Airflow adds its number to the id of one of several alike."""
        known = self.dag.task_dict
        return known[task if task in known else task.rpartition("_")[0]].task_display_name
