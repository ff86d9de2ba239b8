"""Many libraries in one installation: what their DAG files take, and the morning of all, one after the other.

    python -m tests.bench.libraries parse '{"libraries": 100}'

In a process of its own, as the bench runs it. The libraries have the demo's settings under codes of their own, and
readers, loans and addresses in common; they are a hundred with `--full`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench.report import ROOT, Figure, parts
from tests.bench.sampler import Sampler
from tests.bench.watch import peak_mb

if TYPE_CHECKING:
    from tests.bench.bed import Bed

FULL = 100
"""Libraries with `--full`; of fewer the same part of the seconds is allowed."""
SECONDS_TO_PARSE, AN_HOUR = 5.0, 3600.0

EMAILS: dict[str, Any] = {}
TEXTS, PAPER = {"mobile_every": 1}, {"email": False}
MORNING = (
    ("courtesy_notice", 130, EMAILS, ("SendEmails",)),
    ("overdue_notice", 100, TEXTS, ("SendEmails", "SendSms")),
    ("first_reminder", 60, EMAILS, ("SendEmails", "PrintLetters")),
    ("second_reminder", 40, PAPER, ("SendEmails", "PrintLetters")),
    ("registered_letter", 20, PAPER, ("PrintLetters",)),
)
"""The five stages of a library's morning, 350 notices: readers, how they are reached, and the tasks that send."""


def libraries(bed: Bed) -> list[Figure]:
    """The DAG files of the libraries, and their morning by the real operators on two servers and a ledger."""
    from tests.bench.bed import lift_caps
    from tests.scenes.several_libraries import settings_of, write_libraries

    count = bed.sizes.libraries
    codes = [f"bu{number:03}" for number in range(count)]
    folder = write_libraries(bed.folder / "libraries", *codes)
    for code in codes:
        text = lift_caps(settings_of(code)).replace("approve_registered = true", "approve_registered = false")
        (folder / f"{code}.toml").write_text(text, encoding="utf-8")
    ledger, ports = bed.ledger(), {"mail": bed.mail_server(), "sms": bed.sms_server()}
    env = bed.python_env() | bed._airflow(ledger, ports, {}) | {"REMINDERS_CONFIG": str(folder)}
    parsed = _in_a_process(env, "parse", {})
    mornings, today = codes[: bed.sizes.mornings], bed.today.isoformat()
    lived = _in_a_process(env, "morning", {"codes": mornings, "today": today})
    bed.drop(ledger)
    looked_into = bed.ledger()
    env |= bed._airflow(looked_into, ports, {}) | {"REMINDERS_CONFIG": str(folder)}
    steps = _in_a_process(env, "morning", {"codes": codes[:1], "today": today, "look": True})["steps"]
    bed.drop(looked_into)
    peaks = lived["peaks"]
    first, last = min(peaks.values()), peaks[str(len(mornings))]
    return [
        Figure(
            name="libraries_parse",
            value=parsed["seconds"],
            unit="s",
            baseline=SECONDS_TO_PARSE * count / FULL,
            remarks=(
                f"{parsed['dags']} DAGs of {count} libraries in {parsed['files']} files, seconds of CPU in all",
                f"the folder is read once beforehand, in {parsed['beforehand']:.2f} s; the hungriest file's process has"
                f" {parsed['peak_mb']:.0f} MB, {parsed['before_mb']:.0f} of them before it begins",
            ),
            steps=(parsed["slowest"], *parsed["steps"]),
        ),
        Figure(
            name="libraries_morning",
            value=lived["seconds"],
            unit="s",
            baseline=AN_HOUR * len(mornings) / FULL,
            remarks=(
                f"{lived['notices']} notices of {len(mornings)} libraries, five stages each, by one process after"
                " another's",
                f"without Airflow's own time for {lived['tasks']} tasks",
            ),
            steps=tuple(steps),
        ),
        Figure(
            name="libraries_memory",
            value=last,
            unit="MB",
            baseline=first,
            remarks=(", ".join(f"{number} libraries: {peak:.0f} MB" for number, peak in peaks.items()),),
            steps=parts(
                last,
                interpreter=lived["bare_mb"],
                Airflow=lived["before_mb"] - lived["bare_mb"],
                the_first_libraries=first - lived["before_mb"],
                the_others=last - first,
            ),
        ),
    ]


