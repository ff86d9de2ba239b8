"""A pool of preloaded processes; each job runs in a fork (see `preloaded_process`)."""

from __future__ import annotations

import json
import os
import queue
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Self

from loan_reminders.places import PACKAGE

_PACKAGE_PARENT = PACKAGE.parent


class JobStopped(Exception):
    """A job that got no answer; the message says why, in French."""


class DiskRefused(Exception):
    """A job whose file the disk refused; the message is what the system says."""


class ProcessPool:
    """As many processes as threads ask at once; a context manager, after which none is left.

    A process and the fork at work are killed when a job takes more than `timeout_s` seconds.
    """

    def __init__(self, *, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._idle: queue.SimpleQueue[subprocess.Popen[bytes]] = queue.SimpleQueue()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        while True:
            try:
                process = self._idle.get_nowait()
            except queue.Empty:
                return
            _end(process)

    def ask(self, work: str, job: Mapping[str, Any]) -> Any:
        """The answer to one job; `work` is one of the preloaded process's. Raises JobStopped or DiskRefused.

        What the process writes for people is not kept: it may quote a reader.
        """
        try:
            process = self._idle.get_nowait()
        except queue.Empty:
            process = self._start()
        try:
            answer = self._answer(process, json.dumps({"work": work, "job": job}).encode("ascii") + b"\n")
        except BaseException:
            _end(process)
            raise
        self._idle.put(process)
        if "stopped" in answer:
            raise JobStopped(f"le processus s'est arrêté avec le code {answer['stopped']}")
        if "unwritable" in answer:
            raise DiskRefused(answer["unwritable"])
        return answer

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "loan_reminders.rendering.preloaded_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=_PACKAGE_PARENT,
            env=_environment(),
            start_new_session=True,
        )

    def _answer(self, process: subprocess.Popen[bytes], job: bytes) -> dict[str, Any]:
        if process.stdin is None or process.stdout is None:
            raise JobStopped("le processus n'écoute pas")
        try:
            process.stdin.write(job)
            process.stdin.flush()
        except OSError:
            raise _stopped(process) from None
        said, deadline = b"", time.monotonic() + self._timeout_s
        while not said.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([process.stdout], [], [], left)[0]:
                raise JobStopped(f"pas de réponse en {self._timeout_s:.0f} s")
            part = os.read(process.stdout.fileno(), 1 << 16)
            if not part:
                raise _stopped(process)
            said += part
        answer: dict[str, Any] = json.loads(said)
        return answer


def _environment() -> dict[str, str]:
    environment = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return environment | {
        "PYTHONPATH": str(_PACKAGE_PARENT),
        "PYTHONUTF8": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "RAYON_NUM_THREADS": "1",  # the engine's own threads: the processes already share the cores
    }


def _stopped(process: subprocess.Popen[bytes]) -> JobStopped:
    try:
        code = process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        code = 0
    return JobStopped(f"le processus s'est arrêté avec le code {code}" if code else "le processus n'a rien répondu")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process with the fork that may be at work."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(BrokenPipeError):
        process.communicate()
