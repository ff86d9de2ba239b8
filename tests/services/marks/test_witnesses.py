"""The other two witnesses of what left: Airflow, which remembers its last runs, and the server of the ledger."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from loan_reminders.domain.errors import SendingHeld
from loan_reminders.domain.marks.high_water import RememberedRun
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.hooks.marks import marks_of
from loan_reminders.services.marks.guard import make_mark
from tests.scenes.backups import a_day, check, send, step
from tests.scenes.ledger_runs import rows
from tests.scenes.world import DUE, loan, loans

EMAIL = Channel.EMAIL


def remembered(day=DUE, **more):
    """A run that Airflow saw end, of which it has the books."""
    usual = {
        "dag_run_id": "scheduled__lost",
        "run_id": 7,
        "stage": Stage.OVERDUE_NOTICE,
        "started_at": datetime.now(UTC) - timedelta(hours=20),
        "closed_at": datetime(2026, 11, 28, 10, 30, tzinfo=UTC),
        "left": {EMAIL: 42},
    }
    return RememberedRun(day=day, **(usual | more))


def closed_at(world, run_id):
    return world.ledger.run(run_id).closed_at


def test_airflow_remembers_when_the_letters_are_lost_with_the_ledger(world, file):
    run_id = world.begin(loan(1))
    lost = remembered()
    with pytest.raises(SendingHeld):
        send(world, file, run_id, lost)
    assert (world.mailed_to(), file.mark) == ([], None)
    marks = marks_of(world.ledger)
    asked = marks.open_gap()
    assert asked is not None
    assert asked.gap.remembered == (lost,)
    assert marks.accept(who="zoé", mark_id=None)
    send(world, file, run_id, lost)
    # One answer is enough for all stages.
    check(world, file, remembered(stage=Stage.FIRST_REMINDER))
    later = remembered(started_at=datetime.now(UTC) + timedelta(seconds=1))
    with pytest.raises(SendingHeld):
        check(world, file, later)


@pytest.mark.parametrize("mark", ["none", "known"])
def test_what_airflow_alone_knew_is_asked_again_by_everybody_else(world, file, mark):
    """« Imprimer », « Renvoyer », the watch and the feedback have no run of a stage to ask Airflow about."""
    if mark == "known":
        a_day(world, file, 1)
    lost = remembered()
    with pytest.raises(SendingHeld):
        check(world, file, lost)
    for _ in range(2):
        with pytest.raises(SendingHeld):
            check(world, file)
    asked = marks_of(world.ledger).open_gap()
    assert asked is not None
    assert asked.gap.remembered == (lost,)


def test_a_refusal_of_what_airflow_alone_knew_does_not_wear_off(world, file):
    """The emptied run ends green, and is what Airflow remembers the next day: the ledger has that one."""
    a_day(world, file, 1)
    run_id = world.begin(*loans(2))
    with pytest.raises(SendingHeld):
        send(world, file, run_id, remembered())
    left = world.mailed_to()
    marks = marks_of(world.ledger)
    assert marks.refuse(who="zoé") == 4
    assert not send(world, file, run_id, remembered())
    world.close(run_id)
    make_mark(marks, file, run_id=run_id)
    emptied = remembered(dag_run_id="run 2", run_id=run_id, closed_at=closed_at(world, run_id), left={})
    world.today = DUE + timedelta(days=6)
    after = world.extract_day(DUE + timedelta(days=5), loan(9, due_date=DUE + timedelta(days=5)))
    world.plan(after)
    for _ in range(2):
        with pytest.raises(SendingHeld):
            send(world, file, after, emptied)
        with pytest.raises(SendingHeld):
            check(world, file)
    assert world.mailed_to() == left
    asked = marks.open_gap()
    assert asked is not None
    assert asked.refused
    assert marks.accept(who="bob", mark_id=None)
    assert send(world, file, after, emptied)
    assert len(world.mailed_to()) == len(left) + 1


def test_a_lost_run_that_is_cleared_and_ends_empty_does_not_stand_for_the_one_that_was_lost(world, file):
    lost = remembered()
    with pytest.raises(SendingHeld):
        check(world, file, lost)
    again = world.extract(loan(1), dag_run_id=lost.dag_run_id)
    world.plan(again)
    marks = marks_of(world.ledger)
    assert marks.refuse(who="zoé") == 2
    world.close(again)
    with pytest.raises(SendingHeld):
        check(world, file, remembered(run_id=again))
    asked = marks.open_gap()
    assert asked is not None
    assert [run.run_id for run in asked.gap.remembered] == [lost.run_id]


def test_a_ledger_that_has_the_run_after_all_ends_a_refusal(world, file, backups):
    a_day(world, file, 1)
    old = backups.take(world.ledger)
    run_id = a_day(world, file, 2)
    known = remembered(dag_run_id="run 2", run_id=run_id)
    fresh = backups.take(world.ledger)
    file.mark = None
    world.ledger = backups.bring_back(old)
    with pytest.raises(SendingHeld):
        check(world, file, known)
    marks_of(world.ledger).refuse(who="zoé")
    with pytest.raises(SendingHeld):
        check(world, file)
    world.ledger = backups.bring_back(fresh)
    check(world, file, known)
    assert a_day(world, file, 3)


def test_a_run_that_both_know_is_no_reason(world, file):
    run_id = a_day(world, file, 1)
    check(world, file, remembered(dag_run_id="run 1", run_id=run_id))


def test_a_copy_of_the_middle_of_a_run_lacks_the_rest_of_it(world, file, backups):
    """Ledger and letters of 10:02; Airflow's database is elsewhere, and saw the run end at 10:30."""
    run_id = world.begin(*loans(2))
    with step(world, file, run_id):
        in_the_middle, letters = backups.take(world.ledger), file.mark
        world.send_emails(run_id)
    world.send_sms(run_id)
    world.close(run_id)
    left = (world.mailed_to(), world.texted_to())
    assert left[0]
    left_by_books = {EMAIL: 2, Channel.SMS: 2}
    ended = remembered(dag_run_id="run 1", run_id=run_id, closed_at=closed_at(world, run_id), left=left_by_books)
    check(world, file, ended)
    world.ledger, file.mark = backups.bring_back(in_the_middle), letters
    again = world.begin(*loans(2))
    with pytest.raises(SendingHeld):
        send(world, file, again, ended)
    assert (world.mailed_to(), world.texted_to()) == left
    asked = marks_of(world.ledger).open_gap()
    assert asked is not None
    assert asked.gap.remembered == (ended,)


