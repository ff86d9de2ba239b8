"""Surveiller les tournées: look for days without a successful run, and for runs that do not go on."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from loan_reminders.domain.dag_ids import dag_id, library_of
from loan_reminders.domain.stages import Stage
from loan_reminders.hooks.marks import mark_file, marks_of
from loan_reminders.operators.base import LibraryOperator, only_temporary_errors_are_retried
from loan_reminders.services.marks.guard import check_complete
from loan_reminders.services.runs.watch import watch
from loan_reminders.watching.metrics import give_look, give_queue, give_zeros

if TYPE_CHECKING:
    from airflow.sdk import Context

ACTIVE = ["queued", "running"]
"""Airflow's states of a run that has not ended."""


class AirflowRuns:
    """Fulfils `Orchestrator` with what Airflow tells a task about the other DAGs of its library."""

    def __init__(self, task_instance: Any, *, library: str | None = None) -> None:
        self._ask = task_instance
        self._library = library

    def _dag(self, stage: Stage) -> str:
        return dag_id(stage.value, self._library)

    def under_way(self, stage: Stage, dag_run_id: str) -> bool:
        """Whether this run is queued or running; False when it ended or was deleted."""
        return bool(self._ask.get_dr_count(dag_id=self._dag(stage), run_ids=[dag_run_id], states=ACTIVE))

    def active_runs(self, stage: Stage) -> int:
        """How many runs of the stage are queued or running."""
        return int(self._ask.get_dr_count(dag_id=self._dag(stage), states=ACTIVE))

    def paused(self, stage: Stage) -> bool:
        """Whether the stage's DAG is paused."""
        return bool(self._ask.get_dag(dag_id=self._dag(stage)).is_paused)


class WatchRuns(LibraryOperator):
    """Fails as long as a stage has a day without a green run, or a run that stands still, and says what to do."""

    usual_id = "watch_runs"

    def execute(self, context: Context) -> int:
        """Look at the ledger, whether it lacks what left, and at what Airflow knows of its runs."""
        starts = self.config.starts
        code = self.config.library.code
        give_zeros(code, self.config.all_stages)  # before the ledger, whose errors are among what is counted
        with only_temporary_errors_are_retried(), self.ledger() as ledger:
            check_complete(marks_of(ledger), mark_file(code))
            give_queue(code, ledger)
            airflow = AirflowRuns(context["ti"], library=library_of(self.dag_id))
            one_at_a_time, tell = self.config.policy().one_at_a_time, partial(give_look, code)
            return watch(ledger, airflow, starts=starts, one_at_a_time=one_at_a_time, now=self.now(), tell=tell)
