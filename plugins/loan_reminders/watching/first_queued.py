"""From when Airflow counts how late a run is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk.definitions.deadline import BaseDeadlineReference

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session


class FirstQueuedAt(BaseDeadlineReference):
    """The moment a run was queued for the first time. Registered by the plugin, as Airflow wants it.

    Airflow's own `DAGRUN_QUEUED_AT` begins to count again when a task is cleared, and there Airflow 3.3.0 to 3.3.2 is
    wrong: it takes the stored interval for a number, and answers « Effacer » with an internal error, for any run that
    is under way or red (https://github.com/apache/airflow/issues/70368). A run whose task is cleared at eleven is
    late for its readers all the same, so this count never begins again.
    """

    required_kwargs = frozenset({"dag_id", "run_id"})
    """What Airflow hands over, by name, to `_evaluate_with`."""

    def _evaluate_with(self, *, session: Session, dag_id: str, run_id: str) -> datetime | None:
        """When this run was queued, in Airflow's tables; Airflow asks when it makes the run."""
        from airflow.models import DagRun
        from sqlalchemy import select

        return session.scalar(select(DagRun.queued_at).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id))
