"""What Airflow calls when a task or a run fails or a run is late: people are told by e-mail, once.

A failed task is told where it failed, with what it said (`on_task_failed`: after its last try, never before a retry); a
run that failed as a whole, by the DAG processor (`on_run_failed`); a late one, by the triggerer (`on_run_late`, the
callback of a DeadlineAlert). Whatever goes wrong here is logged: neither the task nor the run is any the worse.

Why a try failed stays in Airflow as an XCom of its task (`CAUSE`), one word of a closed list, which Airflow forgets
itself when the task is tried again: the first page says it on the card of the stage.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert

from loan_reminders.domain.alerts import (
    CAUSE,
    Alert,
    AlertKind,
    AlertOutcome,
    FailureCause,
    Scope,
    cause_of,
    follows_another,
    of_every_run,
    trouble_of,
)
from loan_reminders.domain.dag_ids import library_of, name_of
from loan_reminders.domain.errors import ReminderError, unexpected
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.french.alerts import LATE, RUN_ENDED, SILENT, TOO_LONG
from loan_reminders.french.task_names import BESIDE_THE_STAGES, dag_title
from loan_reminders.settings.libraries import of_library
from loan_reminders.settings.library_toml import Settings, forget_settings, settings
from loan_reminders.watching import metrics
from loan_reminders.watching.first_queued import FirstQueuedAt
from loan_reminders.watching.log_fields import bind_task

log = logging.getLogger(__name__)

ENDED = ("success", "failed")
"""Airflow's states of a run that ended, well or not."""

BY_A_TASK = "task_failure"
"""Airflow's reason for the failure of a run whose tasks ended, the last of them badly; others are `timed_out` and a
deadlock of its tasks."""


def watched_run(*, late_after: timedelta | None = None) -> dict[str, Any]:
    """The arguments of a DAG whose red runs, and with `late_after` its late ones, are told to people."""
    told: dict[str, Any] = {"on_failure_callback": on_run_failed}
    if late_after is not None:
        # Not SyncCallback: that one wants an executor that takes callbacks. The KubernetesExecutor takes none, and the
        # scheduler dies of its refusal at each start (Airflow 3.3.2). A triggerer is there with every executor.
        told["deadline"] = DeadlineAlert(
            reference=FirstQueuedAt(), interval=late_after, callback=AsyncCallback(on_run_late)
        )
    return told


def watched_tasks() -> dict[str, Any]:
    """The default arguments of its tasks: failures are told, errors of the outside world are counted at each try."""
    return {
        "on_execute_callback": on_task_begun,
        "on_failure_callback": on_task_failed,
        "on_retry_callback": on_task_retried,
    }


def on_task_begun(context: Mapping[str, Any]) -> None:
    """Airflow calls this in a task's process, before its work: what it logs has its library, stage and run."""
    with _nothing_the_worse(), of_library(_library_of(context)):
        bind_task(context, library=settings().library.code)


def on_task_retried(context: Mapping[str, Any]) -> None:
    """Airflow calls this when a task is to be tried again: it is counted, nobody is told."""
    _keep_cause(context)
    with _nothing_the_worse(), of_library(_library_of(context)):
        metrics.count_error(settings().library.code, context.get("exception"))


def on_task_failed(context: Mapping[str, Any]) -> None:
    """Airflow calls this when a task has failed for good, in its own process or, if that was killed, elsewhere."""
    _keep_cause(context)
    with _nothing_the_worse(), of_library(_library_of(context)):
        ours, error = settings(), context.get("exception")
        metrics.count_error(ours.library.code, error)
        task = context.get("task")
        first = _first(error)
        cause = _cause(first)
        alert = _alert(context, ours, sentence=_said(error), follows=follows_another(first))
        if of_every_run(first, cause):
            scope = Scope.LIBRARY if alert.scope is Scope.RUN else Scope.BESIDE
            alert = replace(alert, scope=scope, trouble=trouble_of(first, cause))
        _tell(ours, replace(alert, task=getattr(task, "task_display_name", "")))


def on_run_failed(context: Mapping[str, Any]) -> None:
    """Airflow calls this when a run has failed; one that failed by a task which told of it is not told again."""
    with _nothing_the_worse(), of_library(_library_of(context)):
        ours = settings()
        _tell(ours, _alert(context, ours, sentence=RUN_ENDED, follows=context.get("reason") == BY_A_TASK))


async def on_run_late(context: Mapping[str, Any]) -> None:
    """Airflow calls this when the time of a run is over; one that waits for a person's word or an hour is not late.

    Nor is one that ended: Airflow forgets the deadline of a run that ends well by itself, and keeps that of a red one
    and of one that a person marked. The context of a deadline is data, not objects: `dag_run` as the REST API tells of
    it, at this moment. The triggerer has one thread for all that waits in it; the ledger, the letters' place and the
    mail server are asked in another.
    """
    await asyncio.to_thread(_look_at_late_run, context)


def _look_at_late_run(context: Mapping[str, Any]) -> None:
    with _nothing_the_worse():
        forget_settings()  # a task's process is new each time; the triggerer's is weeks old
        dag_id, run_id = str(context["dag_run"]["dag_id"]), str(context["dag_run"]["dag_run_id"])
        if context["dag_run"].get("state") in ENDED:
            log.info("Tournée terminée avant que son retard soit regardé : elle n'est pas annoncée en retard")
            return
        with of_library(library_of(dag_id)):
            ours = settings()
            waits = _rightly_waits(ours, dag_id, run_id)
            if waits:
                log.info("Tournée non terminée, sans retard : %s", waits)
                return
            _tell(ours, _late(ours, dag_id=dag_id, run_id=run_id))


