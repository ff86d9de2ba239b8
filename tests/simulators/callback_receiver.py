"""The program's own address for the SMS provider's calls, served by a real web server in a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "a-token-for-tests-of-callbacks"


class CallbackReceiver:
    """One process of one web server; `url` is the provider's address, `kill` is `kill -9`.

    `app` names the function that makes the application, `more` are variables of its environment.
    """

    def __init__(
        self, *, socket_folder: Path, database: str, app: str = "loan_reminders.web.app:create_app", **more: str
    ) -> None:
        self._app = app
        connection = {"conn_type": "postgres", "login": "postgres", "schema": database}
        self._folder = Path(tempfile.mkdtemp(prefix="callbacks-"))
        self._env = {
            **os.environ,
            "AIRFLOW_HOME": str(self._folder),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW_CONN_REMINDERS_LEDGER": json.dumps({**connection, "extra": {"host": str(socket_folder)}}),
            "REMINDERS_SMS_CALLBACK_TOKEN": TOKEN,
            "REMINDERS_CONFIG": str(ROOT / "library.toml"),
            "PYTHONPATH": os.pathsep.join((str(ROOT / "plugins"), str(ROOT))),
            **more,
        }
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.root = f"http://127.0.0.1:{self.port}"
        self.url = f"{self.root}/rappels-sms/{TOKEN}"
        self.log = self._folder / "server.log"

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "uvicorn", "--factory", self._app]
        options = ["--port", str(self.port), "--no-access-log", "--log-level", "warning", "--limit-concurrency", "512"]
        with self.log.open("a", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [*command, *options], env=self._env, cwd=ROOT, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + 60
        while not self._listens():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the web server did not start: see {self.log}")
            time.sleep(0.1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=20)
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def kill(self) -> None:
        """`kill -9`."""
        self.process.kill()
        self.process.wait()

    def _listens(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return True
        except OSError:
            return False
