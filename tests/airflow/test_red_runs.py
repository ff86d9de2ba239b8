"""A task that failed makes the run red, even when the books balance; they are written all the same."""

from __future__ import annotations

from copy import copy
from types import SimpleNamespace

import pytest

from loan_reminders.domain.errors import TasksNotDone
from loan_reminders.services.runs.close import close_run
from tests.scenes.world import loans

DAG_RUN = "scheduled__2026-11-27"


def written(world, run_id):
    with world.ledger.engine.connect() as connection:
        return tuple(connection.exec_driver_sql(f"SELECT state, balanced FROM runs WHERE run_id = {run_id}").one())


def sent(world):
    run_id = world.begin(*loans(2))
    world.send_emails(run_id)
    world.send_sms(run_id)
    return run_id


def test_books_that_balance_are_written_before_a_failed_task_is_told(world):
    run_id = sent(world)
    with pytest.raises(TasksNotDone, match="Envoyer les e-mails"):
        close_run(world.ledger, run_id=run_id, not_done=["« Envoyer les e-mails »"])
    assert written(world, run_id) == ("closed", True)


def test_a_failed_task_is_told_with_the_books_that_do_not_balance(world):
    run_id = world.begin(*loans(2))
    with pytest.raises(TasksNotDone, match=r"en attente.*« Envoyer les SMS »"):
        close_run(world.ledger, run_id=run_id, not_done=["« Envoyer les SMS »"])
    assert written(world, run_id) == ("closed", False)


@pytest.fixture
def closing(world, dags, monkeypatch):
    """« Clore et vérifier » of the overdue notices, when Airflow says these states of the run's tasks."""
    from loan_reminders.operators import base

    monkeypatch.setattr(base.Installed, "ledger", lambda _: world.ledger)

    def close(run_id, **states):
        task = copy(dags["overdue_notice"].get_task("close_run"))
        task.run_id = run_id
        all_states = dict.fromkeys(task.dag.task_ids, "success") | {"close_run": "running"} | states
        asked = []

        def get_task_states(**which):
            asked.append(which)
            return {DAG_RUN: all_states}

        instance = SimpleNamespace(get_task_states=get_task_states)
        result = task.execute({"ti": instance, "dag_run": SimpleNamespace(run_id=DAG_RUN)})
        assert asked == [{"dag_id": "overdue_notice", "run_ids": [DAG_RUN]}]
        return result

    return close


def test_a_run_whose_tasks_all_succeeded_is_green(world, closing):
    assert closing(sent(world)) == {"loans": 2, "notices": 2, "deliveries": 4}


@pytest.mark.parametrize(
    ("task", "name"),
    [
        ("extract_loans", "Extraire les prêts"),
        ("plan_notices", "Préparer les avis"),
        ("confirm_volume", "Vérifier le volume"),
        ("send_emails", "Envoyer les e-mails"),
        ("send_sms", "Envoyer les SMS"),
    ],
)
def test_any_task_that_did_not_succeed_makes_it_red_by_its_french_name(world, closing, task, name):
    from airflow.sdk.exceptions import AirflowFailException

    run_id = sent(world)
    for state in ("failed", "upstream_failed", "skipped", "up_for_retry", None):
        with pytest.raises(AirflowFailException, match=f"« {name} »"):
            closing(run_id, **{task: state})
        assert written(world, run_id) == ("closed", True)


def test_one_of_several_that_send_the_emails_is_named_like_their_task(world, closing):
    """Airflow tells several alike by their number: `send_emails_0`, `send_emails_1`."""
    from airflow.sdk.exceptions import AirflowFailException

    run_id = sent(world)
    with pytest.raises(AirflowFailException, match="« Envoyer les e-mails »") as red:
        closing(run_id, send_emails_0="success", send_emails_1="failed", send_emails_12="upstream_failed")
    assert str(red.value).count("« Envoyer les e-mails »") == 1
    assert closing(sent(world), send_emails_0="success", send_emails_1="removed")


def test_a_task_that_a_newer_version_of_the_dag_has_no_more_does_not_count(world, closing):
    assert closing(sent(world), send_letters="removed")["loans"] == 2


RULES = {"close_run": "all_done", "print_letters": "all_done_min_one_success"}
"""Letters leave though the e-mails failed; « Clore et vérifier », behind them, looks at every task."""


def test_no_task_of_any_dag_can_fail_unseen(dags):
    """Airflow judges a run by its leaves: what is behind a failed task is red too, or « Clore et vérifier » looks."""
    for dag in dags.values():
        leaves = [task for task in dag.tasks if not task.downstream_task_ids]
        if "close_run" in dag.task_ids:
            assert [task.task_id for task in leaves] == ["close_run"]
        else:
            assert {task.trigger_rule for task in dag.tasks} == {"all_success"}
        for task in dag.tasks:
            assert task.trigger_rule == RULES.get(task.task_id, "all_success")
            assert not task.is_teardown
