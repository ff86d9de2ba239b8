"""What all scenes share: PostgreSQL, an Oracle wire server over a small library, and runs ready to be sent.

A run is read and planned once by the real ExtractLoans and PlanNotices, and registered letters are approved; each scene
begins on a copy of that ledger.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.ledger.connect import connect
from loan_reminders.services.registered.approval import approve
from loan_reminders.settings.library_toml import read_settings
from sql.demo.generator import build_library
from tests.e2e.trial_settings import settings_for_any_hour
from tests.faults.servers import MailServer
from tests.faults.steps import Strike
from tests.faults.tasks import ROOT, Ended, Task, Tasks
from tests.simulators.oracle_server import SERVICE, OracleServer
from tests.simulators.postgres import EmbeddedPostgres

CONNECTIONS, SMS_BATCH = 2, 3
"""Small on purpose: a run of thirty messages then has many batches."""

STAGES = {
    Channel.EMAIL: Stage.COURTESY_NOTICE,
    Channel.SMS: Stage.OVERDUE_NOTICE,
    Channel.LETTER: Stage.FIRST_REMINDER,
    Channel.REGISTERED_LETTER: Stage.REGISTERED_LETTER,
}
"""The stage by which each channel is tried: nothing else of its run is left to send, but the e-mails that letters take
over when they are refused."""

OPERATORS = {
    Channel.EMAIL: "SendEmails",
    Channel.SMS: "SendSms",
    Channel.LETTER: "PrintLetters",
    Channel.REGISTERED_LETTER: "PrintLetters",
}
DUE_LOANS = {2: 40, -1: 70, -2: 50, -8: 24, -21: 14}
MANY_TRIES = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A planned run: the database to copy, and how often each recipient is to be told."""

    database: str
    run_id: int
    expected: Counter[str]


