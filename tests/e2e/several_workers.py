"""An installation whose tasks run on two Celery workers that share nothing but the ledger and an S3 bucket.

`make workers`, or `python -m tests.e2e.several_workers --notices 10000`: five DAGs of one day, a worker killed in the
middle, and what reached the readers.
"""

from __future__ import annotations

import argparse
import email
import hashlib
import json
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from email import policy
from pathlib import Path
from typing import Any

from loan_reminders.domain.stages import Stage
from loan_reminders.settings.library_toml import settings
from sql.demo.generator import build_library
from tests.bench.bed import lift_caps
from tests.e2e.installation import ROOT, Installation
from tests.e2e.processes import free_port
from tests.simulators.redis_server import RedisServer
from tests.simulators.s3_server import S3Server

WORKERS = ("w1", "w2")
CONNECTIONS = 8
SAMPLE, FULL = 1_300, 10_000
HEARTBEAT_S = 30
"""After how long without a sign of life a task's worker is taken for dead; the product's own figure is 300."""

LATENCY_S = 0.02
FEW = 20
"""E-mails of a share that have left when its worker is killed, at least."""

SENDING = Stage.COURTESY_NOTICE


def due_loans(notices: int) -> dict[int, int]:
    """Loans by due day, two a notice as this library has them: most for the first stage, a few for the others."""
    parts = {2: 0.82, -1: 0.1, -8: 0.04, -15: 0.03, -21: 0.01}
    return {day: int(2.1 * notices * part) for day, part in parts.items()}


class SeveralWorkers(Installation):
    """A context manager. Each worker has its own home, its own temporary folder, and one task at a time.

    So the two halves of the first stage's e-mails are on two workers.
    """

    def __init__(self, folder: Path, *, today: date, notices: int) -> None:
        super().__init__(folder, today=today)
        self.notices = notices
        self.smtp_options = ("--latency", str(LATENCY_S))

    def _start(self) -> None:
        text = lift_caps(self.config.read_text(encoding="utf-8"))
        text = re.sub(r"(?m)^connections *= *\d+", f"connections = {CONNECTIONS}", text)
        text, found = re.subn(r"(?m)^workers *= *1\b", f"workers = {len(WORKERS)}", text, count=1)
        if found != 1:
            raise RuntimeError("library.toml has no line for the workers that send e-mails")
        self.config.write_text(text, encoding="utf-8")
        super()._start()

    def _fill_library(self) -> None:
        build_library(
            self.ils, today=self.today, patrons=4 * self.notices, loans=100, due_loans=due_loans(self.notices)
        )

    def _environment(self, ports: dict[str, int]) -> dict[str, str]:
        self.redis = self.stack.enter_context(RedisServer(self.folder / "redis"))
        self.s3 = self.stack.enter_context(S3Server(self.folder / "logs" / "s3.log"))
        env = super()._environment(ports)
        return env | {
            "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
            "AIRFLOW__CORE__PARALLELISM": "16",
            "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
            "AIRFLOW__CELERY__BROKER_URL": self.redis.url,
            "AIRFLOW__CELERY__RESULT_BACKEND": "db+" + env["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"],
            "AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT": "86400",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": str(HEARTBEAT_S),
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "3",
            "AIRFLOW_CONN_LETTERS_S3": self.s3.connection(),
            "REMINDERS_STORAGE": f"s3://letters_s3@{self.s3.bucket}/letters",
        }

    def _start_airflow(self) -> None:
        super()._start_airflow()
        for name in WORKERS:
            home = self.home(name)
            (home / "tmp").mkdir(parents=True)
            own = {
                "AIRFLOW_HOME": str(home),
                "TMPDIR": str(home / "tmp"),
                "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(self.folder / "logs" / name),
                "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
            }
            command = [sys.executable, "-m", "airflow", "celery", "worker", "--concurrency", "1"]
            self.processes.start(name, [*command, "--celery-hostname", f"{name}@localhost"], self.env | own, ROOT)

    def home(self, worker: str) -> Path:
        """A worker's own folder."""
        return self.folder / "homes" / worker

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """Ask the ledger."""
        return self.postgres.execute(statement, database="ledger")

    def worker_of(self, pid: int) -> str:
        """The worker in whose family a process is."""
        return next((name for name in WORKERS if pid in family(self.processes.running[name].pid)), "")

    def kill(self, worker: str) -> None:
        """SIGKILL the worker and everything it started, all at once, as when its machine goes."""
        process = self.processes.running.pop(worker)
        pids = family(process.pid)
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in pids:
                try:
                    os.kill(pid, number)
                except ProcessLookupError:
                    continue
        process.wait(20)


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    found = [pid]
    for member in found:
        for children in Path(f"/proc/{member}/task").glob("*/children"):
            try:
                found += map(int, children.read_text().split())
            except OSError:  # it ended meanwhile
                continue
    return found


