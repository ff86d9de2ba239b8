"""Child processes of a local installation: started with their log, stopped for certain."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path


def free_port() -> int:
    """A TCP port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Processes:
    """Processes that live as long as the `with` block; each writes its own log file."""

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        self.running: dict[str, subprocess.Popen[str]] = {}
        self.files: list = []

    def __enter__(self) -> Processes:
        self.logs.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *exc: object) -> None:
        for process in self.running.values():
            _signal(process, signal.SIGTERM)
        deadline = time.monotonic() + 20
        for process in self.running.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=max(0.1, deadline - time.monotonic()))
            _signal(process, signal.SIGKILL)
            process.wait()
            if process.stdout:
                process.stdout.close()
        for file in self.files:
            file.close()

    def start(self, name: str, command: Sequence[str], env: Mapping[str, str], cwd: Path) -> None:
        """Start a process in a group of its own."""
        log = (self.logs / f"{name}.log").open("a", encoding="utf-8")
        self.files.append(log)
        self.running[name] = subprocess.Popen(
            command, env=dict(env), cwd=cwd, stdout=log, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )

    def start_listening(self, name: str, command: Sequence[str], env: Mapping[str, str], cwd: Path) -> int:
        """Start a simulator and wait for the line on which it prints its port."""
        log = (self.logs / f"{name}.log").open("a", encoding="utf-8")
        self.files.append(log)
        process = subprocess.Popen(
            command, env=dict(env), cwd=cwd, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True
        )
        self.running[name] = process
        line = process.stdout.readline() if process.stdout else ""
        digits = "".join(character if character.isdigit() else " " for character in line).split()
        if not digits:
            raise SystemExit(f"{name} did not start: see {log.name}")
        return int(digits[-1])

    def dead(self) -> list[str]:
        """Names of the processes that ended though nobody asked them to."""
        return [name for name, process in self.running.items() if process.poll() is not None]


def _signal(process: subprocess.Popen[str], number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return
