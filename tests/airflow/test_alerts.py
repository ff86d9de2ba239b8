"""What Airflow calls when something is red or late: its own callers, our DAGs, a mail server and a ledger."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowNotFoundException, AirflowTaskTimeout

from loan_reminders.domain.errors import (
    BooksNotCounted,
    IlsUnavailable,
    LedgerRefusal,
    MailRelayRejected,
    PermanentError,
    SettingsError,
    TasksNotDone,
)
from loan_reminders.domain.stages import Stage
from loan_reminders.watching import alerts
from tests.scenes.alerted_team import TEAM
from tests.scenes.failed_tasks import context, failure_of
from tests.scenes.sentences import as_typed

READER = "Zoé Unetelle-Introuvable"


@pytest.mark.parametrize("dag_id", [*(stage.value for stage in Stage), "watch", "sms_feedback", "mail_feedback"])
def test_every_dag_and_each_of_its_tasks_is_watched(dags, dag_id):
    dag = dags[dag_id]
    assert dag.on_failure_callback in (alerts.on_run_failed, [alerts.on_run_failed])
    for task in dag.tasks:
        assert list(task.on_failure_callback) == [alerts.on_task_failed]
        assert list(task.on_retry_callback) == [alerts.on_task_retried]
        assert list(task.on_execute_callback) == [alerts.on_task_begun]


@pytest.mark.parametrize("stage", Stage)
def test_every_stage_has_a_deadline_that_airflow_can_keep_and_call(dags, stage):
    from airflow.serialization.serialized_objects import DagSerialization

    (deadline,) = dags[stage.value].deadline
    assert deadline.interval == timedelta(hours=4)
    assert deadline.callback.path == "loan_reminders.watching.alerts.on_run_late"
    assert DagSerialization.to_dict(dags[stage.value]) == DagSerialization.to_dict(dags[stage.value])


def test_a_failed_task_is_told_with_its_sentence_and_the_run_no_more(dags, sink, ours):
    dag = dags["overdue_notice"]
    error = failure_of(MailRelayRejected("Le serveur refuse le mot de passe. Corriger la connexion mail_relay."))
    alerts.on_task_failed(context(dag, "send_emails", error))
    for follows in (TasksNotDone("Les comptes."), BooksNotCounted(LedgerRefusal.NOT_READ_TO_COUNT)):
        alerts.on_task_failed(context(dag, "close_run", failure_of(follows)))
    alerts.on_run_failed({"dag": dag, "run_id": "scheduled__2026-11-27", "reason": "task_failure"})
    (message,) = sink.messages()
    assert message["To"] == TEAM
    text = as_typed(message.get_content())
    assert "Corriger la connexion mail_relay." in text
    assert "tâche « Envoyer les e-mails »" in text


def test_a_run_that_lasted_too_long_is_told_though_it_was_red_before(dags, sink, ours):
    alerts.on_task_failed(context(dags["overdue_notice"], "send_emails", failure_of(IlsUnavailable("x"))))
    alerts.on_run_failed({"dag": dags["overdue_notice"], "run_id": "scheduled__2026-11-27", "reason": "timed_out"})
    assert len(sink.messages()) == 2


class TaskThatKeeps:
    """The task instance, with the XComs that it leaves."""

    def __init__(self, broken=False):
        self.left, self.broken = {}, broken

    def xcom_push(self, key, value):
        if self.broken:
            raise ConnectionError(READER)
        self.left[key] = value


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (IlsUnavailable(READER), "ils_silent"),
        (MailRelayRejected(READER), "mail_refuses"),
        (BooksNotCounted(LedgerRefusal.NOT_READ_TO_COUNT), "books"),
        (SettingsError("library.toml"), "settings"),
        (PermanentError("Tournée arrêtée."), "stopped_here"),
        (KeyError(READER), "unexpected"),
        (AirflowNotFoundException("no connection"), "settings"),
        (AirflowTaskTimeout(), "too_long"),
    ],
)
def test_why_a_try_failed_stays_in_airflow_as_one_word(dags, sink, ours, error, cause):
    dag = dags["overdue_notice"]
    for told in (alerts.on_task_retried, alerts.on_task_failed):
        task = TaskThatKeeps()
        told({**context(dag, "extract_loans", failure_of(error)), "ti": task})
        assert task.left == {"cause": cause}


def test_a_cause_that_cannot_be_kept_costs_nobody_the_alert(dags, sink, ours, caplog):
    task, dag = TaskThatKeeps(broken=True), dags["overdue_notice"]
    alerts.on_task_failed({**context(dag, "extract_loans", failure_of(IlsUnavailable("x"))), "ti": task})
    alerts.on_task_failed({**context(dag, "send_emails", run_id="killed"), "ti": TaskThatKeeps()})
    assert len(sink.messages()) == 2
    assert "n'est pas notée" in caplog.text
    assert READER not in caplog.text


def test_a_try_that_airflow_repeats_is_not_told(dags, sink, ours):
    alerts.on_task_retried(context(dags["overdue_notice"], "extract_loans", failure_of(IlsUnavailable("Plus tard."))))
    assert sink.messages() == []


def test_an_error_nobody_expected_says_class_and_place_and_no_reader(dags, sink, ours, caplog):
    def broken():
        return {}[READER]

    for number, raising in enumerate((lambda: failure_of(KeyError(READER)), lambda: _raised(broken))):
        alerts.on_task_failed(context(dags["overdue_notice"], "send_emails", raising(), run_id=f"run {number}"))
    texts = [as_typed(message.get_content()) for message in sink.messages()]
    assert texts
    assert all("Erreur inattendue : KeyError" in text for text in texts)
    assert READER not in "".join(texts) + caplog.text


def _raised(broken):
    try:
        broken()
    except KeyError as error:
        return error


def test_a_task_that_was_killed_is_told_by_what_is_known(dags, sink, ours):
    alerts.on_task_failed(context(dags["overdue_notice"], "send_emails"))
    assert "s'est arrêtée sans rien dire" in sink.messages()[0].get_content()


def test_the_dag_processor_tells_a_run_that_failed_as_a_whole(dags, sink, ours):
    """Airflow's own code around the callback, as its DAG processor runs it."""
    import structlog
    from airflow.callbacks.callback_requests import DagCallbackRequest
    from airflow.dag_processing.processor import _execute_dag_callbacks

    request = DagCallbackRequest(
        filepath="overdue_notice.py",
        bundle_name="dags-folder",
        bundle_version=None,
        dag_id="overdue_notice",
        run_id="scheduled__2026-11-28",
        is_failure_callback=True,
        msg="timed_out",
    )
    _execute_dag_callbacks(SimpleNamespace(dags=dags), request, structlog.get_logger())
    (message,) = sink.messages()
    assert "« Déclencher » avec ce jour de référence" in as_typed(message.get_content())
    assert "scheduled__2026-11-28" in message.get_content()


def test_whatever_goes_wrong_neither_task_nor_run_is_the_worse(dags, monkeypatch, caplog):
    def broken():
        raise KeyError(READER)

    monkeypatch.setattr(alerts, "settings", broken)
    alerts.on_task_failed(context(dags["watch"], "watch_runs", failure_of(IlsUnavailable("x"))))
    alerts.on_run_failed({"dag": dags["watch"], "run_id": "x"})
    asyncio.run(alerts.on_run_late(context={"dag_run": {"dag_id": "watch", "dag_run_id": "x"}}))
    alerts.on_task_begun({})
    assert caplog.text.count("Alerte impossible : KeyError") == 4
    assert READER not in caplog.text


def test_a_connection_that_is_missing_is_logged(dags, sink, ours, monkeypatch, caplog):
    monkeypatch.delenv("AIRFLOW_CONN_ALERT_RELAY")
    alerts.on_task_failed(context(dags["watch"], "watch_runs", failure_of(IlsUnavailable("x"))))
    assert sink.messages() == []
    assert "Alerte non envoyée" in caplog.text
