"""The test bed: PostgreSQL with its usual durability, the simulators in processes of their own, and tasks likewise."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Self

from loan_reminders.settings.library_toml import settings
from sql.demo.systems.library_site import site_settings
from tests.bench.report import ROOT, parts
from tests.bench.sizes import QUICK, Sizes
from tests.bench.task_host import TaskHost
from tests.bench.watch import Watch
from tests.e2e.processes import Processes
from tests.scenes.large_ledger import Size, fill
from tests.simulators.postgres import EmbeddedPostgres

ORACLE_SERVICE, ILS_MARIADB = "DEMO", "ils_mariadb"
ILS_PASSWORD, SMS_LOGIN, SMS_KEY = "bench-password", "bench", "bench-api-key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one process did: seconds of its work and its CPU, peak memory of itself and of its largest child in MB.

    Before it began, it had `before_mb`, of which `bare_mb` before Airflow was imported.
    """

    seconds: float
    cpu: float
    wall: float
    bare_mb: float
    before_mb: float
    peak_mb: float
    child_peak_mb: float
    steps: list[str]
    """Which steps took most, of a pass that was looked into; its seconds are not to be used."""
    result: Any
    together_mb: float = 0.0
    """The peak of the process and its children together, pages they share counted once; 0 when nobody looked."""

    def parts_of_its_memory(self, the_work: str) -> tuple[str, ...]:
        """What its peak is made of, with their shares; the work under the name `the_work`."""
        return parts(
            self.peak_mb,
            **{
                "interpreter": self.bare_mb,
                "Airflow, operators and drivers": self.before_mb - self.bare_mb,
                the_work: self.peak_mb - self.before_mb,
            },
        )


LIFTED = {"caps": r"\w+", "sms.budget": r"daily|monthly"}
"""The limits of `library.toml` that would stop a run of this size: its section, and its keys."""


SMTP_CONNECTIONS = 16
"""What the bench sends e-mails over, its baseline too; a commit of the ledger serves all of them."""


def lift_caps(text: str) -> str:
    """The text of `library.toml` with a million for each of these limits and all else as it is."""
    for section, keys in LIFTED.items():
        before, mark, after = text.partition(f"\n[{section}]")
        limits, bracket, rest = after.partition("\n[")
        text = before + mark + re.sub(rf"(?m)^((?:{keys})\s*=\s*)\d+", r"\g<1>1000000", limits) + bracket + rest
    return text


