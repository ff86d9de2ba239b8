"""The other two witnesses of what left: Airflow, which knows its last green run, and the server of the ledger."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from loan_reminders.domain.errors import SendingHeld
from loan_reminders.domain.marks.high_water import KnownBy
from loan_reminders.domain.ports.marks import AirflowRun
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.hooks.marks import marks_of
from loan_reminders.services.marks.guard import make_mark
from tests.scenes.backups import a_day, check, send
from tests.scenes.ledger_runs import rows
from tests.scenes.world import DUE, loan

EMAIL = Channel.EMAIL


def known_to_airflow(day, *, stage=Stage.OVERDUE_NOTICE, started_at=None, dag_run_id="scheduled__lost"):
    return AirflowRun(
        dag_run_id=dag_run_id,
        stage=stage,
        day=day,
        started_at=started_at or datetime.now(UTC) - timedelta(hours=20),
        deliveries=42,
    )


def test_airflow_remembers_when_the_letters_are_lost_with_the_ledger(world, file):
    run_id = world.begin(loan(1))
    lost = known_to_airflow(DUE)
    with pytest.raises(SendingHeld):
        send(world, file, run_id, last_run=lost)
    assert (world.mailed_to(), file.mark) == ([], None)
    marks = marks_of(world.ledger)
    asked = marks.open_gap()
    assert asked is not None
    assert [(run.known_by, run.deliveries) for run in asked.gap.runs] == [(KnownBy.AIRFLOW, 42)]
    assert marks.accept(who="zoé", mark_id=None)
    send(world, file, run_id, last_run=lost)
    # One answer is enough for all stages.
    check(world, file, last_run=known_to_airflow(DUE, stage=Stage.FIRST_REMINDER))
    later = known_to_airflow(DUE, started_at=datetime.now(UTC) + timedelta(seconds=1))
    with pytest.raises(SendingHeld):
        check(world, file, last_run=later)


def test_a_run_that_both_know_is_no_reason(world, file):
    world.extract(loan(1), dag_run_id="scheduled__known")
    check(world, file, last_run=known_to_airflow(DUE, dag_run_id="scheduled__known"))


def test_what_each_stage_finds_is_told_together(world, file):
    for stage in (Stage.COURTESY_NOTICE, Stage.OVERDUE_NOTICE, Stage.OVERDUE_NOTICE):
        with pytest.raises(SendingHeld):
            check(world, file, last_run=known_to_airflow(date(2026, 11, 28), stage=stage))
    asked = marks_of(world.ledger).open_gap()
    assert asked is not None
    assert [run.stage for run in asked.gap.runs] == [Stage.COURTESY_NOTICE, Stage.OVERDUE_NOTICE]


def test_a_step_cut_off_by_a_change_of_server_holds_and_a_cut_step_on_the_same_server_does_not(world, file):
    run_id = world.begin(loan(1))
    marks = marks_of(world.ledger)
    make_mark(marks, file, run_id=run_id, channel=EMAIL)  # begun, never ended
    check(world, file)
    rows(world.ledger, "UPDATE marks SET server = '7/00000001'")
    with pytest.raises(SendingHeld):
        check(world, file)
    assert marks.accept(who="zoé", mark_id=None)
    check(world, file)


def test_a_change_of_server_between_steps_is_no_reason(world, file):
    a_day(world, file, 1)
    rows(world.ledger, "UPDATE marks SET server = '7/00000001'")
    check(world, file)
    a_day(world, file, 2)
    assert len(world.mailed_to()) == 2