def _late(ours: Settings, *, dag_id: str, run_id: str) -> Alert:
    return Alert(
        kind=AlertKind.LATE,
        library=ours.library.code,
        dag_id=dag_id,
        dag_name=dag_title(name_of(dag_id)),
        run_id=run_id,
        sentence=LATE,
        link=_link(dag_id, run_id),
        hours=ours.alerts.late_after_hours,
    )


def _alert(context: Mapping[str, Any], ours: Settings, *, sentence: str, follows: bool) -> Alert:
    dag = context["dag"]
    run = context.get("dag_run")
    run_id = str(context.get("run_id") or getattr(run, "run_id", ""))
    return Alert(
        kind=AlertKind.FAILED,
        library=ours.library.code,
        dag_id=dag.dag_id,
        dag_name=dag.dag_display_name,
        run_id=run_id,
        sentence=sentence,
        link=_link(dag.dag_id, run_id),
        # What runs beside the stages does so every hour, and would say the same each time.
        scope=Scope.DAG if name_of(dag.dag_id) in BESIDE_THE_STAGES else Scope.RUN,
        follows=follows,
    )


def _said(error: object) -> str:
    """What a task said. Of an error that is not ours only class and place: its words may be a reader's."""
    from airflow.sdk.exceptions import AirflowFailException, AirflowTaskTimeout

    if isinstance(error, (ReminderError, AirflowFailException)):
        return str(error)
    if isinstance(error, AirflowTaskTimeout):
        return TOO_LONG
    return f"Erreur inattendue : {unexpected(error)}" if isinstance(error, BaseException) else SILENT


def _first(error: object) -> BaseException | None:
    """Ours: the operators end a task with an error of Airflow's, raised where ours was caught (`operators.base`)."""
    from airflow.sdk.exceptions import AirflowTaskTimeout

    if not isinstance(error, BaseException):
        return None
    return error if isinstance(error, (ReminderError, AirflowTaskTimeout)) else error.__context__ or error


def _cause(first: BaseException | None) -> FailureCause:
    from airflow.sdk.exceptions import AirflowNotFoundException, AirflowTaskTimeout

    if isinstance(first, AirflowTaskTimeout):
        return FailureCause.TOO_LONG
    return FailureCause.SETTINGS if isinstance(first, AirflowNotFoundException) else cause_of(first)


def _keep_cause(context: Mapping[str, Any]) -> None:
    """Leave in Airflow why this try failed. A task that was killed leaves nothing: it had no time to say why."""
    first = _first(context.get("exception"))
    push = getattr(context.get("ti"), "xcom_push", None)
    if push is None or first is None:
        return
    try:
        push(key=CAUSE, value=_cause(first).value)
    except Exception as failed:
        log.warning("La cause de l'échec n'est pas notée dans Airflow : %s", unexpected(failed))


def _library_of(context: Mapping[str, Any]) -> str | None:
    """The library of the DAG that is called about, where an installation has several."""
    return library_of(str(getattr(context.get("dag"), "dag_id", "")))


def _link(dag_id: str, run_id: str) -> str:
    from airflow.sdk.configuration import conf

    base = str(conf.get("api", "base_url", fallback="") or "").rstrip("/")
    return f"{base}/dags/{quote(dag_id)}/runs/{quote(run_id, safe='')}" if base else ""


def _rightly_waits(ours: Settings, dag_id: str, run_id: str) -> str:
    """What a run that has not ended waits for, when that is no trouble; empty when it is, or nobody knows."""
    from loan_reminders.hooks.ledger import ledger
    from loan_reminders.ledger.run_pages.waiting_now import PostgresQueue

    try:
        with ledger(library=ours.library.code) as opened:
            waiting = opened.part(PostgresQueue).of_run(Stage(name_of(dag_id)), run_id)
    except Exception as error:
        log.warning("Le registre ne dit pas ce que la tournée attend (%s)", unexpected(error))
        return ""
    if waiting.asking:
        return "des lettres recommandées attendent une validation"
    if waiting.channels == {Channel.SMS} and not ours.sms_window().is_open(datetime.now(ours.zone)):
        return "les SMS attendent leur plage d'envoi"
    return ""


def _tell(ours: Settings, alert: Alert) -> AlertOutcome:
    from loan_reminders.hooks.mail_relay import mail_relay
    from loan_reminders.hooks.told_alerts import told_alerts
    from loan_reminders.services.alerts.tell import Recipients, tell

    sender = ours.alerts.sender or ours.email.sender_address
    outcome = tell(
        alert,
        to=Recipients(addresses=ours.alerts.recipients, sender=sender, library=ours.library.name),
        told=told_alerts(),
        relay=lambda: mail_relay(ours.alerts.connection, envelope_sender=sender, patience_s=30)(),
        now=datetime.now(ours.zone),
    )
    metrics.count_alert(ours.library.code, alert.kind, outcome)
    return outcome


@contextmanager
def _nothing_the_worse() -> Iterator[None]:
    """Log what goes wrong while people are told, by its class and place, and go on."""
    try:
        yield
    except Exception as error:
        log.error("Alerte impossible : %s", unexpected(error))
