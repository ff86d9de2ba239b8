"""The other end of `task_host`: start a task, know its process, wait for what came of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from tests.faults.steps import Strike

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 150.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a task ended: by a signal, with a result, or with an error (a class, its words, whether it may pass)."""

    killed: bool
    result: Any = None
    error: str = ""
    said: str = ""
    temporary: bool = False

    @property
    def well(self) -> bool:
        """Whether Airflow would show the task as green."""
        return not self.killed and not self.error


@dataclass(slots=True, kw_only=True)
class Task:
    """One process at work."""

    answer: Path
    log: Path
    born: Future[int] = field(default_factory=Future)
    ended: Future[int] = field(default_factory=Future)

    @property
    def pid(self) -> int:
        return self.born.result(TIMEOUT_S)

    def kill(self) -> None:
        """SIGKILL, now."""
        os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> Ended:
        status = self.ended.result(TIMEOUT_S)
        if status == -signal.SIGKILL:
            return Ended(killed=True)
        if status != 0:
            raise RuntimeError(f"the task's process ended with {status}:\n{self.log.read_text()[-3000:]}")
        said = json.loads(self.answer.read_text(encoding="utf-8"))
        del said["imported"]
        return Ended(killed=False, **said)


class Tasks:
    """The host of tasks, a context manager; `env` is what all tasks share."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self._folder = folder
        self._env = env
        self._tasks: dict[int, Task] = {}
        self._lock = threading.Lock()
        self._ready: Future[bool] = Future()

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._log = (self._folder / "host.log").open("wb")
        self._host = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.task_host"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, env=dict(self._env), cwd=ROOT,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, name="task-host", daemon=True)
        self._reader.start()
        if not self._ready.result(TIMEOUT_S):
            raise RuntimeError(f"the host of tasks did not start:\n{(self._folder / 'host.log').read_text()}")
        return self

    def __exit__(self, *exc: object) -> None:
        assert self._host.stdin
        assert self._host.stdout
        self._host.stdin.close()
        self._host.wait(30)
        self._reader.join(30)
        self._host.stdout.close()
        self._log.close()

    def start(
        self,
        operator: str,
        *,
        stage: str,
        today: str,
        env: Mapping[str, str],
        strike: Strike,
        try_number: int,
        max_tries: int,
        states: Mapping[str, str] | None = None,
        **arguments: Any,
    ) -> Task:
        """Run one operator; `arguments` are its own, `env` is added to what the tasks share.

        `states` are what Airflow says of the run's other tasks.
        """
        with self._lock:
            number = len(self._tasks) + 1
            answer, log = self._folder / f"{number}.json", self._folder / f"{number}.log"
            task = self._tasks[number] = Task(answer=answer, log=log)
            order = {
                "id": number, "operator": operator, "stage": stage, "today": today, "arguments": arguments,
                "env": dict(env), "strike": asdict(strike), "try_number": try_number, "max_tries": max_tries,
                "states": dict(states or {}),
                "answer": str(answer), "log": str(log),
            }  # fmt: skip
            assert self._host.stdin
            self._host.stdin.write(f"{json.dumps(order)}\n".encode())
            self._host.stdin.flush()
        return task

    def _read(self) -> None:
        assert self._host.stdout
        for line in self._host.stdout:
            said = json.loads(line)
            if "ready" in said:
                self._ready.set_result(True)
            elif "pid" in said:
                self._tasks[said["id"]].born.set_result(said["pid"])
            else:
                self._tasks[said["id"]].ended.set_result(said["status"])
        if not self._ready.done():
            self._ready.set_result(False)
        for task in self._tasks.values():
            if not task.ended.done():
                task.ended.set_exception(RuntimeError("the host of tasks died"))
