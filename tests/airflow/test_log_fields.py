"""What the lines of a task's log say as fields, in the JSON that Airflow writes; no reader is in any of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from loan_reminders.settings.library_toml import ROOT

READER = "Zoé Unetelle-Introuvable"
IN_A_TASK = """
import io, logging
from types import SimpleNamespace
from airflow.sdk.log import configure_logging
out = io.BytesIO()
configure_logging(json_output=True, output=out)
from loan_reminders.operators.base import only_temporary_errors_are_retried
from loan_reminders.watching.alerts import on_task_begun, on_task_failed
from loan_reminders.watching.log_fields import log_counts
dag = SimpleNamespace(dag_id="overdue_notice", dag_display_name="2. Avis de retard")
task = SimpleNamespace(stage="overdue_notice", run_id=12, task_display_name="Envoyer les e-mails")
context = {"task": task, "dag": dag, "dag_run": SimpleNamespace(run_id="scheduled__x"), "run_id": "scheduled__x"}
on_task_begun(context)
logging.getLogger("loan_reminders.services.runs.plan").info("%s", "3 envois préparés")
log_counts("Tournée close", loans=3, email=2)
try:
    with only_temporary_errors_are_retried():
        raise KeyError(READER)
except Exception as error:
    logging.getLogger("airflow.task").exception("Task failed with exception")
    on_task_failed({**context, "exception": error})
print(out.getvalue().decode())
"""


@pytest.fixture(scope="module")
def lines():
    """A task's process: begun, at work, failed on a reader; its log as Airflow writes it."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT / "plugins"), str(ROOT)))}
    command = [sys.executable, "-c", IN_A_TASK.replace("READER", repr(READER), 1)]
    said = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=240, check=True).stdout
    return [json.loads(line) for line in said.splitlines() if line.startswith("{")]


def of(lines, words):
    (found,) = (line for line in lines if line["event"].startswith(words))
    return found


@pytest.mark.parametrize("words", ["3 envois préparés", "Tournée close", "Task failed", "Alerte sans destinataire"])
def test_each_line_says_library_stage_and_run(lines, words):
    found = of(lines, words)
    assert (found["library"], found["stage"], found["run"]) == ("montclar", "overdue_notice", "scheduled__x")
    assert found["reminders_run"] == 12


def test_counts_are_fields_of_their_own(lines):
    found = of(lines, "Tournée close")
    assert (found["loans"], found["email"]) == (3, 2)


def test_no_line_of_a_task_that_failed_on_a_reader_names_the_reader(lines):
    told = json.dumps(lines, ensure_ascii=False)
    assert "Erreur inattendue : KeyError" in told
    assert not any(part in told for part in READER.split())
