"""An installation whose tasks run on Celery workers that share nothing but the ledger and an S3 bucket."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from sql.demo.generator import build_library
from tests.bench.bed import lift_caps
from tests.e2e.installation import ROOT, Installation
from tests.e2e.processes import free_port
from tests.simulators.redis_server import RedisServer
from tests.simulators.s3_server import S3Server

HEARTBEAT_S = 30
"""After how long without a sign of life a task's worker is taken for dead; the product's own figure is 300."""


def due_loans(notices: int) -> dict[int, int]:
    """Loans by due day, two a notice as this library has them: most for the first stage, a few for the others."""
    parts = {2: 0.82, -1: 0.1, -8: 0.04, -15: 0.03, -21: 0.01}
    return {day: int(2.1 * notices * part) for day, part in parts.items()}


class CeleryInstallation(Installation):
    """A context manager. Each worker has its own home, its own temporary folder, and one task at a time.

    So two shares of the first stage's e-mails are on two workers. A worker more brings `connections` more to the SMTP
    server, whose every answer takes `latency_s`; with `discard` that server keeps no mail and costs little.
    """

    def __init__(
        self,
        folder: Path,
        *,
        today: date,
        notices: int,
        workers: Sequence[str],
        connections: int,
        latency_s: float,
        discard: bool = False,
    ) -> None:
        super().__init__(folder, today=today)
        self.notices, self.workers = notices, tuple(workers)
        self.connections = connections * len(workers)
        self.smtp_options = ("--latency", str(latency_s), *(("--discard",) if discard else ()))

    def _start(self) -> None:
        text = lift_caps(self.config.read_text(encoding="utf-8"))
        for name, usual, wanted in (("connections", r"\d+", self.connections), ("workers", "1", len(self.workers))):
            text, found = re.subn(rf"(?m)^{name} *= *{usual}\b", f"{name} = {wanted}", text, count=1)
            if found != 1:
                raise RuntimeError(f"library.toml has no line for the {name} that send e-mails")
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
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "3600",  # no DAG changes meanwhile
            "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "1",  # Airflow's own: the trial's takes a part of a core
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
        for name in self.workers:
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

    def wait_for_workers(self, *, timeout: float) -> None:
        """Wait until each takes tasks: one that comes late would find both shares taken by the other."""
        deadline = time.monotonic() + timeout
        logs = {name: self.processes.logs / f"{name}.log" for name in self.workers}
        while not all(f"{name}@localhost ready" in log.read_text(encoding="utf-8") for name, log in logs.items()):
            self.check_alive()
            if time.monotonic() > deadline:
                raise TimeoutError(f"not every worker is ready: see {self.processes.logs}")
            time.sleep(0.3)

    def home(self, worker: str) -> Path:
        """A worker's own folder."""
        return self.folder / "homes" / worker

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """Ask the ledger."""
        return self.postgres.execute(statement, database="ledger")

    def worker_of(self, pid: int) -> str:
        """The worker in whose family a process is."""
        return next((name for name in self.workers if pid in family(self.processes.running[name].pid)), "")

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
