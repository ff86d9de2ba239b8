"""What an operator makes of errors: temporary ones are tried again, all others fail at once, in words."""

from __future__ import annotations

import json
import tempfile
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from loan_reminders.domain.errors import (
    BooksDoNotBalance,
    IlsRejected,
    IlsUnavailable,
    SendingWindowClosed,
    SettingsError,
    SmsAccountRejected,
    TemplateError,
)
from loan_reminders.domain.stages import Stage
from loan_reminders.ledger.connect import connect
from loan_reminders.settings.library_toml import settings
from tests.scenes.ledger_runs import opened

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
        def work(self, context, ledger, now):
            raise error

    return Failing(task_id="failing", stage=Stage.OVERDUE_NOTICE)


def test_the_clock_that_is_asked_before_each_message_looks_up_the_settings_once(monkeypatch):
    from loan_reminders.operators import base

    asked, operator = [], failing(IlsUnavailable("x"))
    monkeypatch.setattr(base, "settings", lambda: asked.append(1) or settings())
    moments = [operator.now() for _ in range(3)]
    assert {str(one.tzinfo) for one in moments} == {"Europe/Paris"}
    assert asked == [1]


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

    with pytest.raises(AirflowFailException, match=r"la connexion « mail_relay »"):
        failing(AirflowNotFoundException("The conn_id `mail_relay` isn't defined")).execute({})


def test_a_run_whose_extraction_failed_is_red_and_says_what_to_do(connected):
    from airflow.sdk.exceptions import AirflowFailException

    from loan_reminders.operators import CloseRun

    with pytest.raises(AirflowFailException, match="Extraire les prêts"):
        CloseRun(task_id="close_run", stage=Stage.OVERDUE_NOTICE, run_id=None).execute({})


OPENING = datetime(2026, 11, 30, 10, tzinfo=ZoneInfo("Europe/Paris"))


@pytest.fixture
def send_sms(connected, monkeypatch, postgres_server, ledger_database):
    """The operator, whose work is the test's: each call does the next thing."""
    from loan_reminders.operators.send_sms import SendSms

    with connect(postgres_server.url(ledger_database), library=settings().library.code) as ledger:
        run = opened(ledger)

    def at_work(*answers):
        left = list(answers)

        def work(self, context, ledger, now):
            answer = left.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr(SendSms, "work", work)
        return SendSms(stage=Stage.OVERDUE_NOTICE, run_id=run.run_id)

    return at_work


def test_sms_wait_for_the_window_without_a_worker_however_often_it_closes(send_sms):
    from airflow.sdk.exceptions import TaskDeferred

    next_day = OPENING.replace(month=12, day=1)
    task = send_sms(SendingWindowClosed(OPENING), SendingWindowClosed(next_day), {"accepted": 3})
    with pytest.raises(TaskDeferred) as before_it_opens:
        task.execute({})
    with pytest.raises(TaskDeferred) as after_it_closed:
        task.resume({}, event=None)
    assert [one.value.trigger.moment for one in (before_it_opens, after_it_closed)] == [OPENING, next_day]
    assert after_it_closed.value.method_name == "resume"
    assert task.resume({}, event=None) == {"accepted": 3}


def test_letters_of_a_run_in_the_future_leave_the_work_of_others_alone(tmp_path, monkeypatch):
    """Files bear the machine's time: by the run's own, work that others have begun would look abandoned."""
    from loan_reminders.gateways.letters.letter_store import FolderLetterStore
    from loan_reminders.operators.print_letters import PrintLetters

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    at_work = tmp_path / "letters-a1b2c3d4"
    at_work.mkdir()
    task = PrintLetters(stage=Stage.FIRST_REMINDER, run_id=1)
    task.sweep(FolderLetterStore(tmp_path / "store"), OPENING.replace(year=2099))
    assert at_work.exists()
