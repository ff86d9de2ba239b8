"""Which failed tasks are one trouble, told once, and which are two."""

from __future__ import annotations

import pytest
from airflow.sdk.exceptions import AirflowNotFoundException

from loan_reminders.domain.errors import (
    BooksDoNotBalance,
    IlsUnavailable,
    LedgerFault,
    LedgerRefusal,
    LedgerRefused,
    LedgerUnavailable,
    LetterStoreUnavailable,
    MailRelayRejected,
    MailRelayUnavailable,
    RowRefused,
    SmsAccountRejected,
    SmsAnswerUnreadable,
    SmsGatewayUnavailable,
    SmsTextRefused,
)
from loan_reminders.watching import alerts
from tests.scenes.failed_tasks import context, failure_of


def test_books_that_are_wrong_on_one_day_in_two_stages_are_two_alerts(dags, sink, ours):
    for dag_id in ("courtesy_notice", "first_reminder"):
        error = failure_of(BooksDoNotBalance("Les comptes ne sont pas justes : prêts, 3 de trop"))
        alerts.on_task_failed(context(dags[dag_id], "close_run", error))
    assert len(sink.messages()) == 2


def test_a_task_that_was_killed_is_told_of_each_stage_and_once_a_day_of_what_runs_every_hour(dags, sink, ours):
    for dag_id, task_id in (("courtesy_notice", "send_emails"), ("first_reminder", "send_emails")):
        alerts.on_task_failed(context(dags[dag_id], task_id))
    assert len(sink.messages()) == 2
    for hour in (7, 8):
        alerts.on_task_failed(context(dags["watch"], "watch_runs", run_id=f"scheduled__{hour}"))
        alerts.on_run_failed({"dag": dags["watch"], "run_id": f"scheduled__{hour}", "reason": "task_failure"})
    assert len(sink.messages()) == 3


@pytest.mark.parametrize("error", [IlsUnavailable("Le SIGB ne répond pas."), AirflowNotFoundException("ils_oracle")])
def test_what_all_stages_share_is_told_once(dags, sink, ours, error):
    for dag_id in ("courtesy_notice", "first_reminder"):
        alerts.on_task_failed(context(dags[dag_id], "extract_loans", failure_of(error)))
    assert len(sink.messages()) == 1


@pytest.mark.parametrize(
    "said",
    [
        (
            SmsGatewayUnavailable("la question « crédit » reste sans réponse"),
            SmsAnswerUnreadable("illisible : « tarif »"),
        ),
        (SmsAccountRejected("« crédit » : clé refusée", code="102"), SmsAccountRejected("« tarif » : non", code="")),
        (
            MailRelayUnavailable("Le serveur smtp-a ferme (4.3.2)"),
            MailRelayUnavailable("Le serveur smtp-b ne répond pas"),
        ),
        (MailRelayRejected("Refusé (session xa7f)"), MailRelayRejected("Refusé (session k2bq)")),
        (LetterStoreUnavailable("refuse (lot a)"), LetterStoreUnavailable("refuse (lot b)")),
        (IlsUnavailable("ORA-12541", cause="ORA-12541"), IlsUnavailable("DPY-4011", cause="DPY-4011")),
    ],
    ids=lambda said: type(said[0]).__name__,
)
def test_one_outage_is_told_once_in_whatever_words_each_task_says_it(dags, sink, ours, said):
    for dag_id, task_id in (("overdue_notice", "send_emails"), ("first_reminder", "extract_loans")):
        for error in said:
            alerts.on_task_failed(context(dags[dag_id], task_id, failure_of(error)))
    assert len(sink.messages()) == 1


def test_a_text_that_is_refused_is_told_though_the_account_was_refused_before(dags, sink, ours):
    for error in (SmsAccountRejected("clé", code="102"), SmsTextRefused("texte", code="110")):
        alerts.on_task_failed(context(dags["overdue_notice"], "send_sms", failure_of(error)))
    assert len(sink.messages()) == 2


def test_a_doubt_about_the_answers_of_the_ils_is_told_though_it_was_silent_before(dags, sink, ours):
    silent = IlsUnavailable("Le SIGB ne répond pas.", cause="Le SIGB ne répond pas")
    for number, error in enumerate((silent, IlsUnavailable("Le SIGB ne connaît plus aucun des 40 prêts de ce lot."))):
        alerts.on_task_failed(
            context(dags["first_reminder"], "print_letters", failure_of(error), run_id=f"run {number}")
        )
    assert len(sink.messages()) == 2


@pytest.mark.parametrize(
    "refused",
    [
        LedgerRefused(LedgerRefusal.LETTER_IN_ANOTHER_BATCH),
        LedgerRefused(LedgerRefusal.BATCH_NAME_TAKEN),
        LedgerRefused(LedgerRefusal.ALREADY_PLANNED, run_id=7),
        LedgerRefused(LedgerRefusal.STATEMENT_REFUSED, kind="SyntaxError", sqlstate="42601", place=""),
        RowRefused(LedgerRefusal.VALUE_REFUSED, kind="DataError"),
        LedgerUnavailable(LedgerRefusal.ANOTHER_TASK_PRINTS),
        LedgerUnavailable(LedgerRefusal.UNAVAILABLE, fault=LedgerFault.LOCK_HELD, sqlstate="55P03", command=""),
    ],
    ids=lambda error: error.code,
)
def test_what_the_ledger_refuses_one_run_is_told_of_each_run(dags, sink, ours, refused):
    for dag_id in ("courtesy_notice", "first_reminder"):
        alerts.on_task_failed(context(dags[dag_id], "extract_loans", failure_of(refused)))
    assert len(sink.messages()) == 2


NO_LEDGER = [
    LedgerUnavailable(LedgerRefusal.NO_ANSWER, words="connection refused"),
    LedgerUnavailable(LedgerRefusal.CONNECTION_LOST, kind="PendingRollbackError"),
    LedgerUnavailable(LedgerRefusal.UNAVAILABLE, fault=LedgerFault.STARTING_OR_STOPPING, sqlstate="57P01", command=""),
]


def test_a_ledger_that_is_down_is_told_once_of_all_stages_and_what_runs_beside_them(dags, sink, ours):
    places = (("courtesy_notice", "extract_loans"), ("first_reminder", "extract_loans"), ("watch", "watch_runs"))
    for error, (dag_id, task_id) in zip(NO_LEDGER, places, strict=True):
        alerts.on_task_failed(context(dags[dag_id], task_id, failure_of(error)))
    assert len(sink.messages()) == 1


def test_what_runs_beside_the_stages_does_not_keep_a_red_stage_from_being_told(dags, sink, ours):
    """It gave up at night after twenty minutes; hours later a stage has tried for over an hour."""
    places = (("watch", "watch_runs"), ("mail_feedback", ""), ("courtesy_notice", "extract_loans"))
    for error, (dag_id, task_id) in zip(NO_LEDGER, places, strict=True):
        dag = dags[dag_id]
        alerts.on_task_failed(context(dag, task_id or dag.tasks[0].task_id, failure_of(error)))
    assert [message["Subject"].partition(": ")[2] for message in sink.messages()] == [
        "8. Surveillance des tournées, en échec",
        "1. Lettre de courtoisie, en échec",
    ]
