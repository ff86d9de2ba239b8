"""What Airflow knows of today's five stages: paused, running, waiting, tried again at, failed.

Asked with the session of whoever looks, so he sees what Airflow lets him see; kept a few seconds for him alone, so that
a page that is loaded again and again asks once. Two requests on a quiet day, one more for each run that has not
succeeded, and one for each task that failed, up to three a run: why its last try did (`watching.alerts`). The times at
which tasks go on are Airflow's own rules worked out again, since its API does not tell them: the next try of a task
(`TaskInstance.next_retry_datetime`, Airflow 3.3), and the opening of the window for SMS.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import quote

from fastapi import Request

from loan_reminders.domain.alerts import CAUSE, FailureCause
from loan_reminders.domain.runs.day_state import CLOSE, SMS, AirflowRun, AirflowStage, RunStep, TaskAt, TaskStep
from loan_reminders.domain.runs.tries import FIRST_PAUSE, LONGEST_PAUSE
from loan_reminders.domain.sms.sending_window import SendingWindow
from loan_reminders.domain.stages import Stage
from loan_reminders.settings.libraries import several
from loan_reminders.settings.library_toml import our_dag_id, settings
from loan_reminders.web.access import Person
from loan_reminders.web.airflow_api import AirflowApi, AirflowRefused, AirflowSilent

KEPT = 5.0
"""Seconds an answer serves."""

PATIENCE = 3.0
"""Seconds before the first page does without Airflow."""

MOST_PEOPLE = 200
MOST_CAUSES = 3
_STEPS = {step.value: step for step in TaskStep} | {"restarting": TaskStep.RUNNING, "queued": TaskStep.RUNNING}


@dataclass(frozen=True, slots=True, kw_only=True)
class AirflowDay:
    """Today in Airflow: a stage that is not there is not known. `silent` or `refused` say why all are unknown."""

    stages: Mapping[Stage, AirflowStage] = field(default_factory=dict)
    silent: bool = False
    refused: bool = False

    @property
    def going(self) -> frozenset[Stage]:
        """The stages whose run of today waits for its turn or is under way."""
        return frozenset(
            stage
            for stage, known in self.stages.items()
            if known.run is not None and known.run.step in (RunStep.QUEUED, RunStep.RUNNING)
        )


@dataclass(slots=True)
class _Kept:
    until: float = 0.0
    day: AirflowDay = field(default_factory=AirflowDay)
    asking: asyncio.Task[None] | None = None


_kept: dict[tuple[str, str, int], _Kept] = {}


def forget(person: str) -> None:
    """Ask anew at the next look: somebody changed something."""
    for key in [key for key in _kept if key[0] == person]:
        del _kept[key]


async def airflow_day(api: AirflowApi, *, person: str, now: datetime, window: SendingWindow) -> AirflowDay:
    """Today in Airflow, as `person` may see it; `now` has the library's zone. Raises nothing of the API's own."""
    # A task belongs to the loop it runs in; a web server has one, tests have many.
    kept = _kept.setdefault((person, settings().library.code, id(asyncio.get_running_loop())), _Kept())
    if time.monotonic() >= kept.until and (kept.asking is None or kept.asking.done()):
        kept.asking = asyncio.create_task(_keep(kept, api, now, window))
    while len(_kept) > MOST_PEOPLE:
        _kept.pop(next(iter(_kept)))
    if kept.asking is not None:
        # Whoever does not wait so long leaves the answer to the next who comes.
        await asyncio.shield(kept.asking)
    return kept.day


async def _keep(kept: _Kept, api: AirflowApi, now: datetime, window: SendingWindow) -> None:
    kept.day = await _asked(api, now, window)
    kept.until = time.monotonic() + KEPT


async def goes_on(request: Request) -> Collection[Stage]:
    """The stages whose run of today goes on, for whoever asks for a page."""
    config = settings()
    now, window = datetime.now(config.zone), config.sms_window()
    person: Person = request.state.person
    return (await airflow_day(AirflowApi(request), person=person.name, now=now, window=window)).going


async def _asked(api: AirflowApi, now: datetime, window: SendingWindow) -> AirflowDay:
    try:
        async with asyncio.timeout(PATIENCE):
            return await _day(api, now, window)
    except AirflowRefused as refused:
        return AirflowDay(refused=refused.status in (401, 403), silent=refused.status not in (401, 403))
    except (AirflowSilent, TimeoutError, KeyError, TypeError, ValueError):
        # An answer that cannot be read tells no more than none.
        return AirflowDay(silent=True)


async def _day(api: AirflowApi, now: datetime, window: SendingWindow) -> AirflowDay:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    ours = {our_dag_id(stage.value): stage for stage in settings().all_stages}
    tags: dict[str, Any] = {"tags": "relances"}
    if several():
        tags = {"tags": ["relances", settings().library.code], "tags_match_mode": "all"}
    runs_asked = {"dag_ids": sorted(ours), "run_after_gte": midnight.isoformat(), "order_by": "-run_after"}
    dags, runs = await asyncio.gather(api.get("dags", **tags, limit=50), api.post("dags/~/dagRuns/list", runs_asked))
    newest = _newest(runs["dag_runs"], now.date())
    unsure = [run for run in newest.values() if run["state"] != RunStep.SUCCEEDED.value]
    answers = await asyncio.gather(*(api.get(_tasks_of(run)) for run in unsure))
    found = [_tasks(answer["task_instances"], now, window) for answer in answers]
    told = await asyncio.gather(*(_with_causes(api, run, of_run) for run, of_run in zip(unsure, found, strict=True)))
    tasks = {run["dag_id"]: of_run for run, of_run in zip(unsure, told, strict=True)}
    return AirflowDay(
        stages={
            ours[dag["dag_id"]]: AirflowStage(
                paused=dag["is_paused"],
                broken=bool(dag.get("has_import_errors")),
                run=_run(newest[dag["dag_id"]], tasks) if dag["dag_id"] in newest else None,
            )
            for dag in dags["dags"]
            if dag["dag_id"] in ours
        }
    )


def _newest(runs: Iterable[Mapping[str, Any]], today: date) -> dict[str, Mapping[str, Any]]:
    """The newest run of each stage about today: neither a dry run, nor one that was begun for another day."""
    found: dict[str, Mapping[str, Any]] = {}
    for run in runs:
        asked = run.get("conf") or {}
        other_day = asked.get("reference_date") not in (None, "", today.isoformat())
        if not asked.get("dry_run") and not other_day:
            found.setdefault(run["dag_id"], run)
    return found


def _tasks_of(run: Mapping[str, Any]) -> str:
    return f"dags/{run['dag_id']}/dagRuns/{quote(run['dag_run_id'], safe='')}/taskInstances"


async def _with_causes(api: AirflowApi, run: Mapping[str, Any], tasks: tuple[TaskAt, ...]) -> tuple[TaskAt, ...]:
    """The tasks of a run, and why the first of them that failed did, or are tried again."""
    failed = [task for task in tasks if task.step in (TaskStep.FAILED, TaskStep.RETRYING)]
    failed = sorted(failed, key=lambda task: task.task_id == CLOSE)[:MOST_CAUSES]
    causes = await asyncio.gather(*(_cause(api, run, task) for task in failed))
    known = dict(zip(failed, causes, strict=True))
    return tuple(replace(task, cause=known.get(task)) for task in tasks)


async def _cause(api: AirflowApi, run: Mapping[str, Any], task: TaskAt) -> FailureCause | None:
    """What the task left of its last try: nothing when it was killed, or for whoever may not read it."""
    where = f"{_tasks_of(run)}/{quote(task.task_id, safe='')}/xcomEntries/{CAUSE}"
    try:
        left = await api.get(where, map_index=task.place)
    except (AirflowRefused, AirflowSilent):
        return None
    said = str(left.get("value", "")).strip('"')  # as JSON, or as what it stands for
    return FailureCause(said) if said in set(FailureCause) else None


def _run(run: Mapping[str, Any], tasks: Mapping[str, tuple[TaskAt, ...]]) -> AirflowRun:
    return AirflowRun(
        dag_run_id=run["dag_run_id"],
        step=RunStep(run["state"]),
        started_at=_moment(run.get("start_date")),
        ended_at=_moment(run.get("end_date")),
        tasks=tasks.get(run["dag_id"], ()),
    )


def _tasks(instances: Iterable[Mapping[str, Any]], now: datetime, window: SendingWindow) -> tuple[TaskAt, ...]:
    return tuple(
        TaskAt(
            task_id=one["task_id"], step=step, at=_goes_on(one, step, now, window), place=int(one.get("map_index", -1))
        )
        for one in instances
        if (step := _STEPS.get(one["state"], TaskStep.TO_COME)) is not TaskStep.TO_COME
    )


def _goes_on(one: Mapping[str, Any], step: TaskStep, now: datetime, window: SendingWindow) -> datetime | None:
    """When a task goes on by itself, None when it does not wait for an hour."""
    if step is TaskStep.RETRYING:
        return next_try(one)
    if step is TaskStep.DEFERRED and one["task_id"] == SMS:
        since = _moment((one.get("trigger") or {}).get("created_date")) or now
        return window.next_opening(since.astimezone(now.tzinfo))
    return None


def next_try(one: Mapping[str, Any]) -> datetime | None:
    """When Airflow tries a task instance again that is up for retry, by its own arithmetic and our pauses."""
    ended = _moment(one.get("end_date"))
    if ended is None:
        return None
    logical = _moment(one.get("logical_date"))
    pause = math.ceil(FIRST_PAUSE.total_seconds() * 2 ** (one["try_number"] - 1))
    name = f"{one['dag_id']}#{one['task_id']}#{logical}#{one['try_number']}"
    spread = int(hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest(), 16) % pause
    return ended + min(timedelta(seconds=pause + spread), LONGEST_PAUSE)


def _moment(said: str | None) -> datetime | None:
    return datetime.fromisoformat(said) if said else None
