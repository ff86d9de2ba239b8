"""A run that fails in a real Airflow: one e-mail, by a server of its own, whatever failed in it and however often."""

from __future__ import annotations

import email
import time
from email import policy

import pytest

from loan_reminders.domain.stages import Stage
from tests.e2e.conftest import TIMEOUT

TO_COME = "2999-01-01"


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
