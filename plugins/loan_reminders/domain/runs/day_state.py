"""Where each stage is on one day, by the ledger and Airflow, or by the ledger alone; and whether the day is fine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from loan_reminders.domain.alerts import FailureCause
from loan_reminders.domain.runs.volume import VolumeAnswer
from loan_reminders.domain.stages import Stage

GRACE = timedelta(hours=2)
"""How long after its hour a run may still begin, before the day counts as missed."""

AT_ONCE = timedelta(minutes=5)
"""How long after its hour a run that has not begun is nothing to speak of."""

CONFIRM, SMS, CLOSE = "confirm_volume", "send_sms", "close_run"
"""The question about the volume, the SMS that wait for their window, and the task that fails when another did."""


class DayState(StrEnum):
    """Where a stage is on its day."""

    NOT_YET = "not_yet"
    LATE = "late"
    QUEUED = "queued"
    RUNNING = "running"
    WAITS_FOR_WINDOW = "waits_for_window"
    WAITS_FOR_VOLUME = "waits_for_volume"
    WAITS_FOR_APPROVAL = "waits_for_approval"
    RETRYING = "retrying"
    STOPPED = "stopped"
    NOT_BALANCED = "not_balanced"
    NEVER_CLOSED = "never_closed"
    WITHOUT_BOOKS = "without_books"
    PAUSED = "paused"
    MISSED = "missed"
    BROKEN = "broken"
    REFUSED = "refused"
    TO_PRINT = "to_print"
    DONE = "done"


class Level(StrEnum):
    """What a state asks of a librarian: nothing, an answer or a letter to print, or to find out why it stopped."""

    FINE = "fine"
    WAITING = "waiting"
    STOPPED = "stopped"


S = DayState
LEVELS: dict[DayState, Level] = {
    **dict.fromkeys((S.WAITS_FOR_VOLUME, S.WAITS_FOR_APPROVAL, S.TO_PRINT), Level.WAITING),
    **dict.fromkeys((S.STOPPED, S.NOT_BALANCED, S.NEVER_CLOSED, S.WITHOUT_BOOKS), Level.STOPPED),
    **dict.fromkeys((S.PAUSED, S.MISSED, S.BROKEN), Level.STOPPED),
}
"""What each state asks; whatever is not named here is fine."""


class RunStep(StrEnum):
    """How far Airflow is with a run."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "success"
    FAILED = "failed"


