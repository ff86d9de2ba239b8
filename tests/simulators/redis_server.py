"""A Redis server of a test's own, from the machine's `redis-server`: what Airflow's Celery workers take tasks from."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

from tests.e2e.processes import free_port

MISSING = "redis-server is not installed (Debian: apt-get install redis-server)"
PATIENCE_S = 15


def available() -> bool:
    """Whether this machine has it."""
    return shutil.which("redis-server") is not None


class RedisServer:
    """A context manager; nothing is kept, and only this machine may connect. `folder` is its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()

    @property
    def url(self) -> str:
        """The broker, as Celery names it."""
        return f"redis://127.0.0.1:{self.port}/0"

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = f'port {self.port}\nbind 127.0.0.1\ndir "{self.folder}"\nsave ""\nappendonly no\ndaemonize no\n'
        path = self.folder / "redis.conf"
        path.write_text(settings, encoding="utf-8")
        self._log = (self.folder / "redis.log").open("ab")
        self._process = subprocess.Popen(["redis-server", str(path)], stdout=self._log, stderr=self._log)
        deadline = time.monotonic() + PATIENCE_S
        while not self._answers():
            if time.monotonic() > deadline or self._process.poll() is not None:
                self.__exit__()
                raise RuntimeError(f"redis-server did not start: see {self._log.name}")
            time.sleep(0.05)
        return self

    def __exit__(self, *exc: object) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE_S)
        self._log.close()

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as line:
                line.sendall(b"PING\r\n")
                return line.recv(7) == b"+PONG\r\n"
        except OSError:
            return False
