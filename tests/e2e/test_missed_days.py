"""Days that were missed, caught up from the UI's form and from the command line; and a run that asks first."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, time, timedelta

import pytest

from loan_reminders.domain.stages import Stage
from loan_reminders.settings.library_toml import ROOT, settings
from tests.e2e.conftest import TIMEOUT, run
from tests.e2e.summary import stage_summary


def moment(day, at):
    return datetime.combine(day, at, settings().zone)


def books(installation, stage, dag_run):
    tasks = installation.api.tasks(stage.value, dag_run["dag_run_id"])
    return stage_summary(installation.ledger_url, stage=stage, run=dag_run, tasks=tasks)


def texts(installation):
    if not installation.sms.exists():
        return []
    return [json.loads(line)["text"] for line in installation.sms.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def caught_up(installation):
    """Two missed days of overdue notices, from the form of the UI."""
    api, alive, stage = installation.api, installation.check_alive, Stage.OVERDUE_NOTICE.value
    before = len(texts(installation))
    first, last = (installation.today - timedelta(days=days) for days in (3, 2))
    api.backfill(stage, moment(first, time.min), moment(last, time.max))
    runs = api.wait_for_backfill(stage, 2, timeout=TIMEOUT, alive=alive)
    return runs, texts(installation)[before:]


def test_each_missed_day_is_one_run_that_tells_what_still_holds(installation, caught_up):
    runs, sent = caught_up
    assert [one["state"] for one in runs] == ["success", "success"]
    assert len({one["logical_date"] for one in runs}) == 2
    assert all(books(installation, Stage.OVERDUE_NOTICE, one)["emails"] > 0 for one in runs)
    assert sent
    assert not [text for text in sent if "hier" in text]


def test_a_missed_day_caught_up_again_sends_nothing(installation, caught_up):
    before = len(texts(installation)), len(list(installation.mail.glob("*.eml")))
    day = (installation.today - timedelta(days=2)).isoformat()
    again = run(installation, Stage.OVERDUE_NOTICE, reference_date=day)[Stage.OVERDUE_NOTICE]
    assert again["state"] == "success"
    assert again["skipped"]["already_sent"] > 0
    assert (len(texts(installation)), len(list(installation.mail.glob("*.eml")))) == before


def test_the_command_line_catches_up_too(installation):
    stage, day = Stage.FIRST_REMINDER, installation.today - timedelta(days=1)
    command = ["backfill", "create", "--dag-id", stage.value, "--from-date", f"{day}", "--to-date", f"{day} 23:59"]
    subprocess.run(
        [sys.executable, "-m", "airflow", *command], env=installation.env, cwd=ROOT, check=True, capture_output=True
    )
    (caught,) = installation.api.wait_for_backfill(stage.value, 1, timeout=TIMEOUT, alive=installation.check_alive)
    assert caught["state"] == "success"
    assert books(installation, stage, caught)["notices"] > 0


def test_a_stage_that_is_over_is_not_told_late(installation):
    day = (installation.today - timedelta(days=10)).isoformat()
    late = run(installation, Stage.OVERDUE_NOTICE, reference_date=day)[Stage.OVERDUE_NOTICE]
    assert (late["state"], late["emails"], late["sms"]) == ("success", 0, 0)
    assert late["skipped"]["superseded"] > 0


@pytest.mark.parametrize(("answer", "sends"), [("Ne rien envoyer", False), ("Envoyer", True)])
def test_an_unusual_volume_waits_for_a_librarian(installation, answer, sends):
    api, alive, stage = installation.api, installation.check_alive, Stage.SECOND_REMINDER
    usual = installation.config.read_text(encoding="utf-8")
    installation.write_settings(
        usual.replace("[caps]", "[caps]\nletter = 0", 1)
        .replace("letter = 500\n", "", 1)
        .replace("email = 5000", "email = 0", 1)
    )
    before = len(list(installation.mail.glob("*.eml")))
    try:
        run_id = api.trigger(stage.value, reference_date=(installation.today - timedelta(days=2)).isoformat())
        question = installation.wait_for_question(stage, run_id, timeout=TIMEOUT)
        assert "| e-mails |" in question["body"]
        assert len(list(installation.mail.glob("*.eml"))) == before
        api.answer(stage.value, run_id, "confirm_volume", answer)
        ended = api.wait_for_run(stage.value, run_id, timeout=TIMEOUT, alive=alive)
    finally:
        installation.write_settings(usual)
    assert ended["state"] == "success"
    assert (len(list(installation.mail.glob("*.eml"))) > before) is sends


def ended(installation, stage, run_id):
    return installation.api.wait_for_run(stage.value, run_id, timeout=TIMEOUT, alive=installation.check_alive)


def set_state(installation, stage, run_id, task_id, state):
    """« Marquer comme… », for one task."""
    path = f"dags/{stage.value}/dagRuns/{run_id}/taskInstances/{task_id}"
    installation.api.call("PATCH", path, json={"new_state": state})


def clear(installation, stage, run_id, task_id):
    """« Effacer » one task alone."""
    body = {"dry_run": False, "task_ids": [task_id], "dag_run_id": run_id, "only_failed": False}
    body |= {"include_downstream": False, "include_upstream": False, "reset_dag_runs": True}
    installation.api.call("POST", f"dags/{stage.value}/clearTaskInstances", json=body)


def log_of(installation, dag_id, run_id, task_id, number=1):
    """The log of a task; of the e-mails, that of their first share."""
    path = f"dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{number}"
    share = 0 if task_id == "send_emails" else -1
    return str(installation.api.call("GET", path, params={"full_content": True, "map_index": share}))


def task_states(installation, stage, run_id):
    return {task["task_id"]: task["state"] for task in installation.api.tasks(stage.value, run_id)}


def test_a_run_dated_in_the_future_is_refused_at_once_and_holds_nothing(installation):
    stage, tomorrow = Stage.COURTESY_NOTICE, moment(installation.today + timedelta(days=1), time(12))
    body = {"logical_date": tomorrow.isoformat(), "conf": {}}
    with pytest.raises(RuntimeError, match=r"HTTP 400 .*dans l'avenir"):
        installation.api.call("POST", f"dags/{stage.value}/dagRuns", json=body)
    command = ["dags", "trigger", stage.value, "--run-id", "by_hand", "--logical-date", tomorrow.isoformat()]
    subprocess.run(
        [sys.executable, "-m", "airflow", *command], env=installation.env, cwd=ROOT, check=True, capture_output=True
    )
    refused = ended(installation, stage, "by_hand")
    assert refused["state"] == "failed"
    assert "dans l'avenir" in refused["note"]


def test_a_day_that_cannot_be_is_refused_in_words(installation):
    stage = Stage.COURTESY_NOTICE
    run_id = installation.api.trigger(stage.value, reference_date="0001-01-01")
    assert ended(installation, stage, run_id)["state"] == "failed"
    assert "plus d'un an" in log_of(installation, stage.value, run_id, "extract_loans")


@pytest.fixture
def always_asking(installation):
    """One e-mail or letter is beyond the cap."""
    usual = installation.config.read_text(encoding="utf-8")
    before, caps, after = usual.partition("[caps]")
    body, bracket, rest = after.partition("\n[")
    none = "\n".join(f"{line.partition('=')[0]}= 0" if "=" in line else line for line in body.splitlines())
    installation.write_settings(f"{before}{caps}{none}{bracket}{rest}")
    yield
    installation.write_settings(usual)


def test_a_question_marked_as_answered_sends_nothing_and_watch_tells_of_the_day(installation, always_asking):
    stage, day = Stage.SECOND_REMINDER, installation.today - timedelta(days=4)
    before = len(list(installation.mail.glob("*.eml"))), len(list(installation.letters.glob("**/*.pdf")))
    run_id = installation.api.trigger(stage.value, reference_date=day.isoformat())
    installation.wait_for_question(stage, run_id, timeout=TIMEOUT)
    set_state(installation, stage, run_id, "confirm_volume", "success")
    assert ended(installation, stage, run_id)["state"] == "failed"
    assert (len(list(installation.mail.glob("*.eml"))), len(list(installation.letters.glob("**/*.pdf")))) == before
    assert task_states(installation, stage, run_id)["send_emails"] == "failed"
    assert "« Vérifier le volume »" in log_of(installation, stage.value, run_id, "send_emails")

    installation.api.unpause("watch")
    watched = installation.api.trigger("watch")
    alive = installation.check_alive
    assert installation.api.wait_for_run("watch", watched, timeout=TIMEOUT, alive=alive)["state"] == "failed"
    said = log_of(installation, "watch", watched, "watch_runs")
    assert f"(second_reminder) : comptes qui ne sont pas justes pour le {day:%d/%m/%Y}" in said


def test_a_task_that_failed_with_everything_done_makes_the_run_red(installation):
    stage = Stage.COURTESY_NOTICE
    run_id = installation.api.trigger(stage.value, reference_date=installation.today.isoformat())
    assert ended(installation, stage, run_id)["state"] == "success"
    set_state(installation, stage, run_id, "send_emails", "failed")
    clear(installation, stage, run_id, "close_run")
    assert ended(installation, stage, run_id)["state"] == "failed"
    assert "« Envoyer les e-mails »" in log_of(installation, stage.value, run_id, "close_run", number=2)
