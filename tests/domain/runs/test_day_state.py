"""Where a stage is on its day: every state, by what the ledger and Airflow know; and the verdict of the day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from loan_reminders.domain.alerts import FailureCause
from loan_reminders.domain.runs.day_state import (
    GRACE,
    LEVELS,
    AirflowRun,
    AirflowStage,
    DayState,
    LedgerRun,
    Level,
    RunStep,
    StageDay,
    StageFacts,
    TaskAt,
    TaskStep,
    stage_day,
    verdict,
)
from loan_reminders.domain.runs.volume import VolumeAnswer
from loan_reminders.domain.stages import Stage

DUE = datetime(2026, 11, 30, 10, tzinfo=UTC)
NOON = DUE + timedelta(hours=2, minutes=30)
LATER = NOON + timedelta(minutes=20)
S, T = DayState, TaskStep

BEGUN = LedgerRun(run_id=1, dag_run_id="today", started_at=DUE)
CLOSED = replace(BEGUN, closed_at=DUE + timedelta(minutes=3), balanced=True)
WRONG = replace(CLOSED, balanced=False)


def ran(step: RunStep, *tasks: tuple[str, TaskStep], at: datetime | None = None, **stage: bool) -> AirflowStage:
    run = AirflowRun(
        dag_run_id="today",
        step=step,
        started_at=DUE,
        ended_at=None if step in (RunStep.RUNNING, RunStep.QUEUED) else DUE + timedelta(minutes=4),
        tasks=tuple(TaskAt(task_id=name, step=state, at=at) for name, state in tasks),
    )
    return AirflowStage(run=run, **stage)


GOING, GREEN, RED = RunStep.RUNNING, RunStep.SUCCEEDED, RunStep.FAILED
BOTH = [
    ("before its hour", None, AirflowStage(), DUE - timedelta(hours=1), S.NOT_YET),
    ("a moment after", None, AirflowStage(), DUE + timedelta(minutes=1), S.NOT_YET),
    ("begins late", None, AirflowStage(), DUE + timedelta(minutes=20), S.LATE),
    ("never began", None, AirflowStage(), DUE + GRACE, S.MISSED),
    ("paused before its hour", None, AirflowStage(paused=True), DUE - timedelta(hours=1), S.PAUSED),
    ("paused, and nothing began", None, AirflowStage(paused=True), NOON, S.PAUSED),
    ("a file that cannot be read", None, AirflowStage(broken=True, paused=True), NOON, S.BROKEN),
    ("behind the run of another day", None, ran(RunStep.QUEUED), NOON, S.QUEUED),
    ("queued in a paused stage", None, ran(RunStep.QUEUED, paused=True), NOON, S.PAUSED),
    ("reads the ILS", BEGUN, ran(GOING, ("extract_loans", T.RUNNING)), NOON, S.RUNNING),
    ("between two tasks", BEGUN, ran(GOING, ("extract_loans", T.DONE)), NOON, S.RUNNING),
    ("paused while under way", BEGUN, ran(GOING, ("plan_notices", T.DONE), paused=True), NOON, S.PAUSED),
    ("the ILS is down", BEGUN, ran(GOING, ("extract_loans", T.RETRYING), at=LATER), NOON, S.RETRYING),
    ("asks about the volume", BEGUN, ran(GOING, ("confirm_volume", T.ASKING)), NOON, S.WAITS_FOR_VOLUME),
    ("asks about the letters", BEGUN, ran(GOING, ("approve_letters", T.ASKING)), NOON, S.WAITS_FOR_APPROVAL),
    ("SMS wait for the window", BEGUN, ran(GOING, ("send_sms", T.DEFERRED), at=LATER), NOON, S.WAITS_FOR_WINDOW),
    (
        "SMS wait, e-mails go on",
        BEGUN,
        ran(GOING, ("send_sms", T.DEFERRED), ("send_emails", T.RUNNING), at=LATER),
        NOON,
        S.RUNNING,
    ),
    ("a task failed, others go on", BEGUN, ran(GOING, ("send_emails", T.FAILED)), NOON, S.STOPPED),
    ("failed", BEGUN, ran(RED, ("send_emails", T.FAILED)), NOON, S.STOPPED),
    ("failed before the ledger heard of it", None, ran(RED, ("extract_loans", T.FAILED)), NOON, S.STOPPED),
    ("failed, the books balance", CLOSED, ran(RED, ("send_emails", T.FAILED)), NOON, S.STOPPED),
    ("the books do not balance", WRONG, ran(RED, ("close_run", T.FAILED)), NOON, S.NOT_BALANCED),
    ("done", CLOSED, ran(GREEN), NOON, S.DONE),
    ("done, in a stage that was paused since", CLOSED, ran(GREEN, paused=True), NOON, S.DONE),
    ("letters to print", replace(CLOSED, to_print=4), ran(GREEN), NOON, S.TO_PRINT),
    ("the volume was refused", replace(CLOSED, volume=VolumeAnswer.REFUSED), ran(GREEN), NOON, S.REFUSED),
    ("marked as done by hand", BEGUN, ran(GREEN), NOON, S.WITHOUT_BOOKS),
    ("marked as done, never begun", None, ran(GREEN), NOON, S.WITHOUT_BOOKS),
    ("Airflow lost a closed run", CLOSED, AirflowStage(), NOON, S.DONE),
    ("Airflow lost a run that was never closed", BEGUN, AirflowStage(), NOON, S.NEVER_CLOSED),
    (
        "the newest run is another one",
        replace(CLOSED, dag_run_id="earlier"),
        ran(RED, ("extract_loans", T.FAILED)),
        NOON,
        S.STOPPED,
    ),
]
LEDGER_ALONE = [
    ("before its hour", None, DUE - timedelta(hours=1), S.NOT_YET),
    ("never began", None, NOON, S.MISSED),
    ("under way", BEGUN, NOON, S.RUNNING),
    ("asked about the volume", replace(BEGUN, volume=VolumeAnswer.ASKED), NOON, S.WAITS_FOR_VOLUME),
    ("the volume was approved", replace(BEGUN, volume=VolumeAnswer.APPROVED), NOON, S.RUNNING),
    ("drafts wait", replace(BEGUN, drafts=6), NOON, S.WAITS_FOR_APPROVAL),
    ("done", CLOSED, NOON, S.DONE),
    ("does not balance", WRONG, NOON, S.NOT_BALANCED),
]


@pytest.mark.parametrize(("ledger", "airflow", "now", "state"), [row[1:] for row in BOTH], ids=[row[0] for row in BOTH])
def test_a_stage_is_where_the_ledger_and_airflow_say(ledger, airflow, now, state):
    day = stage_day(StageFacts(starts_at=DUE, ledger=ledger, airflow=airflow), now)
    assert day.state is state
    assert day.paused is airflow.paused


@pytest.mark.parametrize(
    ("ledger", "now", "state"), [row[1:] for row in LEDGER_ALONE], ids=[row[0] for row in LEDGER_ALONE]
)
def test_without_airflow_the_ledger_says_what_it_can(ledger, now, state):
    assert stage_day(StageFacts(starts_at=DUE, ledger=ledger), now).state is state


def test_without_airflow_sms_that_cannot_leave_yet_wait_for_the_window():
    facts = StageFacts(starts_at=DUE, ledger=replace(BEGUN, sms_waiting=3), sms_opens_at=LATER)
    assert stage_day(facts, NOON) == StageDay(state=S.WAITS_FOR_WINDOW, at=LATER)
    assert stage_day(replace(facts, sms_opens_at=None), NOON).state is S.RUNNING


def test_every_state_of_the_closed_list_is_reached():
    reached = {row[-1] for row in (*BOTH, *LEDGER_ALONE)}
    assert reached == set(DayState) >= set(LEVELS)


def test_the_task_to_look_at_is_the_first_that_says_why():
    silent = TaskAt(task_id="send_emails", step=T.FAILED, place=0)
    says = replace(silent, place=1, cause=FailureCause.MAIL_REFUSES)
    closing = TaskAt(task_id="close_run", step=T.FAILED, cause=FailureCause.OTHER_TASK)

    def failed(*tasks):
        run = replace(ran(RED).run, tasks=tasks)
        return stage_day(StageFacts(starts_at=DUE, ledger=CLOSED, airflow=AirflowStage(run=run)), NOON).failed

    assert failed(silent, says, closing) == says
    assert failed(silent, closing) == silent
    assert failed(closing) == closing
    assert failed() is None


def test_a_state_has_the_moment_that_its_words_need():
    def at(ledger, airflow):
        return stage_day(StageFacts(starts_at=DUE, ledger=ledger, airflow=airflow), NOON)

    assert at(CLOSED, ran(GREEN)).at == CLOSED.closed_at
    retrying = at(BEGUN, ran(GOING, ("extract_loans", T.RETRYING), at=LATER))
    assert (retrying.at, retrying.tasks) == (LATER, ("extract_loans",))
    assert at(None, AirflowStage()).at == DUE
    assert at(replace(BEGUN, drafts=6), ran(GOING, ("approve_letters", T.ASKING))).letters == 6


def test_of_several_that_are_tried_again_the_one_that_says_why_is_shown():
    shares = ran(GOING, *[("send_emails", T.RETRYING)] * 4, at=LATER)
    first, *others = shares.run.tasks
    known = replace(first, cause=FailureCause.MAIL_SILENT)
    airflow = replace(shares, run=replace(shares.run, tasks=(others[0], known, *others[1:])))
    shown = stage_day(StageFacts(starts_at=DUE, ledger=BEGUN, airflow=airflow), NOON)
    assert (shown.state, shown.failed) == (S.RETRYING, known)


def test_the_last_task_is_blamed_only_when_no_other_failed():
    both = ran(RED, ("send_sms", T.FAILED), ("close_run", T.FAILED))
    alone = ran(RED, ("close_run", T.FAILED))
    for airflow, blamed in ((both, ("send_sms",)), (alone, ("close_run",))):
        assert stage_day(StageFacts(starts_at=DUE, ledger=BEGUN, airflow=airflow), NOON).tasks == blamed


def test_two_that_share_the_emails_of_a_run_are_named_once():
    both = ran(GOING, ("send_emails", T.RUNNING), ("send_emails", T.RUNNING), ("send_emails", T.DONE))
    assert stage_day(StageFacts(starts_at=DUE, ledger=BEGUN, airflow=both), NOON).tasks == ("send_emails",)


def days(**states: DayState) -> dict[Stage, StageDay]:
    return {stage: StageDay(state=states.get(stage.value, S.DONE)) for stage in Stage}


def test_the_day_is_fine_waits_or_is_stopped():
    assert verdict(days()).level is Level.FINE
    waits = verdict(days(first_reminder=S.TO_PRINT), others_waiting=2)
    assert (waits.level, waits.waiting, waits.stages) == (Level.WAITING, 3, (Stage.FIRST_REMINDER,))
    assert verdict(days(), others_waiting=1).level is Level.WAITING
    stopped = verdict(days(first_reminder=S.TO_PRINT, second_reminder=S.STOPPED))
    assert (stopped.level, stopped.waiting, stopped.stages) == (Level.STOPPED, 1, (Stage.SECOND_REMINDER,))


def test_what_goes_on_by_itself_asks_nothing_of_anybody():
    assert verdict(days(overdue_notice=S.WAITS_FOR_WINDOW, first_reminder=S.RETRYING)).level is Level.FINE
