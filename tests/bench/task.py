"""One piece of work in a process of its own, as Airflow gives each task one; its time and memory as JSON.

    python -m tests.bench.task VERB '{"argument": …}'

A run's tasks are the project's operators, with their hooks and settings, and connections from the environment;
only Airflow's task runner is left out. Airflow and the operators are imported first: their memory counts, their time
does not. `forks` runs the same verbs in processes that find imported, too, what the work imports by itself.
With `profile`, the work is looked into, and its figures say which steps took most instead of how long it took.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.bench import baselines, dag_files, other_engines, smtp_step
from tests.bench.clock import Clock
from tests.bench.ils.read import read_loans
from tests.bench.sampler import Sampler
from tests.bench.watch import peak_mb

LAZY = (
    "babel.dates", "email_validator", "holidays", "jinja2", "oracledb", "phonenumbers", "psycopg", "pymysql",
    "requests", "sqlalchemy", "airflow.providers.oracle.hooks.oracle", "loan_reminders.gateways.sms.allmysms",
    "loan_reminders.gateways.email.mail_relay", "loan_reminders.hooks.ils", "loan_reminders.hooks.ledger",
    "loan_reminders.hooks.letter_store", "loan_reminders.hooks.mail_relay", "loan_reminders.ledger.connect",
    "loan_reminders.rendering.email.renderer", "loan_reminders.rendering.letters.renderer",
    "loan_reminders.rendering.sms.renderer",
)  # fmt: skip


FIRST = 1
"""The number of the first reader of a list of rows."""
HOUR = time(10, 30)
"""When the tasks believe to work: every channel may be used then."""


def build_library(clock: Clock, *, path: str, today: str, patrons: int, loans: int, due_loans: dict[str, int]) -> None:
    from sql.demo.generator import build_library as build

    by_day = {int(day): count for day, count in due_loans.items()}
    with clock:
        build(Path(path), today=date.fromisoformat(today), patrons=patrons, loans=loans, due_loans=by_day)


def start(clock: Clock) -> None:
    """Nothing: the process itself is what is measured, from outside."""


def generate(clock: Clock, *, stage: str, today: str, readers: int, warm_up: int = 0, **reach: Any) -> dict[str, Any]:
    """Rows of the contract to a planned, committed run, in one process."""
    from loan_reminders.domain.runs.volume import VolumeAnswer
    from loan_reminders.domain.stages import Stage
    from loan_reminders.hooks.ledger import ledger
    from loan_reminders.services.runs.extract import RunRequest, extract_loans
    from loan_reminders.services.runs.plan import plan_run
    from loan_reminders.settings.library_toml import settings
    from tests.bench.rows import ListedRows, Reach, contract_rows

    ours, day = settings(), date.fromisoformat(today)
    rule = ours.policy().rule(Stage(stage))
    due = rule.due_date_on(day)
    result: dict[str, Any] = {}
    with ledger(library=ours.library.code) as books:
        for number, first, watch in ((warm_up, 900_000, Clock()), (readers, FIRST, clock)):
            if not number:
                continue
            rows = contract_rows(number, due=due, reach=Reach(**reach), first=first)
            with watch:
                run = extract_loans(
                    books,
                    ListedRows(rows, ours.codes()),
                    RunRequest(rule=rule, reference_date=day, today=day, dag_run_id=f"bench {first}", dry_run=False),
                )
                planned = plan_run(books, run_id=run.run_id, policy=ours.policy())
            books.record_volume_answer(run.run_id, VolumeAnswer.APPROVED, who="bench")
            result = {"run_id": run.run_id, "loans": len(rows), "planned": planned}
    return result


def run_task(
    clock: Clock, *, task: str, stage: str, today: str, run_id: int = 0, rows: Any = None, share: Any = None
) -> Any:
    """One operator's own work, its connection to the ledger included.

    With `rows` (their number of `readers`, and how they can be reached), the ILS is that list: it answers at once.
    """
    from loan_reminders import operators
    from loan_reminders.domain.runs.volume import VolumeAnswer
    from loan_reminders.domain.stages import Stage

    day = date.fromisoformat(today)
    about = {**({"run_id": run_id} if run_id else {}), **({"share": share} if share else {})}
    operator = getattr(operators, task)(task_id="bench", stage=Stage(stage), **about)
    zone = operator.config.zone
    operator.now = lambda: datetime.combine(day, HOUR, zone)
    if rows:
        source = _listed(operator, day, to_extract=task == "ExtractLoans", **rows)
        operator.loan_source = lambda: source
    context = {
        "dag_run": SimpleNamespace(run_id="bench", logical_date=None, run_after=datetime.now(UTC)),
        "params": {"reference_date": today, "dry_run": False},
        "ti": SimpleNamespace(try_number=1, max_tries=0),
    }
    with clock, operator.ledger() as ledger:
        result = operator.work(context, ledger, operator.now())
    if task == "PlanNotices":
        with operator.ledger() as ledger:
            ledger.record_volume_answer(run_id, VolumeAnswer.APPROVED, who="bench")
    return result


def _listed(operator: Any, today: date, *, to_extract: bool, readers: int, **reach: Any) -> Any:
    from tests.bench.rows import ListedRows, Reach, StillOpen, contract_rows

    due = operator.config.policy().rule(operator.stage).due_date_on(today)
    rows = contract_rows(readers, due=due, reach=Reach(**reach), first=FIRST)
    return ListedRows(rows, operator.config.codes()) if to_extract else StillOpen(rows)


VERBS: dict[str, Callable[..., Any]] = {
    verb.__name__: verb
    for verb in (
        build_library, start, generate, run_task, read_loans,
        baselines.insert_one_by_one, baselines.send_bare_emails, baselines.post_one_by_one,
        baselines.print_at_once, other_engines.print_usually, dag_files.read_dag_files, smtp_step.send_ready_emails,
    )
}  # fmt: skip


def measured(verb: str, arguments: dict[str, Any], *, bare_mb: float) -> dict[str, Any]:
    """Do one piece of work, and say what it took; `bare_mb` was there before Airflow was imported."""
    clock = Clock(Sampler() if arguments.pop("profile", False) else None)
    before_mb = peak_mb()
    result = VERBS[verb](clock, **arguments)
    return {
        "seconds": clock.seconds,
        "cpu": clock.cpu,
        "bare_mb": bare_mb,
        "before_mb": before_mb,
        "peak_mb": peak_mb(),
        "child_peak_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
        "steps": clock.steps,
        "result": result,
    }


def main() -> None:
    verb, arguments, bare_mb = sys.argv[1], json.loads(sys.argv[2]), peak_mb()
    if verb != build_library.__name__:
        import_module("airflow.sdk")
        if verb != dag_files.read_dag_files.__name__:
            import_module("loan_reminders.operators")
    sys.stdout.write(f"{json.dumps(measured(verb, arguments, bare_mb=bare_mb))}\n")


if __name__ == "__main__":
    main()