def _in_a_process(env: dict[str, str], verb: str, asked: dict[str, Any]) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench.libraries", verb, json.dumps(asked)]
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{verb} failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def parse() -> dict[str, Any]:
    """Each DAG file in a fork of a process that did what Airflow's DAG processor does when it starts."""
    import airflow.dag_processing.dagbag  # noqa: F401 - the processor has it at hand, too

    from loan_reminders import preloading

    time.sleep(2.5)  # a file written just now is read at every look
    since = time.process_time()
    preloading.on_starting(component=None)
    beforehand = time.process_time() - since
    files = sorted((ROOT / "dags").glob("*.py"))
    found = [_in_a_fork(file) for file in files]
    slowest = max(zip(found, files, strict=True), key=lambda one: one[0]["seconds"])[1]
    looked_into = _in_a_fork(slowest, look=True)
    return {
        "slowest": slowest.name,
        "steps": looked_into["steps"],
        "seconds": sum(one["seconds"] for one in found),
        "beforehand": beforehand,
        "dags": sum(one["dags"] for one in found),
        "files": len(files),
        "peak_mb": max(one["peak_mb"] for one in found),
        "before_mb": peak_mb(),
    }


def _in_a_fork(file: Path, *, look: bool = False) -> dict[str, Any]:
    from airflow.dag_processing.dagbag import DagBag

    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            sampler = Sampler()
            with sampler if look else nullcontext():
                since = time.process_time()
                bag = DagBag(dag_folder=str(file), collect_dags=True)
                taken = time.process_time() - since
            told = {
                "seconds": taken, "dags": len(bag.dags), "peak_mb": peak_mb(), "wrong": bag.import_errors,
                "steps": sampler.top(),
            }  # fmt: skip
            os.write(writing, json.dumps(told).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        found: dict[str, Any] = json.loads(answer.read())
    os.waitpid(child, 0)
    if found["wrong"]:
        raise RuntimeError(str(found["wrong"]))
    return found


def morning(*, codes: list[str], today: str, look: bool = False) -> dict[str, Any]:
    """The five stages of each library, every task of each, and how much memory was taken after some of them.

    With `look`, which steps took most.
    """
    from loan_reminders.settings.libraries import of_library

    since, peaks, notices, tasks, sampler = time.perf_counter(), dict[int, float](), 0, 0, Sampler()
    bare_mb = peak_mb()
    import airflow.sdk  # noqa: F401 - what every task has at its start; its memory is told apart

    before_mb = peak_mb()
    seen = {max(1, len(codes) // 10), len(codes) // 2, len(codes)}
    for number, code in enumerate(codes, start=1):
        with of_library(code), sampler if look else nullcontext():
            for stage, readers, reach, senders in MORNING:
                books, done = _run(stage, today, {"readers": readers, **reach}, senders)
                notices, tasks = notices + books["notices"], tasks + done
        if number in seen:
            peaks[number] = peak_mb()
    return {
        "seconds": time.perf_counter() - since, "peaks": peaks, "notices": notices, "tasks": tasks,
        "bare_mb": bare_mb, "before_mb": before_mb, "steps": sampler.top(),
    }  # fmt: skip


def _run(stage: str, today: str, rows: dict[str, Any], senders: tuple[str, ...]) -> tuple[dict[str, int], int]:
    from tests.bench.clock import Clock
    from tests.bench.task import run_task

    about = {"stage": stage, "today": today, "rows": rows}
    run_id = run_task(Clock(), task="ExtractLoans", **about)
    for task in ("PlanNotices", *senders):
        run_task(Clock(), task=task, run_id=run_id, **about)
    books: dict[str, int] = run_task(Clock(), task="CloseRun", run_id=run_id, **about)
    return books, len(senders) + 3


if __name__ == "__main__":
    print(json.dumps({"parse": parse, "morning": morning}[sys.argv[1]](**json.loads(sys.argv[2]))))
