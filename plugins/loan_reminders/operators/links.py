"""The buttons of tasks in Airflow that lead to the librarians' pages (« Liens supplémentaires »).

Their addresses are relative: Airflow's own pages name the place from which they count (`<base href>`), so that they
hold behind any base path. A button is made when its task ends, from what the task knows; it asks nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperatorLink

from loan_reminders.domain.dag_ids import library_of

if TYPE_CHECKING:
    from airflow.sdk.types import TaskInstanceKey


def pages_of(dag_id: str) -> str:
    """Where the pages of a DAG's library begin: `relances`, or `relances/montclar` among several."""
    library = library_of(dag_id)
    return "relances" if library is None else f"relances/{library}"


class BatchLink(BaseOperatorLink):
    """From a task about letters to the batch of its run."""

    name = "Voir le lot de lettres"

    def get_link(self, operator: Any, *, ti_key: TaskInstanceKey) -> str:
        """The address, empty when the run has no number: then there is no button."""
        run_id = getattr(operator, "run_id", None)
        return f"{pages_of(operator.dag_id)}/tournees/{run_id}/lots" if isinstance(run_id, int) else ""


class MissedDaysLink(BaseOperatorLink):
    """From « Extraire les prêts » to the days that had no run."""

    name = "Voir les jours manqués"

    def get_link(self, operator: Any, *, ti_key: TaskInstanceKey) -> str:
        """The address."""
        return f"{pages_of(operator.dag_id)}/tournees/jours-manques"
