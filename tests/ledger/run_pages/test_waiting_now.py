"""What waits to leave, and for how long, as monitoring is told of it."""

from __future__ import annotations

import pytest

from loan_reminders.domain.runs.questions import Question
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.ledger.repository import PostgresLedger
from loan_reminders.ledger.run_pages.questions import PostgresQuestions
from loan_reminders.ledger.run_pages.waiting_now import PostgresQueue, Queue
from tests.scenes.ledger_letters import answered_hours_ago, drafted
from tests.scenes.ledger_runs import planned, rows, some_deliveries

DAY = 86_400


def queue_of_runs_begun_three_days_ago(ledger: PostgresLedger) -> Queue:
    with ledger.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE runs SET started_at = now() - interval '3 days', reference_date = current_date - 3"
        )
    return ledger.part(PostgresQueue).now()


def run_of(ledger: PostgresLedger, run_id: int) -> tuple[Stage, str]:
    ((stage, dag_run_id),) = rows(ledger, f"SELECT stage, dag_run_id FROM runs WHERE run_id = {run_id}")
    return Stage(stage), dag_run_id


def test_messages_that_wait_grow_old(ledger: PostgresLedger) -> None:
    planned(ledger, some_deliveries(2))
    queue = queue_of_runs_begun_three_days_ago(ledger)
    assert queue.waiting == {Channel.EMAIL: 2}
    assert 3 * DAY <= queue.oldest_seconds[Channel.EMAIL] < 4 * DAY


def test_registered_letters_that_wait_for_approval_wait_and_grow_no_older(ledger: PostgresLedger) -> None:
    drafted(ledger, 2)
    queue = queue_of_runs_begun_three_days_ago(ledger)
    assert queue.waiting == {Channel.REGISTERED_LETTER: 2}
    assert queue.oldest_seconds == {Channel.REGISTERED_LETTER: 0}


@pytest.mark.parametrize("answer", ["approved", "answered on our pages"])
def test_letters_that_were_approved_and_are_not_printed_grow_old(ledger: PostgresLedger, answer: str) -> None:
    run_id, _, _ = drafted(ledger, 2)
    ran = run_of(ledger, run_id)
    assert ledger.part(PostgresQueue).of_run(*ran).asking
    if answer == "approved":
        ledger.drafts().approve(run_id, taken_out=[], who="zoé")
    else:
        ledger.part(PostgresQuestions).answered(run_id, Question.LETTERS, agreed=True, who="zoé")
    assert not ledger.part(PostgresQueue).of_run(*ran).asking
    assert queue_of_runs_begun_three_days_ago(ledger).oldest_seconds == {Channel.REGISTERED_LETTER: 0}
    answered_hours_ago(ledger, 3)
    queue = queue_of_runs_begun_three_days_ago(ledger)
    assert queue.oldest_seconds[Channel.REGISTERED_LETTER] >= 3 * DAY


def test_registered_letters_that_are_in_no_draft_do(ledger: PostgresLedger) -> None:
    planned(ledger, some_deliveries(2, channel=Channel.REGISTERED_LETTER))
    queue = queue_of_runs_begun_three_days_ago(ledger)
    assert queue.oldest_seconds[Channel.REGISTERED_LETTER] >= 3 * DAY
