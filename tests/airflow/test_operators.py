"""What an operator makes of errors: temporary ones are tried again, all others fail at once, in words."""

from __future__ import annotations

import json
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from loan_reminders.domain.errors import (
    BooksDoNotBalance,
    IlsRejected,
    IlsUnavailable,
    SettingsError,
    SmsAccountRejected,
    TemplateError,
)
from loan_reminders.domain.stages import Stage

DSN_SECRET = "camille.martin@etu.example.org"


@pytest.fixture
def connected(monkeypatch, postgres_server, ledger_database):
    connection = {
        "conn_type": "postgres",
        "login": "postgres",
        "schema": ledger_database,
        "extra": {"host": str(postgres_server.socket_folder)},
    }
    monkeypatch.setenv("AIRFLOW_CONN_REMINDERS_LEDGER", json.dumps(connection))


def failing(error: Exception):
    from loan_reminders.operators.base import ReminderOperator

    class Failing(ReminderOperator):
        def work(self, context, ledger):
            raise error

    return Failing(task_id="failing", stage=Stage.OVERDUE_NOTICE)


def test_a_temporary_error_is_left_to_airflows_retries(connected):
    with pytest.raises(IlsUnavailable):
        failing(IlsUnavailable("the ILS does not answer")).execute({})


@pytest.mark.parametrize(
    "error",
    [
        IlsRejected("wrong password"),
        SmsAccountRejected("no credit", code="103"),
        TemplateError("overdue_notice/email/body.txt.j2, line 3"),
        SettingsError("stages.overdue_notice.hour"),
        BooksDoNotBalance("1 loan too few"),
    ],
)
def test_any_other_error_of_ours_fails_at_once_with_its_words(connected, error):
    from airflow.sdk.exceptions import AirflowFailException

    with pytest.raises(AirflowFailException, match=str(error)):
        failing(error).execute({})


def test_an_error_nobody_foresaw_fails_at_once_without_its_words(connected):
    from airflow.sdk.exceptions import AirflowFailException

    with pytest.raises(AirflowFailException, match="KeyError") as raised:
        failing(KeyError(DSN_SECRET)).execute({})
    assert DSN_SECRET not in str(raised.value)


def test_a_ledger_that_is_down_is_tried_again(monkeypatch, tmp_path):
    from loan_reminders.domain.errors import LedgerUnavailable
    from loan_reminders.operators import CloseRun

    connection = {"conn_type": "postgres", "login": "postgres", "schema": "ledger", "extra": {"host": str(tmp_path)}}
    monkeypatch.setenv("AIRFLOW_CONN_REMINDERS_LEDGER", json.dumps(connection))
    with pytest.raises(LedgerUnavailable):
        CloseRun(task_id="close_run", stage=Stage.OVERDUE_NOTICE, run_id=1).execute({})


def test_a_missing_connection_is_told_by_name(connected, monkeypatch):
    from airflow.sdk.exceptions import AirflowFailException, AirflowNotFoundException

    with pytest.raises(AirflowFailException, match=r"connexion dans Airflow.*mail_relay"):
        failing(AirflowNotFoundException("The conn_id `mail_relay` isn't defined")).execute({})


def test_a_run_whose_extraction_failed_is_red_and_says_what_to_do(connected):
    from airflow.sdk.exceptions import AirflowFailException

    from loan_reminders.operators import CloseRun

    with pytest.raises(AirflowFailException, match="Extraire les prêts"):
        CloseRun(task_id="close_run", stage=Stage.OVERDUE_NOTICE, run_id=None).execute({})


@pytest.fixture
def closed_until(monkeypatch):
    """A sending window that opens at a moment chosen by the test; the operator's clock is the test's too."""
    from loan_reminders.operators.send_sms import SendSms

    def at(now, *, waiting, dry_run=False):
        class Ledger:
            def __enter__(self):
                return self

            def __exit__(self, *exc):
                return None

            def planned_count(self, run_id, channel):
                return waiting

            def run(self, run_id):
                return type("Run", (), {"dry_run": dry_run})

        monkeypatch.setattr(SendSms, "now", lambda self: now)
        monkeypatch.setattr(SendSms, "ledger", lambda self: Ledger())
        monkeypatch.setattr(SendSms, "work", lambda self, context, ledger: {"accepted": waiting})
        return SendSms(task_id="send_sms", stage=Stage.OVERDUE_NOTICE, run_id=1)

    return at


SUNDAY = datetime(2026, 11, 29, 12, tzinfo=ZoneInfo("Europe/Paris"))
MONDAY = datetime(2026, 11, 30, 10, tzinfo=ZoneInfo("Europe/Paris"))


def test_on_a_sunday_the_sms_wait_for_monday_without_a_worker(closed_until):
    from airflow.sdk.exceptions import TaskDeferred

    with pytest.raises(TaskDeferred) as raised:
        closed_until(SUNDAY, waiting=3).execute({})
    assert raised.value.trigger.moment == MONDAY
    assert raised.value.method_name == "resume"


def test_when_the_window_opens_they_leave(closed_until):
    assert closed_until(MONDAY, waiting=3).resume({}, event=None) == {"accepted": 3}


@pytest.mark.parametrize(("waiting", "dry_run"), [(0, False), (3, True)])
def test_nothing_to_send_waits_for_nothing(closed_until, waiting, dry_run):
    assert closed_until(SUNDAY, waiting=waiting, dry_run=dry_run).execute({}) == {"accepted": waiting}


def test_no_letter_is_printed_when_the_volume_was_not_checked(connected):
    from airflow.sdk.exceptions import AirflowFailException

    from loan_reminders.operators import PrintLetters

    task = PrintLetters(task_id="print", stage=Stage.FIRST_REMINDER, run_id=1, volume=None)
    with pytest.raises(AirflowFailException, match="Le volume n'a pas été vérifié"):
        task.execute({})