class Bed:
    """A context manager. `today` is the day of the runs, an ordinary Tuesday, whatever the calendar says."""

    today = date(2026, 3, 3)

    def __init__(self, sizes: Sizes = QUICK) -> None:
        self.sizes = sizes
        self._stack = ExitStack()
        self._empty = self._large = ""
        self._ports: dict[str, int] = {}
        self._hosts: list[TaskHost] = []

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
            self._config = self._lift_caps()
            self.postgres = EmbeddedPostgres.in_new_folder(durable=True)
            stack.callback(self.postgres.remove)
            self._processes = stack.enter_context(Processes(self.folder / "logs"))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def _lift_caps(self) -> Path:
        """The library's own settings, with caps that let the figures' numbers pass, and more SMTP connections."""
        text = lift_caps((ROOT / "library.toml").read_text(encoding="utf-8"))
        path = self.folder / "library.toml"
        path.write_text(re.sub(r"(?m)^connections = \d+", f"connections = {SMTP_CONNECTIONS}", text), encoding="utf-8")
        return path

    def ledger(self, template: str = "") -> str:
        """A migrated ledger, or a copy of one; its database's name."""
        if not self._empty:
            self._empty = self.postgres.create_database()
            migrate = [sys.executable, "-m", "loan_reminders", "migrate", "upgrade"]
            subprocess.run(
                [*migrate, "--url", self.postgres.url(self._empty)],
                env=self.python_env(), cwd=ROOT, check=True, stdout=subprocess.DEVNULL,
            )  # fmt: skip
        return self.postgres.create_database(template=template or self._empty)

    def large_ledger(self, until: date) -> str:
        """A ledger of three years that end on a day, for one measure alone; its database's name."""
        if not self._large:
            self._large = self.ledger()
            size = Size(cycles=self.sizes.cycles, readers=self.sizes.readers)
            fill(self.postgres, self._large, size=size, until=until, library=settings().library.code)
            self.postgres.execute("CHECKPOINT")  # what filled it is on the disk before anybody asks for a page
        return self.ledger(self._large)

    def drop(self, database: str) -> None:
        self.postgres.drop_database(database)

    def library(self, name: str, *, patrons: int, loans: int = 0, due_loans: Mapping[int, int]) -> int:
        """A fictional library behind an Oracle wire server; its port."""
        path = self.folder / f"{name}.sqlite"
        self.task(
            "build_library", path=str(path), today=self.today.isoformat(), patrons=patrons, loans=loans,
            due_loans={str(day): count for day, count in due_loans.items()},
        )  # fmt: skip
        return self.oracle(name, path)

    def oracle(self, name: str, database: Path) -> int:
        """An Oracle wire server over the tables of Aleph in an SQLite file; its port."""
        options = ["--database", str(database), "--user", "bench"]
        return self._serve(name, "tests.simulators.oracle_server", *options, ILS_PASSWORD=ILS_PASSWORD)

    def mail_server(self, *, keeping: bool = False) -> int:
        """An SMTP server that keeps each mail as a file, or one that does the least it can; its port."""
        how = ["--folder", str(self.folder / "mail")] if keeping else ["--discard"]
        return self._serve("keeping" if keeping else "discarding", "tests.simulators.smtp_sink", *how)

    def sms_server(self) -> int:
        """allmysms with credits enough; its port."""
        options = ["--login", SMS_LOGIN, "--credits", "1000000000"]
        return self._serve("allmysms", "tests.simulators.allmysms_server", *options, ALLMYSMS_API_KEY=SMS_KEY)

    def _serve(self, name: str, module: str, *options: str, **secrets: str) -> int:
        if name not in self._ports:
            command = [sys.executable, "-u", "-m", module, "--port", "0", *options]
            self._ports[name] = self._processes.start_listening(name, command, self.python_env() | secrets, ROOT)
        return self._ports[name]

    def task(
        self,
        verb: str,
        *,
        ledger: str = "",
        ports: Mapping[str, int] | None = None,
        site: Mapping[str, str] | None = None,
        together: bool = False,
        cold: bool = False,
        **arguments: Any,
    ) -> Measured:
        """Run one verb of `tests.bench.task` in a process of its own and wait for its figures.

        It is forked from one that has imported everything, or, when `cold`, starts as a new interpreter does. `site`
        names another library system as `ils`, and its `database`. `together` also watches the memory of the process and
        its children, which costs a little time; `profile` says which steps took most, which costs more. Tasks that are
        asked for by several threads run side by side.
        """
        env = self.python_env() | self._airflow(ledger, ports or {}, site or {})
        if not cold:
            host = self._host()
            measured = host.run(verb, arguments, env, together=together)
            self._hosts.append(host)
            return Measured(**measured)
        command = [sys.executable, "-m", "tests.bench.task", verb, json.dumps(arguments)]
        since = time.monotonic()
        with (
            subprocess.Popen(
                command, env=env, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            ) as process,
            Watch(process.pid if together else 0) as watch,
        ):
            out, errors = process.communicate()
        wall = time.monotonic() - since
        if process.returncode:
            raise SystemExit(f"{verb} failed:\n{out[-2000:]}{errors[-4000:]}")
        return Measured(wall=wall, together_mb=watch.peak_mb, **json.loads(out.splitlines()[-1]))

    def steps(self, verb: str, **asked: Any) -> tuple[str, ...]:
        """The steps of a task that take most, looked at in a pass that nobody times."""
        return tuple(self.task(verb, profile=True, **asked).steps)

    def _host(self) -> TaskHost:
        """One that has nothing to do."""
        try:
            return self._hosts.pop()
        except IndexError:
            return self._stack.enter_context(TaskHost(self.python_env() | self._airflow("", {}, {}), self.folder))

    def python_env(self) -> dict[str, str]:
        """The environment in which this repository's Python runs, without anything of Airflow's."""
        env = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "REMINDERS"))}
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        env["PYTHONPATH"] = os.pathsep.join((str(ROOT / "plugins"), str(ROOT)))
        return env

    def _settings_on(self, ils: str) -> Path:
        """The library's settings on another library system."""
        path = self.folder / f"library-{ils}.toml"
        path.write_text(site_settings(self._config.read_text(encoding="utf-8"), ils, ILS_MARIADB), encoding="utf-8")
        return path

    def _airflow(self, ledger: str, ports: Mapping[str, int], site: Mapping[str, str]) -> dict[str, str]:
        connections: dict[str, dict[str, Any]] = {
            "ILS_ORACLE": {
                "conn_type": "oracle", "host": "127.0.0.1", "port": ports.get("oracle"), "login": "bench",
                "password": ILS_PASSWORD, "extra": {"service_name": ORACLE_SERVICE},
            },
            ILS_MARIADB.upper(): {
                "conn_type": "mysql", "host": "127.0.0.1", "port": ports.get("mariadb"), "login": "bench",
                "password": ILS_PASSWORD, "schema": site.get("database"),
            },
            "REMINDERS_LEDGER": {
                "conn_type": "postgres", "login": "postgres", "schema": ledger or "postgres",
                "extra": {"host": str(self.postgres.socket_folder)},
            },
            "MAIL_RELAY": {
                "conn_type": "smtp", "host": "127.0.0.1", "port": ports.get("mail"),
                "extra": {"disable_ssl": True, "disable_tls": True},
            },
            "ALLMYSMS": {
                "conn_type": "http", "host": "127.0.0.1", "port": ports.get("sms"), "schema": "http",
                "login": SMS_LOGIN, "password": SMS_KEY, "extra": {"login_in_clear": True},
            },
        }  # fmt: skip
        return {
            **{f"AIRFLOW_CONN_{name}": json.dumps(value) for name, value in connections.items()},
            "AIRFLOW_HOME": str(self.folder / "airflow"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "REMINDERS_CONFIG": str(self._settings_on(site["ils"]) if site else self._config),
            "REMINDERS_STORAGE": str(self.folder / "letters" / ledger),  # a ledger's mark lies beside its letters
        }


def interleaved(rounds: int, *steps: Any) -> Sequence[list[Measured]]:
    """Each step `rounds` times in turn, so that a slow minute of the machine hits all alike."""
    taken: list[list[Measured]] = [[] for _ in steps]
    for _ in range(rounds):
        for step, results in zip(steps, taken, strict=True):
            results.append(step())
    return taken
