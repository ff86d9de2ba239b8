"""What these pages ask of Airflow about runs: its questions to people, runs under way, and a run for a missed day.

Shapes of Airflow 3.3's REST API (`/api/v2`), known nowhere else in this folder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any
from urllib.parse import quote

from loan_reminders.domain.errors import ReminderError
from loan_reminders.domain.runs.questions import Question
from loan_reminders.domain.runs.reference_date import reference_date
from loan_reminders.domain.stages import Stage
from loan_reminders.settings.library_toml import our_dag_id
from loan_reminders.web.airflow_api import AirflowApi

TASKS = {Question.VOLUME: "confirm_volume", Question.LETTERS: "approve_letters"}
ACTIVE = ("queued", "running")
MOST_RUNS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedInAirflow:
    """A question as Airflow has it. `options` are its answers; who answered it, when and what, once it is answered."""

    options: Sequence[str]
    answer: str = ""
    who: str = ""
    at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether it waits for an answer."""
        return self.at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRuns:
    """What Airflow has of a stage: whether its DAG is paused, and the days whose runs wait or are under way.

    `full`: as many as may be under way at once, so that one more waits.
    """

    paused: bool
    under_way: Mapping[date, str]
    full: bool


def _run_path(stage: Stage, dag_run_id: str) -> str:
    return f"dags/{our_dag_id(stage.value)}/dagRuns/{quote(dag_run_id, safe='')}"


async def question(airflow: AirflowApi, question: Question, *, stage: Stage, dag_run_id: str) -> AskedInAirflow | None:
    """The question that the task of a run asked last, None when it asked none. Raises AirflowSilent, AirflowRefused."""
    found = await airflow.get(f"{_run_path(stage, dag_run_id)}/hitlDetails", task_id=TASKS[question], limit=10)
    details = [
        one
        for one in found.get("hitl_details", ())
        if one.get("task_instance", {}).get("task_id", TASKS[question]) == TASKS[question]
    ]
    if not details:
        return None
    newest: dict[str, Any] = max(details, key=lambda one: str(one.get("created_at", "")))
    options = tuple(map(str, newest["options"]))
    if not newest.get("response_received"):
        return AskedInAirflow(options=options)
    given = (newest.get("responded_by_user") or {}).get("name") or ""
    chosen = ", ".join(map(str, newest.get("chosen_options") or ()))
    at = datetime.fromisoformat(str(newest["responded_at"]).replace("Z", "+00:00"))
    return AskedInAirflow(options=options, answer=chosen, who=str(given), at=at)


async def answer(
    airflow: AirflowApi,
    question: Question,
    option: str,
    *,
    stage: Stage,
    dag_run_id: str,
    form: Mapping[str, str | None],
) -> None:
    """Answer it. Raises AirflowSilent, AirflowRefused: 409 when it was answered before, 403 without the permission."""
    path = f"{_run_path(stage, dag_run_id)}/taskInstances/{TASKS[question]}/-1/hitlDetails"
    await airflow.patch(path, {"chosen_options": [option], "params_input": dict(form)})


async def stage_runs(airflow: AirflowApi, stage: Stage, *, zone: tzinfo) -> StageRuns:
    """Which days of a stage wait or are under way in Airflow, by day. Raises AirflowSilent, AirflowRefused."""
    dag_id = our_dag_id(stage.value)
    dag = await airflow.get(f"dags/{dag_id}")
    found = await airflow.get(f"dags/{dag_id}/dagRuns", state=list(ACTIVE), limit=MOST_RUNS)
    days = {}
    for run in found.get("dag_runs", ()):
        try:
            days[_day(run, zone)] = str(run["dag_run_id"])
        except ReminderError:  # a run that will be refused is about no day
            continue
    return StageRuns(
        paused=bool(dag.get("is_paused")), under_way=days, full=len(days) >= (dag.get("max_active_runs") or MOST_RUNS)
    )


async def start(airflow: AirflowApi, stage: Stage, day: date) -> str:
    """Start a run of a stage about one day; returns its name in Airflow.

    The name counts the times that this day was caught up: of two people who ask at once, the second is refused (409).
    Raises AirflowSilent, AirflowRefused.
    """
    before = f"rattrapage__{day.isoformat()}__"
    runs = f"dags/{our_dag_id(stage.value)}/dagRuns"
    earlier = await airflow.get(runs, run_id_prefix_pattern=before, limit=1)
    dag_run_id = f"{before}{int(earlier.get('total_entries', 0)) + 1}"
    body = {"dag_run_id": dag_run_id, "logical_date": None, "conf": {"reference_date": day.isoformat()}}
    await airflow.post(runs, body)
    return dag_run_id


def _day(run: Mapping[str, Any], zone: tzinfo) -> date:
    def moment(name: str) -> datetime | None:
        value = run.get(name)
        return None if value is None else datetime.fromisoformat(str(value).replace("Z", "+00:00"))

    run_after = moment("run_after")
    return reference_date(
        param=(run.get("conf") or {}).get("reference_date"),
        logical_date=moment("logical_date"),
        run_after=run_after if run_after is not None else datetime.now(zone),
        time_zone=zone,
    )