class Bed:
    """A context manager."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._empty = ""
        self._ready: dict[Channel, Ready] = {}
        self._lock = threading.RLock()

    def __enter__(self) -> Self:
        self.folder = Path(tempfile.mkdtemp(prefix="lr-faults-", dir="/tmp"))
        self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def _start(self) -> None:
        self.today = datetime.now(read_settings(ROOT / "library.toml").zone).date()
        self.library = self.folder / "library.sqlite"
        build_library(self.library, today=self.today, patrons=120, loans=150, due_loans=DUE_LOANS)
        self._give_everybody_a_number()
        self.oracle = self._stack.enter_context(OracleServer(self.library))
        # Commits must outlive a crash of the server's processes, which `restart` causes; not a power cut.
        self.postgres = EmbeddedPostgres.in_new_folder(durable=True)
        self._stack.callback(self.postgres.remove)
        for name in ("fsync", "full_page_writes"):
            self.postgres.execute(f"ALTER SYSTEM SET {name} = off")
        self.postgres.execute("SELECT pg_reload_conf()")
        self.tasks = self._stack.enter_context(Tasks(self.folder / "tasks", self._environment()))

    def _environment(self) -> dict[str, str]:
        env = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "REMINDERS"))}
        env["PYTHONPATH"] = os.pathsep.join((str(ROOT / "plugins"), str(ROOT)))
        return env | {
            "AIRFLOW_HOME": str(self.folder / "airflow"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW_CONN_ILS_ORACLE": self.oracle_connection(self.oracle),
            "REMINDERS_CONFIG": str(self._small_batches()),
        }

    def _give_everybody_a_number(self) -> None:
        """A mobile of one's own: of readers who share one, a single one gets an SMS that day."""
        with closing(sqlite3.connect(self.library)) as library, library:
            library.execute("UPDATE z304 SET z304_sms_number = '0600' || printf('%06d', 100000 + rowid)")

    def _small_batches(self) -> Path:
        """The library's own settings, with small batches and SMS that may leave at any hour."""
        text = settings_for_any_hour(self.folder / "library.toml").read_text(encoding="utf-8")
        for name, value in (("connections", CONNECTIONS), ("batch_size", SMS_BATCH)):
            text, found = re.subn(rf"(?m)^{name} *= *\d+", f"{name} = {value}", text)
            if found != 1:
                raise RuntimeError(f"library.toml has {found} lines for {name}")
        path = self.folder / "library.toml"
        path.write_text(text, encoding="utf-8")
        return path

    @staticmethod
    def oracle_connection(server: OracleServer) -> str:
        return connection(
            "oracle", host=server.host, port=server.port, login=server.user, password=server.password,
            extra={"service_name": SERVICE},
        )  # fmt: skip

    def ledger_environment(self, database: str) -> dict[str, str]:
        """The connection to one of this server's databases, and a storage of its own: the ledger's mark lies there."""
        extra = {"host": str(self.postgres.socket_folder)}
        return {
            "AIRFLOW_CONN_REMINDERS_LEDGER": connection("postgres", login="postgres", schema=database, extra=extra),
            "REMINDERS_STORAGE": str(self.folder / "storage" / database),
        }

    def new_ledger(self, template: str = "") -> str:
        """The name of a copy of `template`, or of an empty, migrated ledger."""
        with self._lock:
            if not template and not self._empty:
                self._empty = self.postgres.create_database()
                migrate = [sys.executable, "-m", "loan_reminders", "migrate", "upgrade"]
                url = self.postgres.url(self._empty)
                subprocess.run(
                    [*migrate, "--url", url],
                    env=self._environment(), cwd=ROOT, check=True, stdout=subprocess.DEVNULL,
                )  # fmt: skip
            return self.postgres.create_database(template=template or self._empty)

    def start(
        self, operator: str, *, stage: Stage, env: dict[str, str], strike: Strike | None = None, **more: Any
    ) -> Task:
        """Run one operator as a task of its own; `today`, unless given, is the day of reference."""
        return self.tasks.start(
            operator, stage=stage.value, env=env, strike=strike or Strike(),
            **{"today": self.today.isoformat(), "try_number": 1, "max_tries": MANY_TRIES, **more},
        )  # fmt: skip

    def run(self, operator: str, **arguments: Any) -> Ended:
        """Run one operator to its good end."""
        ended = self.start(operator, **arguments).wait()
        if not ended.well:
            raise RuntimeError(f"{operator}: {ended}")
        return ended

    def ready(self, channel: Channel) -> Ready:
        """A run of which only this channel's messages are still to be sent."""
        with self._lock:
            if channel not in self._ready:
                self._ready[channel] = self._prepare(channel)
            return self._ready[channel]

    def _prepare(self, channel: Channel) -> Ready:
        stage, database = STAGES[channel], self.new_ledger()
        env = self.ledger_environment(database)
        run_id = self.run("ExtractLoans", stage=stage, env=env).result
        self.run("PlanNotices", stage=stage, env=env, run_id=run_id)
        if channel is Channel.SMS:
            with MailServer() as mail:
                self.run("SendEmails", stage=stage, env=env | mail_environment(mail.port), run_id=run_id)
        if channel is Channel.REGISTERED_LETTER:
            self.run("PrepareLetters", stage=stage, env=env, run_id=run_id)
            library = read_settings(ROOT / "library.toml").library.code
            with connect(self.postgres.url(database), library=library) as ledger:
                approve(ledger, run_id=run_id, who="faults", references="", detail="")
        rows = self.postgres.execute("SELECT recipient, channel, state FROM deliveries", database=database)
        waiting = {kind for _, kind, state in rows if state == "planned"}
        if waiting - ({Channel.EMAIL.value} if channel is Channel.LETTER else set()) != {channel.value}:
            raise RuntimeError(f"{channel}: {waiting or 'nothing'} waits")
        expected = Counter(recipient for recipient, kind, _ in rows if kind == channel.value)
        return Ready(database=database, run_id=run_id, expected=expected)


def connection(kind: str, **fields: Any) -> str:
    """An Airflow connection, as its environment variable wants it."""
    return json.dumps({"conn_type": kind, **fields})


def mail_environment(port: int, *, timeout_s: float = 0) -> dict[str, str]:
    """The connection to an SMTP server of this machine; without a timeout, the product's own."""
    extra: dict[str, Any] = {"disable_ssl": True, "disable_tls": True}
    if timeout_s:
        extra["timeout"] = extra["answer_timeout"] = timeout_s
    return {"AIRFLOW_CONN_MAIL_RELAY": connection("smtp", host="127.0.0.1", port=port, extra=extra)}


def sms_environment(port: int, *, timeout_s: float = 0) -> dict[str, str]:
    """The connection to allmysms on this machine; without a timeout, the product's own."""
    extra: dict[str, Any] = {"login_in_clear": True, **({"read_timeout_s": timeout_s} if timeout_s else {})}
    return {
        "AIRFLOW_CONN_ALLMYSMS": connection(
            "http", host="127.0.0.1", port=port, schema="http", login="faults", password="faults-key", extra=extra
        )
    }
