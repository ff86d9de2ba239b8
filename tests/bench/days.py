"""A consortium's day against a library's, an ordinary day, and what Airflow takes to read the DAG files."""

from __future__ import annotations

from statistics import median
from typing import Any

from loan_reminders.domain.stages import Stage
from tests.bench.bed import Bed, Measured
from tests.bench.report import ROOT, Figure

TASKS = ("ExtractLoans", "PlanNotices", "SendEmails", "CloseRun")
STAGE = Stage.COURTESY_NOTICE
LOANS_OF_350_READERS = 660
EMPTY_DAG = "from airflow.sdk import DAG\n\nwith DAG('empty'):\n    pass\n"


def scale(bed: Bed) -> list[Figure]:
    """Ten times the loans, through the Oracle wire to the last receipt: ten times the time, the same memory."""
    few, many = bed.sizes.few_loans, bed.sizes.many_loans
    mail = bed.mail_server()
    ports = {
        count: {
            "oracle": bed.library(f"loans-{count}", patrons=count * 6 // 5, due_loans={2: count}),
            "mail": mail,
        }
        for count in (few, many)
    }
    passes: dict[int, list[dict[str, Measured]]] = {few: [], many: []}
    for count in (few, few, many, few):
        passes[count].append(_whole_run(bed, ports[count]))
    time = {count: median(sum(task.seconds for task in run.values()) for run in runs) for count, runs in passes.items()}
    cpu = {count: median(sum(task.cpu for task in run.values()) for run in runs) for count, runs in passes.items()}
    peaks = {count: {name: max(run[name].peak_mb for run in runs) for name in TASKS} for count, runs in passes.items()}
    [large] = passes[many]
    tasks = ", ".join(
        f"{name} {large[name].seconds:.1f} s against {median(run[name].seconds for run in passes[few]):.1f} s"
        f" ({peaks[many][name]:.0f} MB)"
        for name in TASKS
    )
    slowest = max(TASKS, key=lambda name: large[name].seconds)
    hungriest = max(TASKS, key=lambda name: peaks[many][name])
    looked_into = _whole_run(bed, ports[few], profile=True)
    return [
        Figure(
            name="scale_100k_time",
            value=time[many],
            unit="s",
            baseline=time[few],
            remarks=(
                f"{many} loans due against {few}: {tasks}",
                f"CPU of the tasks alone: {cpu[many]:.1f} s against {cpu[few]:.1f} s, ratio {cpu[many] / cpu[few]:.1f}",
                "the Oracle simulator runs in Python on the same two cores: part of the time of reading is its own",
            ),
            steps=(f"{slowest} {100 * large[slowest].seconds / time[many]:.0f} %", *looked_into[slowest].steps),
        ),
        Figure(
            name="scale_100k_memory",
            value=max(peaks[many].values()),
            unit="MB",
            baseline=max(peaks[few].values()),
            remarks=(
                "peak of the hungriest task's process, with the interpreter, airflow.sdk and the operators",
                f"{hungriest}; {large[hungriest].before_mb:.0f} MB of it are there before its work begins",
            ),
            steps=large[hungriest].parts_of_its_memory("the task itself"),
        ),
    ]


def ordinary_day(bed: Bed) -> list[Figure]:
    """About 350 courtesy notices by cold processes: what each task takes beside Airflow's own start."""
    ports = {
        "oracle": bed.library("ordinary", patrons=12_000, loans=7_500, due_loans={2: LOANS_OF_350_READERS}),
        "mail": bed.mail_server(keeping=True),
    }
    runs, starts = [], []
    for _ in range(bed.sizes.days):
        runs.append(_whole_run(bed, ports, cold=True))
        starts.append(bed.task("start", cold=True).wall)
    seconds = {name: median(run[name].seconds for run in runs) for name in TASKS}
    slowest = max(TASKS, key=lambda name: seconds[name])
    books = runs[0]["CloseRun"].result
    return [
        Figure(
            name="ordinary_day",
            value=seconds[slowest],
            unit="s",
            baseline=median(starts),
            remarks=(
                f"{books['loans']} loans, {books['notices']} notices: "
                + ", ".join(f"{name} {taken:.2f} s" for name, taken in seconds.items()),
                "the slowest task's own work, its imports included; baseline: a process that only imports Airflow",
            ),
            steps=(slowest, *_whole_run(bed, ports, cold=True, profile=True)[slowest].steps),
        )
    ]


def dag_parse(bed: Bed) -> list[Figure]:
    """Seconds for the slowest DAG file."""
    empty = bed.folder / "empty.py"
    empty.write_text(EMPTY_DAG, encoding="utf-8")
    files = [str(empty), *(str(path) for path in sorted((ROOT / "dags").glob("*.py")))]
    found = bed.task("read_dag_files", cold=True, files=files, rounds=5).result
    seconds = {file: median(times) for file, times in found.items()}
    baseline = seconds.pop(str(empty))
    slowest = max(seconds, key=lambda file: seconds[file])
    return [
        Figure(
            name="dag_parse",
            value=seconds[slowest],
            unit="s",
            baseline=baseline,
            remarks=(
                f"{slowest.rpartition('/')[2]}, as DagBag reports it; baseline: a file with an empty DAG",
                f"all {len(seconds)} files: {sum(seconds.values()):.2f} s",
            ),
            steps=bed.steps("read_dag_files", cold=True, files=[slowest], rounds=1),
        )
    ]


def _whole_run(bed: Bed, ports: dict[str, int], **how: bool) -> dict[str, Measured]:
    """The four tasks of one run, each in its process, on a ledger of its own."""
    ledger = bed.ledger()
    asked: dict[str, Any] = {"stage": STAGE.value, "today": bed.today.isoformat(), **how}
    done: dict[str, Measured] = {}
    for name in TASKS:
        done[name] = bed.task("run_task", task=name, ledger=ledger, ports=ports, **asked)
        asked.setdefault("run_id", done[TASKS[0]].result)
    bed.drop(ledger)
    sent = done["SendEmails"].result
    if set(sent) != {"accepted"}:
        raise SystemExit(f"not every e-mail was accepted: {sent}")
    return done
