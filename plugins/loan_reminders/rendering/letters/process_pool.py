"""Processes that lay pages out: kept waiting, each job done by a copy, or started for one job."""

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
from pathlib import Path
from typing import Any

_PACKAGE_PARENT = Path(__file__).resolve().parents[3]


class WorkerStopped(Exception):
    """A job that got no answer; the message says why, in French."""


class LetterWorkers:
    """As many processes as there are threads asking; a context manager, after which none is left.

    A process and what it is doing is killed when a job takes more than `timeout_s` seconds.
    """

    def __init__(self, *, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._idle: queue.SimpleQueue[subprocess.Popen[bytes]] = queue.SimpleQueue()

    def __enter__(self) -> LetterWorkers:
        return self

    def __exit__(self, *_: object) -> None:
        while True:
            try:
                worker = self._idle.get_nowait()
            except queue.Empty:
                return
            _end(worker)

    def ask(self, job: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to one job. Raises WorkerStopped. What the process writes for people is not kept: it may quote a
        reader."""
        try:
            worker = self._idle.get_nowait()
        except queue.Empty:
            worker = self._start()
        try:
            answer = self._answer(worker, json.dumps(job).encode("ascii") + b"\n")
        except BaseException:
            _end(worker)
            raise
        self._idle.put(worker)
        return answer

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "loan_reminders.rendering.letters.preloaded_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=_PACKAGE_PARENT,
            env=_environment() | {"RAYON_NUM_THREADS": "1"},  # the workers already share the cores
            start_new_session=True,
        )

    def _answer(self, worker: subprocess.Popen[bytes], job: bytes) -> dict[str, Any]:
        if worker.stdin is None or worker.stdout is None:
            raise WorkerStopped("le processus n'écoute pas")
        try:
            worker.stdin.write(job)
            worker.stdin.flush()
        except OSError:
            raise _stopped(worker) from None
        said, deadline = b"", time.monotonic() + self._timeout_s
        while not said.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([worker.stdout], [], [], left)[0]:
                raise WorkerStopped(f"pas de réponse en {self._timeout_s:.0f} s")
            part = os.read(worker.stdout.fileno(), 1 << 16)
            if not part:
                raise _stopped(worker)
            said += part
        answer: dict[str, Any] = json.loads(said)
        if "stopped" in answer:
            raise WorkerStopped(f"le processus s'est arrêté avec le code {answer['stopped']}")
        return answer


def ask_once(module: str, job: Mapping[str, Any], *, folder: Path, timeout_s: float) -> dict[str, Any]:
    """The answer of a process that does one job and ends; `module` is run with the job on its standard input.

    Raises WorkerStopped. What the process writes for people is not kept.
    """
    try:
        done = subprocess.run(  # noqa: S603 - modules of this room only
            [sys.executable, "-P", "-m", module],
            input=json.dumps(job).encode("ascii"),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env=_environment(),
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise WorkerStopped(f"pas de réponse en {timeout_s:.0f} s") from None
    if done.returncode:
        raise WorkerStopped(f"le processus s'est arrêté avec le code {done.returncode}")
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise WorkerStopped("le processus n'a rien répondu") from None
    return answer


def _environment() -> dict[str, str]:
    environment = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return environment | {"PYTHONPATH": str(_PACKAGE_PARENT), "PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1"}


def _stopped(worker: subprocess.Popen[bytes]) -> WorkerStopped:
    try:
        code = worker.wait(timeout=5)
    except subprocess.TimeoutExpired:
        code = 0
    return WorkerStopped(f"le processus s'est arrêté avec le code {code}" if code else "le processus n'a rien répondu")


def _end(worker: subprocess.Popen[bytes]) -> None:
    """End a process with the copy of itself that may be at work."""
    with suppress(ProcessLookupError):
        os.killpg(worker.pid, signal.SIGKILL)
    with suppress(BrokenPipeError):
        worker.communicate()
