"""A whole installation on this machine: embedded PostgreSQL, fictional library, simulators, a real Airflow."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any

from loan_reminders.commands import migrate
from loan_reminders.domain.stages import Stage
from loan_reminders.settings.library_toml import settings
from sql.demo.generator import build_library
from tests.e2e.airflow_api import AirflowApi
from tests.e2e.library_system import serve_library
from tests.e2e.planted_readers import REFUSED, plant
from tests.e2e.processes import Processes, free_port
from tests.e2e.trial_settings import ILS_LOGIN, SMS_LOGIN, settings_for_any_hour, trial_connections
from tests.e2e.unpacked_package import unpacked_package
from tests.scenes.lived.months import SIZES, live
from tests.simulators.postgres import EmbeddedPostgres
from tests.simulators.sms_provider import CREDITS_PER_SMS

ROOT = Path(__file__).resolve().parents[2]
SMS_LOT = 10_000 * CREDITS_PER_SMS
"""What is bought at once, in the provider's credits."""
USERS = {"admin": "admin", "biblio": "user"}
"""Who may log in, and the role of each."""


class Installation:
    """Everything a library needs, below one folder; every port is free, everything started is stopped.

    Airflow runs the package, as whoever installs it does, and sees nothing of this repository; with `in_place` it runs
    the files of the repository, so that what is changed in them is seen. With `lived` the library is three months into
    use: a new ledger lives them before anything starts. `ils` is the
    library system that holds its loans: Aleph behind the wire server, another on a database server of its own.
    With `planted`, dozens of Aleph's readers are such as one would know again wherever they are written.
    """

    def __init__(
        self,
        folder: Path,
        *,
        today: date,
        scheduled: bool = False,
        more_users: Mapping[str, str] | None = None,
        lived: bool = False,
        in_place: bool = False,
        ils: str = "aleph",
        planted: bool = False,
    ) -> None:
        self.folder = folder
        self.planted = planted
        self.in_place = in_place
        self.package = folder / "package"
        self.ils_kind = ils
        self.ils_connection: dict[str, Any] = {}
        self.lived = lived
        self.today = today
        self.scheduled = scheduled
        self.config = folder / "library.toml"
        self.mail = folder / "mail"
        self.alerts = folder / "alerts"
        self.sms = folder / "sms.jsonl"
        self.letters = folder / "letters"
        self.ils = folder / "ils.sqlite"
        self.users = USERS | dict(more_users or {})
        self.passwords = dict.fromkeys(self.users, "")
        self.sms_credit = SMS_LOT
        self.callback_token = secrets.token_urlsafe(24)
        self.smtp_options: tuple[str, ...] = ()
        self.stack = ExitStack()

    def __enter__(self) -> Installation:
        for kept in (self.mail, self.alerts):
            kept.mkdir(parents=True, exist_ok=True)
        settings_for_any_hour(self.config, self.ils_kind)
        unpacked_package(self.package, program=not self.in_place)
        try:
            self._start()
        except BaseException:
            self.stack.close()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self.stack.close()

    def _start(self) -> None:
        self.postgres = self.stack.enter_context(EmbeddedPostgres(self.folder / "postgres"))
        known = {name for (name,) in self.postgres.execute("SELECT datname FROM pg_database")}
        for database in {"airflow", "ledger"} - known:
            self.postgres.create_database(database)
        self.ledger_url = self.postgres.url("ledger")
        migrate.upgrade(self.ledger_url)
        self._fill_library()
        self._live()
        self.processes = self.stack.enter_context(Processes(self.folder / "logs" / "processes"))
        self.env = self._environment(self._start_simulators())
        self._start_airflow()

    def _fill_library(self) -> None:
        if self.ils_kind != "aleph":
            self.ils_connection = serve_library(
                self.stack, self.ils_kind, today=self.today, postgres=self.postgres, zone=settings().library.time_zone
            )
            return
        self.ils.unlink(missing_ok=True)
        build_library(self.ils, today=self.today, **(SIZES if self.lived else {}))
        if self.planted:
            plant(self.ils, today=self.today)
            self.smtp_options = (*self.smtp_options, "--refuse", REFUSED)

    def _live(self) -> None:
        """The months before today, in a ledger that is new; one that was used is left as it is."""
        [(runs,)] = self.postgres.execute("SELECT count(*) FROM runs", database="ledger")
        if self.lived and not runs:
            seconds = live(self.ledger_url, self.letters, today=self.today)
            print(f"Trois mois vécus en {seconds:.0f} s", flush=True)
        [(spent,)] = self.postgres.execute("SELECT coalesce(sum(segments), 0) FROM deliveries", database="ledger")
        self.sms_credit = SMS_LOT - spent * CREDITS_PER_SMS

    def _start_simulators(self) -> dict[str, int]:
        python = [sys.executable, "-u", "-m"]
        self.ils_password, self.sms_key = secrets.token_hex(8), secrets.token_hex(16)
        env = self._python_environment() | {"ILS_PASSWORD": self.ils_password, "ALLMYSMS_API_KEY": self.sms_key}
        commands = {
            "oracle": ["tests.simulators.oracle_server", "--database", str(self.ils), "--port=0", "--user", ILS_LOGIN],
            "smtp": ["tests.simulators.smtp_sink", "--folder", str(self.mail), "--port=0", *self.smtp_options],
            "alerts": ["tests.simulators.smtp_sink", "--folder", str(self.alerts), "--port=0"],
            "allmysms": [
                "tests.simulators.allmysms_server", "--port=0", "--journal", str(self.sms), "--login", SMS_LOGIN,
                "--credits", str(self.sms_credit),
            ],
        }  # fmt: skip
        if self.ils_connection:
            del commands["oracle"]
        return {
            name: self.processes.start_listening(name, [*python, *command], env, ROOT)
            for name, command in commands.items()
        }

    def _python_environment(self) -> dict[str, str]:
        env = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "REMINDERS"))}
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        env["PYTHONPATH"] = os.pathsep.join((str(ROOT / "plugins"), str(ROOT), str(self.package)))
        env["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), env.get("PATH", "")))
        return env

    def _environment(self, ports: dict[str, int]) -> dict[str, str]:
        """The settings of this installation: the same variables that a production host would set."""
        home = self.folder / "airflow"
        home.mkdir(exist_ok=True)
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        passwords = home / "passwords.json"
        if passwords.exists():
            self.passwords = json.loads(passwords.read_text(encoding="utf-8"))
        else:
            self.passwords = {user: secrets.token_urlsafe(9) for user in self.passwords}
            passwords.write_text(json.dumps(self.passwords), encoding="utf-8")
            passwords.chmod(0o600)
        secret = home / "secret"
        if not secret.exists():
            secret.write_text(secrets.token_hex(32), encoding="utf-8")
            secret.chmod(0o600)
        connections = trial_connections(
            ports, ledger_socket=self.postgres.socket_folder, ils_password=self.ils_password, sms_key=self.sms_key
        ) | {f"ILS_{self.ils_kind.upper()}": self.ils_connection}
        self.alert_relay = connections.pop("ALERT_RELAY")
        return {
            **self._python_environment(),
            **self._program(home),
            **{f"AIRFLOW_CONN_{name}": json.dumps(value) for name, value in connections.items() if value},
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DEFAULT_TIMEZONE": "Europe/Paris",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(map(":".join, self.users.items())),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": self.postgres.url("airflow").replace(
                "postgresql:", "postgresql+psycopg2:"
            ),
            "AIRFLOW__API__PORT": str(self.port),
            "AIRFLOW__API__BASE_URL": self.url,
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API_AUTH__JWT_SECRET": secret.read_text(encoding="utf-8"),
            "AIRFLOW__API__SECRET_KEY": secret.read_text(encoding="utf-8"),
            "AIRFLOW__DAG_PROCESSOR__STALE_DAG_THRESHOLD": "600",  # other tests are at work on the same cores
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(self.folder / "logs" / "airflow"),
            "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
            "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": str(self.scheduled),
            "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "30",  # other tests are at work on the same cores
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
            "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(free_port()),
            "REMINDERS_CONFIG": str(self.config),
            "REMINDERS_STORAGE": str(self.letters),
            "REMINDERS_SMS_CALLBACK_TOKEN": self.callback_token,
        }

    def _program(self, home: Path) -> dict[str, str]:
        """Where Airflow finds the program, its plugin and its DAG files."""
        if self.in_place:
            return {
                "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "5",
                "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "5",
                "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
                "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
            }
        return {
            "PYTHONPATH": str(self.package),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.folder / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(home / "plugins"),
        }

    def write_settings(self, text: str) -> None:
        """Change the settings in one step: whatever reads the DAG files meanwhile finds a whole file."""
        new = self.config.with_suffix(".new")
        new.write_text(text, encoding="utf-8")
        new.replace(self.config)

    def command(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run `loan-reminders` as the administrator of this installation does, with `more` in the environment."""
        run = [sys.executable, "-m", "loan_reminders", *words]
        return subprocess.run(
            run, env=self.env | more, cwd=self.folder, capture_output=True, text=True, check=False, timeout=300
        )

    def _start_airflow(self) -> None:
        airflow = [sys.executable, "-m", "airflow"]
        if not self.in_place:
            written = self.command("dags", "--write", self.env["AIRFLOW__CORE__DAGS_FOLDER"])
            if written.returncode:
                raise SystemExit(f"loan-reminders dags --write failed: {written.stderr}")
        with Processes(self.folder / "logs" / "processes") as once:
            once.start("db-migrate", [*airflow, "db", "migrate"], self.env, self.folder)
            if once.running["db-migrate"].wait(timeout=180):
                raise SystemExit(f"airflow db migrate failed: see {once.logs / 'db-migrate.log'}")
        for part in ("api-server", "scheduler", "dag-processor", "triggerer"):
            self.processes.start(part, [*airflow, part], self.env, self.folder)
        self.api = AirflowApi(self.url, user="admin", password=self.passwords["admin"])
        self.stack.callback(self.api.close)
        self.api.wait_until_healthy(timeout=180, alive=self.check_alive)
        self.api.keep_connection("alert_relay", **self.alert_relay)  # this one in Airflow's database, not by a variable

    def wait_for_question(self, stage: Stage, run_id: str, *, timeout: float) -> dict[str, Any]:
        """Wait until a task of this run asks a person and the scheduler has put it aside.

        Airflow 3.3 takes an answer that comes in the same instant as the question for a task that was killed, and
        tries it again minutes later: the scheduler must have read that the worker is done with it.
        """
        question = self.api.wait_for_question(stage.value, run_id, timeout=timeout, alive=self.check_alive)
        log, deadline = self.processes.logs / "scheduler.log", time.monotonic() + timeout
        aside = re.compile(rf"TaskInstance Finished: .*run_id={re.escape(run_id)}, .* state=awaiting_input")
        while not aside.search(log.read_text(encoding="utf-8")):
            self.check_alive()
            if time.monotonic() > deadline:
                raise TimeoutError(f"waited {timeout:.0f} s for the scheduler to put {run_id} aside: see {log}")
            time.sleep(0.3)
        return question

    def approve_letters(self, run_id: str, *, timeout: float) -> bool:
        """Approve the registered letters of a run, as a librarian would; False when the run ends without asking."""
        stage, deadline = Stage.REGISTERED_LETTER.value, time.monotonic() + timeout
        while not self.api.call("GET", f"dags/{stage}/dagRuns/{run_id}/hitlDetails")["total_entries"]:
            self.check_alive()
            if self.api.run(stage, run_id)["state"] in ("success", "failed"):
                return False
            if time.monotonic() > deadline:
                raise TimeoutError(f"waited {timeout:.0f} s for {run_id} to ask about its letters")
            time.sleep(0.3)
        question = self.wait_for_question(Stage.REGISTERED_LETTER, run_id, timeout=timeout)
        task_id = question["task_instance"]["task_id"]
        if task_id != "approve_letters":
            raise RuntimeError(f"{run_id} asks about {task_id}")
        self.api.answer(stage, run_id, task_id, "Valider", retirer=None, motif=None)
        return True

    def check_alive(self) -> None:
        """Raise when something this installation started has died."""
        dead = self.processes.dead()
        if dead:
            raise SystemExit(f"{', '.join(dead)} stopped: see {self.processes.logs}")
