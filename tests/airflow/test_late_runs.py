"""What Airflow calls when a run is late: its own callers, a mail server and a ledger."""

from __future__ import annotations

import asyncio
import json
import threading
from datetime import timedelta
from types import SimpleNamespace

import pytest

from loan_reminders.domain.stages import Stage
from loan_reminders.settings.library_toml import forget_settings, settings
from loan_reminders.watching import alerts
from tests.scenes.alerted_team import TEAM, told_to
from tests.scenes.letter_readers import by_post
from tests.scenes.world import DUE, loans

LATE = "loan_reminders.watching.alerts.on_run_late"
DONE = ["running", "success"]


def test_a_late_run_asks_nothing_of_the_executor():
    """The KubernetesExecutor takes no callbacks: the scheduler, which hands it one, would die of that at each start."""
    from airflow.models.callback import Callback, CallbackType

    deadline = alerts.watched_run(late_after=timedelta(hours=4))["deadline"]
    assert Callback.create_from_sdk_def(deadline.callback).type == CallbackType.TRIGGERER


def late(run_id, stage=Stage.OVERDUE_NOTICE, state="running"):
    """Airflow's own code around the callback of a deadline, as a triggerer runs it; the states that it goes through.

    `state` is the run's when its time was over.
    """
    from airflow.triggers.callback import PAYLOAD_STATUS_KEY, CallbackTrigger

    async def states():
        run = {"dag_id": stage.value, "dag_run_id": run_id, "state": state}
        trigger = CallbackTrigger(callback_path=LATE, callback_kwargs={"context": {"dag_run": run}})
        return [event.payload[PAYLOAD_STATUS_KEY] async for event in trigger.run()]

    return asyncio.run(states())


@pytest.fixture
def known_ledger(ours, world, monkeypatch):
    from loan_reminders.hooks import ledger as hook

    monkeypatch.setattr(hook, "ledger", lambda **_: world.ledger)
    return world


def test_a_late_run_is_told_once(known_ledger, sink, ours):
    known_ledger.extract(*loans(2), dag_run_id="run a")
    assert late("run a") == DONE
    assert late("run a") == DONE
    (message,) = sink.messages()
    assert message["Subject"].endswith("2. Avis de retard, en retard")
    assert "« Actions requises »" in " ".join(message.get_content().split())


@pytest.mark.parametrize("state", ["failed", "success"])
def test_a_run_that_has_ended_is_not_late(known_ledger, sink, ours, state):
    """Airflow forgets the hour of a run that ends well by itself, of no other: red ones, those that a person marked."""
    known_ledger.extract(*loans(2), dag_run_id="run a")
    assert late("run a", state=state) == DONE
    assert sink.messages() == []


def test_a_red_run_that_was_cleared_and_is_under_way_again_is_late(known_ledger, sink, ours):
    known_ledger.extract(*loans(2), dag_run_id="run a")
    late("run a", state="queued")
    assert len(sink.messages()) == 1


def test_the_thread_that_all_triggers_share_is_left_free(ours, monkeypatch):
    asked = []
    monkeypatch.setattr(alerts, "_rightly_waits", lambda *_: asked.append(threading.current_thread()) or "nothing")
    assert late("run a") == DONE
    assert asked != [threading.main_thread()]
    assert len(asked) == 1


def test_the_triggerer_tells_whoever_the_settings_name_by_now(sink, ours, known_ledger, monkeypatch, tmp_path):
    monkeypatch.setattr(alerts, "settings", settings)
    monkeypatch.setenv("REMINDERS_CONFIG", str(tmp_path / "library.toml"))
    for number, address in enumerate((TEAM, "autres@bu.example.org")):
        told_to(tmp_path, [address])
        late(f"run {number}")
    assert [message["To"] for message in sink.messages()] == [TEAM, "autres@bu.example.org"]
    forget_settings()


def test_a_run_whose_letters_wait_for_a_librarian_is_not_late(known_ledger, sink, ours, tmp_path):
    world = known_ledger
    world.stage, world.today = Stage.REGISTERED_LETTER, DUE + timedelta(days=21)
    run_id = world.extract(by_post(1), dag_run_id="run b")
    world.plan(run_id)
    world.prepare_letters(run_id, tmp_path / "letters")
    assert late("run b", Stage.REGISTERED_LETTER) == DONE
    assert sink.messages() == []


def test_a_run_whose_sms_wait_for_their_hour_is_not_late(known_ledger, sink, ours, monkeypatch):
    world = known_ledger
    run_id = world.extract(*loans(2), dag_run_id="run c")
    world.plan(run_id)
    world.send_emails(run_id)
    window = SimpleNamespace(is_open=lambda moment: False)
    monkeypatch.setattr(type(ours), "sms_window", lambda _: window)
    late("run c")
    assert sink.messages() == []
    window.is_open = lambda moment: True
    late("run c")
    assert len(sink.messages()) == 1


def test_when_the_ledger_is_what_is_down_people_are_told(sink, ours, monkeypatch):
    gone = {"conn_type": "postgres", "host": "127.0.0.1", "port": 1, "login": "x", "schema": "x"}
    monkeypatch.setenv("AIRFLOW_CONN_REMINDERS_LEDGER", json.dumps(gone))
    assert late("run d") == DONE
    assert len(sink.messages()) == 1
