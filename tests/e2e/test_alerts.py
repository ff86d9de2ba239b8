"""A run that fails or is late in a real Airflow: one e-mail, by a server of its own, however often it is told.

The connection to that server is kept in Airflow's database: tasks and the triggerer ask Airflow for it.
"""

from __future__ import annotations

import email
import time
from email import policy

import pytest

from loan_reminders.domain.stages import Stage
from tests.e2e.conftest import TIMEOUT

TO_COME = "2999-01-01"
LATER = """
    UPDATE deadline SET deadline_time = now() - interval '1 second'
    FROM dag_run WHERE dag_run.id = dagrun_id AND run_id = '{run_id}'
"""
"""Its four hours are over."""

CALLBACK = """
    SELECT missed, callback.type, callback.state FROM deadline JOIN callback ON callback.id = callback_id
    JOIN dag_run ON dag_run.id = dagrun_id WHERE run_id = '{run_id}'
"""


def told(installation):
    return [
        email.message_from_bytes(path.read_bytes(), policy=policy.default)
        for path in sorted(installation.alerts.glob("*.eml"))
    ]


def about(installation, runs):
    return [one for one in told(installation) if any(run["dag_run_id"] in one.get_content() for run in runs.values())]


@pytest.fixture(scope="module")
def failed(installation):
    """Two stages asked for a day yet to come: each fails at its first task, and at its last."""
    api, runs = installation.api, {}
    for stage in (Stage.COURTESY_NOTICE, Stage.SECOND_REMINDER):
        run_id = api.trigger(stage.value, reference_date=TO_COME)
        runs[stage] = api.wait_for_run(stage.value, run_id, timeout=TIMEOUT, alive=installation.check_alive)
    deadline = time.monotonic() + TIMEOUT
    while not about(installation, runs) and time.monotonic() < deadline:
        installation.check_alive()
        time.sleep(1)
    return runs


def test_two_runs_of_one_cause_with_several_red_tasks_are_one_message(installation, failed):
    assert {run["state"] for run in failed.values()} == {"failed"}
    (message,) = about(installation, failed)
    assert message["To"] == "equipe@bu-montclar.example"
    assert message["Subject"].endswith("1. Lettre de courtoisie, en échec")
    text = message.get_content()
    assert "tâche «\N{NO-BREAK SPACE}Extraire les prêts\N{NO-BREAK SPACE}»" in text
    assert "01/01/2999" in text
    run_id = failed[Stage.COURTESY_NOTICE]["dag_run_id"]
    assert run_id in text
    assert f"{installation.url}/dags/courtesy_notice/runs/" in text


def test_the_task_says_in_its_log_that_people_were_told_and_of_which_library(installation, failed):
    logs = installation.folder / "logs" / "airflow"
    said = "".join(path.read_text(encoding="utf-8") for path in logs.rglob("*extract_loans*/*.log"))
    assert "Alerte envoyée à 1 destinataire" in said
    assert '"library":"montclar"' in said.replace('": "', '":"')


@pytest.fixture
def late(installation):
    """A run that does not end, since its DAG is paused; when its time is over, what Airflow says of its callback."""
    api, dag_id = installation.api, Stage.FIRST_REMINDER.value
    api.pause(dag_id)
    run_id = api.trigger(dag_id, reference_date=TO_COME)

    def asked(statement):
        return installation.postgres.execute(statement.format(run_id=run_id), database="airflow")

    asked(LATER)
    found, deadline = [], time.monotonic() + TIMEOUT
    while (not found or found[0][2] not in ("success", "failed")) and time.monotonic() < deadline:
        installation.check_alive()
        time.sleep(1)
        found = asked(CALLBACK)
    yield run_id, found
    api.delete_run(dag_id, run_id)
    api.unpause(dag_id)


def test_a_run_that_is_late_is_told_once_by_the_triggerer(installation, late):
    run_id, callback = late
    assert callback == [(True, "triggerer", "success")]
    (message,) = about(installation, {"late": {"dag_run_id": run_id}})
    assert message["To"] == "equipe@bu-montclar.example"
    assert message["Subject"].endswith("3. Première lettre de relance, en retard")
    text = " ".join(message.get_content().split())
    assert "Ouvrir la tournée dans Airflow : une tâche attend peut-être une réponse" in text
    assert f"{installation.url}/dags/first_reminder/runs/" in text
    installation.check_alive()
