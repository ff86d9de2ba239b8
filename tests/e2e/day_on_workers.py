"""Five DAGs of one day on Celery workers, of which one may be killed while it sends."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime

from loan_reminders.domain.stages import Stage
from tests.e2e.celery_installation import CeleryInstallation

PART = 5
"""A worker is killed once it has sent a fifth of as many e-mails as there are notices: half of its share."""

SENDING = Stage.COURTESY_NOTICE


@dataclass(slots=True)
class Day:
    """What a day came to; `names` is what Airflow calls the tasks that send the first stage's e-mails."""

    states: dict[str, str] = field(default_factory=dict)
    senders: dict[str, str] = field(default_factory=dict)
    """The worker of each process that was sending e-mails of the first stage when one was killed."""
    killed: str = ""
    accepted_when_killed: int = 0
    names: list[str] = field(default_factory=list)
    sending_s: float = 0.0
    """From when the first of these tasks was queued until the last had ended."""


def live(installation: CeleryInstallation, *, timeout: float, kill: bool) -> Day:
    """Today's five runs. With `kill`, once all workers send, one of them dies, and a librarian clears its task."""
    api, day = installation.api, Day()
    api.wait_for_dags([stage.value for stage in Stage], timeout=timeout, alive=installation.check_alive)
    installation.wait_for_workers(timeout=timeout)
    runs = {SENDING: _begin(installation, SENDING)}
    if kill:
        _wait_until_all_send(installation, day, deadline=time.monotonic() + timeout)
    else:  # what is timed has the workers to itself
        _ended(installation, SENDING, runs[SENDING], timeout=timeout)
    runs |= {stage: _begin(installation, stage) for stage in Stage if stage != SENDING}
    if kill:
        _kill_one(installation, day, deadline=time.monotonic() + timeout)
        share = _missed(installation, runs[SENDING], deadline=time.monotonic() + timeout)
        which = {"dag_run_id": runs[SENDING], "task_ids": [["send_emails", share]]}
        cleared = {"dry_run": False, "only_failed": False, **which}
        api.call("POST", f"dags/{SENDING.value}/clearTaskInstances", json=cleared)
    installation.approve_letters(runs[Stage.REGISTERED_LETTER], timeout=timeout)
    for stage, run_id in runs.items():
        day.states[stage.value] = _ended(installation, stage, run_id, timeout=timeout)
    shares = [task for task in api.tasks(SENDING.value, runs[SENDING]) if task["task_id"] == "send_emails"]
    day.names = sorted(task["rendered_map_index"] or "" for task in shares)
    queued, ended = (
        [datetime.fromisoformat(task[moment]) for task in shares] for moment in ("queued_when", "end_date")
    )
    day.sending_s = (max(ended) - min(queued)).total_seconds()
    return day


def _begin(installation: CeleryInstallation, stage: Stage) -> str:
    installation.api.unpause(stage.value)
    return installation.api.trigger(stage.value, reference_date=installation.today.isoformat())


def _ended(installation: CeleryInstallation, stage: Stage, run_id: str, *, timeout: float) -> str:
    run = installation.api.wait_for_run(stage.value, run_id, timeout=timeout, alive=installation.check_alive)
    return str(run["state"])


_SENDERS = """
    SELECT claimed_by, count(*) FILTER (WHERE deliveries.state = 'accepted') AS accepted
    FROM deliveries JOIN runs USING (run_id)
    WHERE runs.stage = 'courtesy_notice' AND channel = 'email' AND claimed_by IS NOT NULL
    GROUP BY claimed_by HAVING bool_or(deliveries.state = 'claimed')
"""
_ACCEPTED = "SELECT count(*) FROM deliveries WHERE channel = 'email' AND state = 'accepted'"


def _at_work(installation: CeleryInstallation, day: Day) -> dict[str, int]:
    """How many e-mails each worker's sender has sent; remembers who they are."""
    found = {}
    for token, accepted in installation.sql(_SENDERS):
        if worker := day.senders.get(token) or installation.worker_of(int(token.split(":")[1])):
            day.senders[token] = worker
            found[worker] = int(accepted)
    return found


def _wait_until_all_send(installation: CeleryInstallation, day: Day, *, deadline: float) -> None:
    while set(day.senders.values()) != set(installation.workers):
        _at_work(installation, day)
        _go_on(installation, deadline, f"every worker to send: {day.senders}")


def _kill_one(installation: CeleryInstallation, day: Day, *, deadline: float) -> None:
    """Kill a worker in the middle of its share."""
    least = installation.notices // PART
    while not day.killed:
        far = {worker: accepted for worker, accepted in _at_work(installation, day).items() if accepted > least}
        if far:
            day.killed = min(far, key=lambda worker: far[worker])
            installation.kill(day.killed)
            [(day.accepted_when_killed,)] = installation.sql(_ACCEPTED)
        _go_on(installation, deadline, "a worker to have sent half of its e-mails")


def _missed(installation: CeleryInstallation, run_id: str, *, deadline: float) -> int:
    """Wait until Airflow sees that the killed worker's task is dead; the number of its share, from 0."""
    while True:
        for task in installation.api.tasks(SENDING.value, run_id):
            if task["task_id"] == "send_emails" and task["state"] == "up_for_retry":
                return int(task["map_index"])
        _go_on(installation, deadline, "Airflow to see that the worker is dead")


def _go_on(installation: CeleryInstallation, deadline: float, what: str) -> None:
    installation.check_alive()
    if time.monotonic() > deadline:
        raise TimeoutError(f"waited too long for {what}")
    time.sleep(0.05)