class TaskStep(StrEnum):
    """How far Airflow is with a task of a run; whatever is not named here is still to come."""

    TO_COME = "to_come"
    RUNNING = "running"
    RETRYING = "up_for_retry"
    DEFERRED = "deferred"
    ASKING = "awaiting_input"
    FAILED = "failed"
    DONE = "success"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskAt:
    """One task of a run; `at` is when it goes on by itself: the next try, or the opening of the window.

    `cause` is why its last try failed, None where nothing says. `place` is its number among several of one name, or -1.
    """

    task_id: str
    step: TaskStep
    at: datetime | None = None
    cause: FailureCause | None = None
    place: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class AirflowRun:
    """The newest run that Airflow has for a stage's day; `tasks` are not asked for when all succeeded."""

    dag_run_id: str
    step: RunStep
    started_at: datetime | None = None
    ended_at: datetime | None = None
    tasks: tuple[TaskAt, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AirflowStage:
    """What Airflow knows of a stage; `broken`: it cannot read the stage's file, and begins no run."""

    paused: bool = False
    broken: bool = False
    run: AirflowRun | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRun:
    """What the ledger knows of the newest run of a stage's day.

    `balanced` is None until its books are written; `drafts` are letters that wait for an approval, `to_print` letters
    in batches that nobody printed, `sms_waiting` SMS that were not attempted.
    """

    run_id: int
    dag_run_id: str
    started_at: datetime
    closed_at: datetime | None = None
    balanced: bool | None = None
    volume: VolumeAnswer | None = None
    drafts: int = 0
    to_print: int = 0
    sms_waiting: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StageFacts:
    """All that decides the state of a stage on its day.

    `starts_at` is when its run is due. `airflow` is None when Airflow did not answer. `sms_opens_at` is when SMS may
    leave next, None while they may leave.
    """

    starts_at: datetime
    ledger: LedgerRun | None = None
    airflow: AirflowStage | None = None
    sms_opens_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StageDay:
    """Where a stage is; `at` is the state's own moment: begun, done, or when it goes on. `tasks` are Airflow's ids.

    `letters` are those that wait for an approval or for the printer. `closes_right` says whether the books balance,
    None without any. `paused`: whatever its state today, Airflow begins no other run. `failed` is the task to look at
    of a stage that is stopped or tried again.
    """

    state: DayState
    at: datetime | None = None
    tasks: tuple[str, ...] = ()
    letters: int = 0
    closes_right: bool | None = None
    paused: bool = False
    failed: TaskAt | None = None

    @property
    def level(self) -> Level:
        """What it asks of a librarian."""
        return LEVELS.get(self.state, Level.FINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The day in one look. `stages` are those that are stopped, or those that wait; `waiting` counts what waits."""

    level: Level
    stages: tuple[Stage, ...] = ()
    waiting: int = 0
    days: Mapping[Stage, StageDay] = field(default_factory=dict)


def stage_day(facts: StageFacts, now: datetime) -> StageDay:
    """Where a stage is at `now`, an aware moment."""
    airflow = facts.airflow
    if airflow is None:
        return _by_ledger(facts, now)
    return replace(_by_both(facts, now, airflow), paused=airflow.paused)


def _by_both(facts: StageFacts, now: datetime, airflow: AirflowStage) -> StageDay:
    ledger = facts.ledger
    if airflow.run is None:
        if ledger is not None:
            return _ended(ledger) if ledger.closed_at is not None else StageDay(state=S.NEVER_CLOSED)
        return _not_begun(facts, now, airflow)
    ours = ledger if ledger is not None and ledger.dag_run_id == airflow.run.dag_run_id else None
    return _by_run(airflow.run, ours, paused=airflow.paused)


def verdict(days: Mapping[Stage, StageDay], *, others_waiting: int = 0) -> Verdict:
    """The day in one look; `others_waiting` counts what waits for a person beside the stages of the day."""
    stopped = tuple(stage for stage, day in days.items() if day.level is Level.STOPPED)
    waiting = tuple(stage for stage, day in days.items() if day.level is Level.WAITING)
    number = len(waiting) + others_waiting
    level = Level.STOPPED if stopped else Level.WAITING if number else Level.FINE
    return Verdict(level=level, stages=stopped or waiting, waiting=number, days=days)


def _by_ledger(facts: StageFacts, now: datetime) -> StageDay:
    ledger = facts.ledger
    if ledger is None:
        return _not_begun(facts, now, AirflowStage())
    if ledger.closed_at is not None:
        return _ended(ledger)
    asked = _asked(ledger)
    if asked is not None:
        return asked
    if ledger.sms_waiting and facts.sms_opens_at is not None:
        return StageDay(state=S.WAITS_FOR_WINDOW, at=facts.sms_opens_at)
    return StageDay(state=S.RUNNING, at=ledger.started_at)


def _asked(ledger: LedgerRun) -> StageDay | None:
    if ledger.volume is VolumeAnswer.ASKED:
        return StageDay(state=S.WAITS_FOR_VOLUME)
    if ledger.drafts:
        return StageDay(state=S.WAITS_FOR_APPROVAL, letters=ledger.drafts)
    return None


def _ended(ledger: LedgerRun) -> StageDay:
    if not ledger.balanced:
        return StageDay(state=S.NOT_BALANCED, at=ledger.closed_at, closes_right=False)
    if ledger.volume is VolumeAnswer.REFUSED:
        return StageDay(state=S.REFUSED, at=ledger.closed_at, closes_right=True)
    state = S.TO_PRINT if ledger.to_print else S.DONE
    return StageDay(state=state, at=ledger.closed_at, letters=ledger.to_print, closes_right=True)


def _not_begun(facts: StageFacts, now: datetime, airflow: AirflowStage) -> StageDay:
    late = now - facts.starts_at
    if airflow.broken:
        return StageDay(state=S.BROKEN)
    if airflow.paused:
        return StageDay(state=S.PAUSED)
    if late < AT_ONCE:
        return StageDay(state=S.NOT_YET, at=facts.starts_at)
    return StageDay(state=S.LATE if late < GRACE else S.MISSED, at=facts.starts_at)


def _by_run(run: AirflowRun, ledger: LedgerRun | None, *, paused: bool) -> StageDay:
    failed = _those(run, TaskStep.FAILED)
    failed = tuple(task for task in failed if task != CLOSE) or failed
    if run.step is RunStep.SUCCEEDED:
        if ledger is None or ledger.closed_at is None or not ledger.balanced:
            return StageDay(state=S.WITHOUT_BOOKS, at=run.ended_at)
        return _ended(ledger)
    right = ledger.balanced if ledger is not None and ledger.closed_at is not None else None
    if run.step is RunStep.FAILED:
        state = S.NOT_BALANCED if right is False else S.STOPPED
        return StageDay(state=state, at=run.ended_at, tasks=failed, closes_right=right, failed=_first(run, failed))
    if failed:
        return StageDay(state=S.STOPPED, tasks=failed, closes_right=right, failed=_first(run, failed))
    if paused:
        return StageDay(state=S.PAUSED, at=run.started_at)
    if run.step is RunStep.QUEUED:
        return StageDay(state=S.QUEUED)
    return _under_way(run, ledger)


def _under_way(run: AirflowRun, ledger: LedgerRun | None) -> StageDay:
    by_step = {task.step: task for task in run.tasks}
    asking = by_step.get(TaskStep.ASKING)
    if asking is not None and asking.task_id == CONFIRM:
        return StageDay(state=S.WAITS_FOR_VOLUME)
    if asking is not None:
        return StageDay(state=S.WAITS_FOR_APPROVAL, letters=ledger.drafts if ledger is not None else 0)
    tried_again = _those(run, TaskStep.RETRYING)
    retrying = _first(run, tried_again, TaskStep.RETRYING)
    if retrying is not None:
        return StageDay(state=S.RETRYING, at=retrying.at, tasks=tried_again, failed=retrying)
    deferred = next((task for task in run.tasks if task.step is TaskStep.DEFERRED and task.task_id == SMS), None)
    running = _those(run, TaskStep.RUNNING)
    if deferred is not None and not running:
        return StageDay(state=S.WAITS_FOR_WINDOW, at=deferred.at)
    return StageDay(state=S.RUNNING, at=run.started_at, tasks=running)


def _first(run: AirflowRun, failed: tuple[str, ...], step: TaskStep = TaskStep.FAILED) -> TaskAt | None:
    """The task to look at: the first at this step that says why, or else the first; None when there is none."""
    those = [task for task in run.tasks if task.step is step and task.task_id in failed]
    return next((task for task in those if task.cause is not None), those[0] if those else None)


def _those(run: AirflowRun, step: TaskStep) -> tuple[str, ...]:
    """The tasks at this step, each once: several may share the e-mails of one run."""
    return tuple(dict.fromkeys(task.task_id for task in run.tasks if task.step is step))
