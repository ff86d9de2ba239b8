"""Where a card of the first page leads: the answer that is waited for, the run, and what Airflow has of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from urllib.parse import quote

from loan_reminders.domain.runs.day_state import CLOSE, DayState, StageDay
from loan_reminders.domain.stages import Stage
from loan_reminders.ledger.runs.today import DayFigures
from loan_reminders.settings.library_toml import our_dag_id
from loan_reminders.web.access import Right, airflow_link
from loan_reminders.web.runs.airflow_day import AirflowDay

S = DayState
TO_CATCH_UP = frozenset({S.MISSED, S.NEVER_CLOSED, S.WITHOUT_BOOKS})
IN_AIRFLOW = frozenset({S.PAUSED, S.BROKEN, S.QUEUED})
"""States about which Airflow's page of the DAG says more, or where something is done about them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A link of a card, for whoever has a right; `path` is one of our pages unless it is one of `airflow`'s."""

    words: str
    path: str
    right: Right
    airflow: bool = False


def ways(stage: Stage, day: StageDay, known: DayFigures | None, airflow: AirflowDay, today: date) -> tuple[Way, ...]:
    """What to open about a stage: first what is to be answered or done, then the run, then Airflow's own pages."""
    found = []
    run_id = None if known is None or not _is_the_run(stage, known, airflow) else known.run.run_id
    if run_id is not None and day.state is S.WAITS_FOR_VOLUME:
        found.append(Way(words="Répondre", path=f"questions/{run_id}/volume", right=Right.ACT))
    if run_id is not None and day.state is S.WAITS_FOR_APPROVAL:
        found.append(Way(words="Relire et valider", path=f"questions/{run_id}/lettres", right=Right.ACT))
    if day.state in TO_CATCH_UP:
        path = f"tournees/jours-manques/{stage}/{today.isoformat()}"
        found.append(Way(words="Rattraper ce jour", path=path, right=Right.ACT))
    if run_id is not None:
        found.append(Way(words="Voir la tournée", path=f"tournees/{run_id}", right=Right.SEE))
    dag_id = our_dag_id(stage.value)
    if day.state in IN_AIRFLOW:
        found.append(
            Way(words="L'étape dans Airflow", path=airflow_link(f"dags/{dag_id}"), right=Right.SEE, airflow=True)
        )
    log = _log(stage, day, airflow)
    if log:
        found.append(Way(words="Journal de la tâche", path=airflow_link(log), right=Right.ACT, airflow=True))
    return tuple(found)


def _is_the_run(stage: Stage, known: DayFigures, airflow: AirflowDay) -> bool:
    """Whether the newest run of the ledger is the one that Airflow tells of; Airflow may have begun a later one."""
    of_stage = airflow.stages.get(stage)
    return of_stage is None or of_stage.run is None or of_stage.run.dag_run_id == known.run.dag_run_id


def _log(stage: Stage, day: StageDay, airflow: AirflowDay) -> str:
    """The page of Airflow with the log of the task that failed; of the closing one where the books are wrong."""
    of_stage = airflow.stages.get(stage)
    run = None if of_stage is None else of_stage.run
    if run is None or day.failed is None:
        return ""
    task, place = day.failed.task_id, day.failed.place
    if day.state is S.NOT_BALANCED:
        task, place = CLOSE, -1
    where = f"dags/{our_dag_id(stage.value)}/runs/{quote(run.dag_run_id, safe='')}/tasks/{quote(task, safe='')}"
    return where if place < 0 else f"{where}/mapped/{place}"
