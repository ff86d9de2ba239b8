"""The morning of many libraries in one real Airflow: five runs each, how long they take, and what memory grows.

`make morning`, or `python -m tests.e2e.many_libraries --libraries 100`. All must be green within an hour on two cores,
and what runs all day must not grow with what was done.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from statistics import median

from loan_reminders.domain.stages import Stage
from loan_reminders.settings.library_toml import settings
from tests.bench.watch import status_mb
from tests.e2e.installation import SMS_LOT, Installation

FULL = 100
AN_HOUR = 3600.0
FLAT = 1.3
"""By how much a process may have grown from the end of the first stage to the end of the last one."""

PARTS = ("scheduler", "dag-processor", "triggerer", "api-server")
EVERY_S = 5.0
_BOOKS = """
    SELECT count(*), count(*) FILTER (WHERE state = 'closed'), sum((books ->> 'notices')::integer)
    FROM runs WHERE NOT dry_run
"""


class ManyLibraries(Installation):
    """An installation whose settings are a folder: the fictional library's, under as many codes.

    They share its readers, its loans and its servers, and are alike in all but their names.
    """

    def __init__(self, folder: Path, *, today: date, count: int) -> None:
        super().__init__(folder, today=today)
        self.codes = [f"bu{number:03}" for number in range(count)]
        self.smtp_options = ("--discard",)

    def _write_settings(self) -> None:
        """The settings of each library, from those of the one that the trial would have."""
        text = self.config.read_text(encoding="utf-8")
        text = text.replace("approve_registered = true", "approve_registered = false")
        self.config = self.folder / "libraries"
        self.config.mkdir()
        for code in self.codes:
            own = text.replace('code = "montclar"', f'code = "{code}"').replace('"BU Montclar"', f'"BU {code}"')
            (self.config / f"{code}.toml").write_text(own, encoding="utf-8")

    def _start(self) -> None:
        self._write_settings()
        super()._start()

    def _live(self) -> None:
        self.sms_credit = SMS_LOT * len(self.codes)

    def _environment(self, ports: dict[str, int]) -> dict[str, str]:
        """Nothing is paused, nothing has a schedule: what runs is what was triggered."""
        return super()._environment(ports) | {"AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False"}

    def wait_until_read(self, *, timeout: float) -> int:
        """Wait until Airflow knows every DAG of a stage; how many it knows."""
        every = {dag_id for stage in Stage for dag_id in self.dags(stage)}
        deadline = time.monotonic() + timeout
        while left := every - {name for (name,) in self.postgres.execute("SELECT dag_id FROM dag", database="airflow")}:
            self.check_alive()
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(left)} DAGs were not read in {timeout:.0f} s")
            time.sleep(1)
        return len(every)

    def dags(self, stage: Stage) -> list[str]:
        """The DAGs of a stage, one a library."""
        return [stage.value] if len(self.codes) == 1 else [f"{stage.value}__{code}" for code in self.codes]


@dataclass(slots=True)
class Morning:
    """What a morning came to: seconds of each stage, states of runs and tasks, and the memory of what runs all day."""

    seconds: dict[str, float] = field(default_factory=dict)
    runs: Counter[str] = field(default_factory=Counter)
    tasks: int = 0
    notices: int = 0
    memory: dict[str, list[tuple[str, float]]] = field(default_factory=dict)
    """For each part of Airflow, megabytes seen during each stage."""

    def grown(self, part: str) -> float:
        """What a part takes during the last stage, over what it took during the first."""
        first, last = (median(mb for name, mb in self.memory[part] if name == stage) for stage in _ends(self.seconds))
        return last / first


def _ends(stages: dict[str, float]) -> tuple[str, str]:
    names = list(stages)
    return names[0], names[-1]


def live(installation: ManyLibraries) -> Morning:
    """The five stages, one after the other, each of all libraries at once."""
    morning, began = Morning(memory={part: [] for part in PARTS}), time.monotonic()
    for stage in Stage:
        since, dags = time.monotonic(), installation.dags(stage)
        for dag_id in dags:
            installation.api.trigger(dag_id, reference_date=installation.today.isoformat())
        while unfinished := _unfinished(installation):
            _look(installation, morning, stage)
            if time.monotonic() - began > AN_HOUR:
                raise TimeoutError(f"{unfinished} runs of {stage.value} after an hour")
            time.sleep(EVERY_S)
        _look(installation, morning, stage)
        morning.seconds[stage.value] = time.monotonic() - since
        print(f"{stage.value}: {len(dags)} runs in {morning.seconds[stage.value]:.0f} s", flush=True)
    rows = installation.postgres.execute("SELECT state, count(*) FROM dag_run GROUP BY state", database="airflow")
    morning.runs.update(dict(rows))
    [(morning.tasks,)] = installation.postgres.execute(
        "SELECT count(*) FROM task_instance WHERE state = 'success'", database="airflow"
    )
    [(runs, closed, morning.notices)] = installation.postgres.execute(_BOOKS, database="ledger")
    if runs != closed:
        raise SystemExit(f"{runs - closed} of {runs} runs were never closed")
    return morning


def _unfinished(installation: ManyLibraries) -> int:
    installation.check_alive()
    [(count,)] = installation.postgres.execute(
        "SELECT count(*) FROM dag_run WHERE state IN ('queued', 'running')", database="airflow"
    )
    return int(count)


def _look(installation: ManyLibraries, morning: Morning, stage: Stage) -> None:
    for part, seen in morning.memory.items():
        seen.append((stage.value, status_mb(installation.processes.running[part].pid, "VmRSS")))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--libraries", type=int, default=FULL)
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    today = datetime.now(settings().zone).date()
    folder = Path(tempfile.mkdtemp(prefix="lr-", dir="/tmp"))
    try:
        with ManyLibraries(folder, today=today, count=asked.libraries) as installation:
            read = time.monotonic()
            dags = installation.wait_until_read(timeout=300)
            print(f"{dags} DAGs were read after {time.monotonic() - read:.0f} s", flush=True)
            morning = live(installation)
            peaks = {part: status_mb(installation.processes.running[part].pid, "VmHWM") for part in PARTS}
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    whole = sum(morning.seconds.values())
    print(
        f"{asked.libraries} libraries, {morning.notices} notices, {morning.tasks} tasks, runs {dict(morning.runs)}:"
        f" {whole:.0f} s on {os.cpu_count()} cores (wanted: {AN_HOUR:.0f})"
    )
    for part in PARTS:
        print(f"{part}: × {morning.grown(part):.2f} from the first stage to the last, {peaks[part]:.0f} MB at its peak")
    flat = all(morning.grown(part) <= FLAT for part in PARTS)
    return 0 if set(morning.runs) == {"success"} and whole <= AN_HOUR and flat else 1


if __name__ == "__main__":
    raise SystemExit(main())