@dataclass(slots=True)
class Day:
    """What a day came to; `names` is what Airflow calls the tasks that send the first stage's e-mails."""

    states: dict[str, str] = field(default_factory=dict)
    senders: dict[str, str] = field(default_factory=dict)
    """The worker of each process that was sending e-mails of the first stage when one was killed."""
    killed: str = ""
    accepted_when_killed: int = 0
    names: list[str] = field(default_factory=list)
    seconds: float = 0.0


def live(installation: SeveralWorkers, *, timeout: float) -> Day:
    """Today's five runs; once both workers send, one of them dies, and a librarian clears its task."""
    api, alive, day, began = installation.api, installation.check_alive, Day(), time.monotonic()
    api.wait_for_dags([stage.value for stage in Stage], timeout=timeout, alive=alive)
    runs = {}
    for stage in Stage:
        api.unpause(stage.value)
        runs[stage] = api.trigger(stage.value, reference_date=installation.today.isoformat())
    _kill_one(installation, day, deadline=time.monotonic() + timeout)
    _wait_until_missed(installation, runs[SENDING], deadline=time.monotonic() + timeout)
    # All shares: what was sent is not sent again.
    which = {"dag_run_id": runs[SENDING], "task_ids": ["send_emails"]}
    cleared = {"dry_run": False, "only_failed": False, **which}
    api.call("POST", f"dags/{SENDING.value}/clearTaskInstances", json=cleared)
    installation.approve_letters(runs[Stage.REGISTERED_LETTER], timeout=timeout)
    for stage, run_id in runs.items():
        day.states[stage.value] = api.wait_for_run(stage.value, run_id, timeout=timeout, alive=alive)["state"]
    tasks = api.tasks(SENDING.value, runs[SENDING])
    day.names = sorted(task["rendered_map_index"] or "" for task in tasks if task["task_id"] == "send_emails")
    day.seconds = time.monotonic() - began
    return day


_SENDERS = """
    SELECT claimed_by, count(*) FILTER (WHERE deliveries.state = 'accepted') AS accepted
    FROM deliveries JOIN runs USING (run_id)
    WHERE runs.stage = 'courtesy_notice' AND channel = 'email' AND claimed_by IS NOT NULL
    GROUP BY claimed_by HAVING bool_or(deliveries.state = 'claimed')
"""
_ACCEPTED = "SELECT count(*) FROM deliveries WHERE channel = 'email' AND state = 'accepted'"


def _kill_one(installation: SeveralWorkers, day: Day, *, deadline: float) -> None:
    """Kill a worker that has sent a few of its share, once each worker was seen to send."""
    while time.monotonic() < deadline:
        installation.check_alive()
        for token, accepted in installation.sql(_SENDERS):
            worker = day.senders.get(token) or installation.worker_of(int(token.split(":")[1]))
            if worker:
                day.senders[token] = worker
            if worker and set(day.senders.values()) == set(WORKERS) and accepted > FEW:
                installation.kill(worker)
                day.killed = worker
                [(day.accepted_when_killed,)] = installation.sql(_ACCEPTED)
                return
        time.sleep(0.05)
    raise TimeoutError(f"both workers were never seen to send: {day.senders}")