def closed_unplanned(world):
    """A run whose planning failed, and whose books were counted all the same; then it is planned after all."""
    run_id = world.extract(*loans(2), dag_run_id="run 1")
    world.ledger.close_run(run_id)
    counted = remembered(dag_run_id="run 1", run_id=run_id, closed_at=closed_at(world, run_id), left={})
    world.plan(run_id)
    return run_id, counted


def test_a_closed_run_that_is_planned_again_is_in_the_ledger_and_holds_nobody(world, file):
    """« Préparer les avis » alone was cleared: the run is open again, and Airflow has the books of its first end."""
    _, counted = closed_unplanned(world)
    check(world, file, counted)


def test_a_copy_from_between_two_ends_of_a_run_lacks_the_second(world, file, backups):
    run_id, _ = closed_unplanned(world)
    in_between, letters = backups.take(world.ledger), file.mark
    world.send_emails(run_id)
    world.send_sms(run_id)
    world.close(run_id)
    ended = remembered(dag_run_id="run 1", run_id=run_id, closed_at=closed_at(world, run_id))
    check(world, file, ended)
    world.ledger, file.mark = backups.bring_back(in_between), letters
    with pytest.raises(SendingHeld):
        check(world, file, ended)


def test_of_a_run_without_books_only_its_beginning_is_asked_for(world, file):
    """It was marked as ended by hand: whether the ledger closed it, nobody knows."""
    run_id = world.extract(loan(1), dag_run_id="scheduled__known")
    check(world, file, remembered(dag_run_id="scheduled__known", run_id=run_id, closed_at=None))


def test_another_attempt_of_the_same_run_of_airflow_is_not_the_one_it_remembers(world, file):
    run_id = world.begin(loan(1))
    world.send_emails(run_id)
    world.send_sms(run_id)
    world.close(run_id)
    check(world, file, remembered(dag_run_id="run 1", run_id=run_id))
    with pytest.raises(SendingHeld):
        check(world, file, remembered(dag_run_id="run 1", run_id=run_id + 1))


def test_what_each_stage_finds_is_told_together(world, file):
    for stage in (Stage.COURTESY_NOTICE, Stage.OVERDUE_NOTICE, Stage.OVERDUE_NOTICE):
        with pytest.raises(SendingHeld):
            check(world, file, remembered(date(2026, 11, 28), stage=stage))
    asked = marks_of(world.ledger).open_gap()
    assert asked is not None
    assert [run.stage for run in asked.gap.remembered] == [Stage.COURTESY_NOTICE, Stage.OVERDUE_NOTICE]


def cut_off(world, file):
    """A step that began on another server and never ended."""
    run_id = world.begin(loan(1))
    make_mark(marks_of(world.ledger), file, run_id=run_id, channel=EMAIL)
    rows(world.ledger, "UPDATE marks SET server = '7/00000001'")


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


@pytest.mark.parametrize("refused", [False, True], ids=["nobody answered", "refused"])
def test_a_step_cut_off_does_not_grow_too_old_while_a_person_is_asked(world, file, refused):
    cut_off(world, file)
    with pytest.raises(SendingHeld):
        check(world, file)
    if refused:
        marks_of(world.ledger).refuse(who="zoé")
    for table, column in (("marks", "at"), ("gaps", "found_at")):
        rows(world.ledger, f"UPDATE {table} SET {column} = {column} - interval '5 days'")
    with pytest.raises(SendingHeld):
        check(world, file)


def test_a_step_cut_off_long_ago_is_no_reason(world, file):
    cut_off(world, file)
    rows(world.ledger, "UPDATE marks SET at = at - interval '5 days'")
    check(world, file)


def test_a_change_of_server_between_steps_is_no_reason(world, file):
    a_day(world, file, 1)
    rows(world.ledger, "UPDATE marks SET server = '7/00000001'")
    check(world, file)
    a_day(world, file, 2)
    assert len(world.mailed_to()) == 2
