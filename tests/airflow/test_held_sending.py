"""The real tasks on a restored ledger: held back without a worker, and after the answer what is still true leaves."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from loan_reminders.domain.clock import as_number
from loan_reminders.domain.runs.books import Books
from loan_reminders.domain.runs.volume import VolumeAnswer
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState
from loan_reminders.hooks.marks import marks_of
from tests.scenes.backups import Backups
from tests.scenes.letter_readers import by_post
from tests.scenes.operators_at_work import AtWork
from tests.scenes.world import DUE, loan

BOTH = ("SendEmails", "SendSms")


@pytest.fixture
def at_work(world, monkeypatch, tmp_path):
    return AtWork(world, monkeypatch, tmp_path)


@pytest.fixture
def backups(postgres_server):
    with Backups(postgres_server) as made:
        yield made


def begun(world, number, *, stage=Stage.OVERDUE_NOTICE):
    """The run of a day, whose volume somebody approved; the loan of the day before is returned."""
    world.stage = stage
    due = DUE + timedelta(days=number)
    world.today = due + timedelta(days=8 if stage is Stage.FIRST_REMINDER else 1)
    run_id = world.extract_day(due, loan(number, due_date=due), *([by_post(50, due_date=due)] if number == 9 else []))
    world.plan(run_id)
    world.ledger.record_volume_answer(run_id, VolumeAnswer.APPROVED, who="biblio")
    return run_id


def held(at_work, name, run_id):
    from airflow.sdk.exceptions import TaskDeferred

    with pytest.raises(TaskDeferred) as deferred:
        at_work.execute(name, run_id)
    assert deferred.value.method_name == "resume"


def test_a_ledger_of_last_night_holds_every_sender_until_somebody_answers(at_work, world, backups):
    first = begun(world, 1)
    for name in (*BOTH, "CloseRun"):
        at_work.execute(name, first)
    last_night = backups.take(world.ledger)
    second = begun(world, 2)
    for name in (*BOTH, "CloseRun"):
        at_work.execute(name, second)
    left = at_work.left()
    assert left == 4
    world.ledger = backups.bring_back(last_night)
    again = begun(world, 2)
    letters = begun(world, 9, stage=Stage.FIRST_REMINDER)
    world.stage = Stage.OVERDUE_NOTICE
    for name in BOTH:
        held(at_work, name, again)
    world.stage = Stage.FIRST_REMINDER
    for name in ("SendEmails", "PrintLetters"):
        held(at_work, name, letters)
    assert at_work.left() == left
    witness = at_work.letters / "registre"
    before = [path.read_bytes() for path in witness.iterdir()]
    with pytest.raises(Exception):  # noqa: B017, PT011 - its books are not done; what counts is the witness
        at_work.execute("CloseRun", letters)
    assert [path.read_bytes() for path in witness.iterdir()] == before
    assert marks_of(world.ledger).accept(who="zoé", mark_id=None)
    at_work.execute("SendEmails", letters)
    at_work.execute("PrintLetters", letters)
    assert at_work.pdfs()


def test_a_returned_loan_is_not_told_after_the_answer(at_work, world, backups):
    first = begun(world, 1)
    at_work.execute("SendEmails", first)
    backup = backups.take(world.ledger)
    at_work.execute("SendEmails", begun(world, 2))
    world.ledger = backups.bring_back(backup)
    run_id = begun(world, 3)
    held(at_work, "SendEmails", run_id)
    world.ils.rows = []
    marks_of(world.ledger).accept(who="zoé", mark_id=None)
    operator = at_work.operator("SendEmails", run_id)
    instance = SimpleNamespace(id="1", try_number=1, max_tries=4)
    operator.resume({"ti": instance, "task_instance": instance}, None)
    assert len(world.mailed_to()) == 2


class AirflowKnows:
    """A task instance as Airflow 3.3 gives it, with a run before this one that ended."""

    try_number, max_tries, id = 1, 4, "1"

    def __init__(self, dag_run_id, *, number=1, books=None, state="success", closing="success"):
        started = datetime.now(UTC) - timedelta(hours=20)
        self._previous = SimpleNamespace(run_id=dag_run_id, start_date=started, logical_date=started, run_after=started)
        self._values = {"extract_loans": number, "close_run": books}
        self._state, self._closing, self.has_books = state, closing, books is not None

    def get_previous_dagrun(self, state=None):
        return self._previous if state == self._state else None

    def get_task_states(self, *, dag_id, task_ids, run_ids):
        return {run_id: dict.fromkeys(task_ids, self._closing) for run_id in run_ids}

    def xcom_pull(self, *, task_ids, dag_id, run_id, key="return_value"):
        return self._values[task_ids]


BOOKS = Books(
    loans_extracted=12,
    loans_in_notices=12,
    skipped={},
    slots_skipped={},
    notices=12,
    deliveries_planned=12,
    deliveries={Channel.EMAIL: {DeliveryState.ACCEPTED: 12}},
    segments=0,
    cost=0,
    unpriced=0,
).figures() | {"closed_at": as_number(datetime(2026, 11, 28, 10, tzinfo=UTC))}
"""What the task that closes a run leaves to Airflow."""
OF_7, OF_1 = BOOKS | {"run": 7}, BOOKS | {"run": 1}


@pytest.mark.parametrize(
    ("known", "holds"),
    [
        (AirflowKnows("scheduled__lost", number=7, books=OF_7), True),
        (AirflowKnows("scheduled__lost", number=7, books=OF_7, state="failed"), True),
        (AirflowKnows("scheduled__lost", number=7, books=OF_7 | {"dry_run": 1}), False),
        (AirflowKnows("manual__marked_by_hand", number=None), False),
        (AirflowKnows("run 1"), False),
        (AirflowKnows("run 1", books=OF_1), True),
        (AirflowKnows("run 1", number=7), True),
    ],
    ids=["lost", "lost and red", "dry run", "marked as successful", "known", "not closed", "another attempt"],
)
def test_a_run_that_airflow_saw_end_and_the_ledger_lacks_holds(at_work, world, known, holds):
    from airflow.sdk import DAG

    begun(world, 8)
    run_id = begun(world, 1)
    with DAG("overdue_notice", schedule=None):
        operator = at_work.operator("SendEmails", run_id)
    context = {"ti": known, "task_instance": known}
    if holds:
        from airflow.sdk.exceptions import TaskDeferred

        with pytest.raises(TaskDeferred):
            operator.execute(context)
        [run] = marks_of(world.ledger).open_gap().gap.remembered
        left = {Channel.EMAIL: 12} if known.has_books else {}
        assert (run.stage, run.left, run.closed_at is not None) == (Stage.OVERDUE_NOTICE, left, known.has_books)
    else:
        operator.execute(context)
    assert len(world.mailed_to()) == (0 if holds else 1)


@pytest.mark.parametrize(
    ("first", "closing"),
    [(True, "skipped"), (True, "failed"), (False, "skipped"), (False, "upstream_failed"), (False, None)],
    ids=["cleared whole", "extracted again alone", "ran into its limit", "cleared to its end", "not come to it"],
)
def test_books_of_an_earlier_end_hold_nobody(at_work, world, first, closing):
    """The run was closed, in red, and cleared; then it ended without its books: Airflow still has the old ones."""
    from airflow.sdk import DAG

    former = world.extract(loan(1), dag_run_id="run 1")
    world.plan(former)
    if first:
        world.ledger.close_run(former)
    cleared = world.extract(loan(1), dag_run_id="run 1") if first else former
    run_id = begun(world, 2)
    with DAG("overdue_notice", schedule=None):
        operator = at_work.operator("SendEmails", run_id)
    old = BOOKS | {"run": former}
    known = AirflowKnows("run 1", number=cleared, books=old, state="failed", closing=closing)
    operator.execute({"ti": known, "task_instance": known})
    assert len(world.mailed_to()) == 1


def test_of_a_lost_run_that_never_came_to_its_books_again_nobody_knows_what_left(at_work, world):
    from airflow.sdk import DAG
    from airflow.sdk.exceptions import TaskDeferred

    run_id = begun(world, 1)
    with DAG("overdue_notice", schedule=None):
        operator = at_work.operator("SendEmails", run_id)
    known = AirflowKnows("scheduled__lost", number=7, books=OF_7, state="failed", closing="skipped")
    with pytest.raises(TaskDeferred):
        operator.execute({"ti": known, "task_instance": known})
    [run] = marks_of(world.ledger).open_gap().gap.remembered
    assert (run.left, run.closed_at) == ({}, None)


def test_what_comes_back_is_not_read_into_a_ledger_that_lacks_the_messages(at_work, world, backups, monkeypatch):
    from loan_reminders import operators
    from loan_reminders.domain.errors import SendingHeld
    from loan_reminders.services.marks import guard

    at_work.execute("SendEmails", begun(world, 1))
    backup = backups.take(world.ledger)
    at_work.execute("SendEmails", begun(world, 2))
    world.ledger = backups.bring_back(backup)
    monkeypatch.setenv("AIRFLOW_CONN_BOUNCE_MAILBOX", json.dumps({"conn_type": "imap", "host": "127.0.0.1", "port": 1}))
    for name in ("ReadReplies", "ReadReceipts", "ReadBounces", "WatchRuns"):
        with pytest.raises(SendingHeld, match="Rien ne part"):
            getattr(operators, name)(task_id=name.lower()).execute({"ti": None})
    assert guard.HELD
    at_work_credit = operators.ReadCredit(task_id="credit")
    assert at_work_credit.execute({"ti": None})