def _wait_until_missed(installation: SeveralWorkers, run_id: str, *, deadline: float) -> None:
    """Wait until Airflow sees that the killed worker's task is dead."""
    while time.monotonic() < deadline:
        installation.check_alive()
        for task in installation.api.tasks(SENDING.value, run_id):
            if task["task_id"] == "send_emails" and task["state"] == "up_for_retry":
                return
        time.sleep(0.3)
    raise TimeoutError("Airflow did not see that the worker is dead")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """What reached the readers, held against the ledger: counts of messages."""

    notices: int
    emails: int
    lost: int
    doubled: int
    unmarked: int
    in_doubt: int
    sms: int
    sms_doubled: int
    letters: int
    batches_wrong: int
    unbalanced: int
    waiting: int

    @property
    def right(self) -> bool:
        return not (self.lost or self.unmarked or self.sms_doubled or self.batches_wrong or self.unbalanced)


def reached(installation: SeveralWorkers) -> Reached:
    """Count at the servers and in the bucket."""
    sql = installation.sql
    copies = Counter(
        str(email.message_from_bytes(path.read_bytes(), policy=policy.default)["Message-ID"]).strip("<>").split("@")[0]
        for path in installation.mail.glob("*.eml")
    )
    sent = {
        str(one) for (one,) in sql("SELECT delivery_id FROM deliveries WHERE channel = 'email' AND state = 'accepted'")
    }
    marked = {str(one) for (one,) in sql("SELECT delivery_id FROM deliveries WHERE resent_in_doubt")}
    again = {one: count - 1 for one, count in copies.items() if count > 1}
    texts = [json.loads(line)["phone_number"] for line in installation.sms.read_text(encoding="utf-8").splitlines()]
    wrong = 0
    for pdf, digest in sql("SELECT pdf, sha256 FROM letter_batches WHERE state = 'ready'"):
        key = f"letters/{pdf}"
        known = key in installation.s3.names()
        wrong += not known or hashlib.sha256(installation.s3.read(key)).hexdigest() != digest
    [(sms,)] = sql("SELECT count(*) FROM deliveries WHERE channel = 'sms' AND state IN ('accepted', 'delivered')")
    return Reached(
        notices=sql("SELECT count(*) FROM notices")[0][0],
        emails=len(sent),
        lost=len(sent - copies.keys()),
        doubled=sum(again.values()),
        unmarked=sum(count for one, count in again.items() if one not in marked) + len(copies.keys() - sent),
        in_doubt=sql("SELECT count(DISTINCT delivery_id) FROM receipts WHERE state = 'in_doubt'")[0][0],
        sms=sms,
        sms_doubled=len(texts) - len(set(texts)) + abs(len(texts) - sms),
        letters=sql(
            "SELECT count(*) FROM deliveries WHERE channel IN ('letter', 'registered_letter') AND state = 'accepted'"
        )[0][0],
        batches_wrong=wrong,
        unbalanced=sql("SELECT count(*) FROM runs WHERE state <> 'closed' OR NOT balanced")[0][0],
        waiting=sql("SELECT count(*) FROM deliveries WHERE state IN ('planned', 'claimed', 'in_doubt')")[0][0],
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--notices", type=int, default=FULL)
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder = Path(tempfile.mkdtemp(prefix="lr-", dir="/tmp"))
    try:
        today = datetime.now(settings().zone).date()
        with SeveralWorkers(folder, today=today, notices=asked.notices) as installation:
            day = live(installation, timeout=1800)
            found = reached(installation)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(day, found, sep="\n")
    return 0 if found.right and not found.waiting and set(day.states.values()) == {"success"} else 1


if __name__ == "__main__":
    raise SystemExit(main())
