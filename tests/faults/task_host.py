"""Runs tasks, each in a process of its own, forked from this one, which has already imported Airflow and the operators.

    python -m tests.faults.task_host

Each line of the standard input is an order in JSON (see `tasks.Tasks.start`); each line of the standard output is the
birth (`id`, `pid`) or the end (`id`, `status`) of a task. A task runs the `execute` of a real operator; what came of
it is written to the file that its order names, with the modules it had to import itself, which later ones then find.
"""

from __future__ import annotations

import gc
import json
import os
import selectors
import signal
import sys
import tempfile
import traceback
from contextlib import suppress
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.bench.task import LAZY
from tests.faults.steps import Steps, Strike, arm


def work(order: dict[str, Any], steps: Steps) -> dict[str, Any]:
    """Execute one operator as Airflow's task runner does; says its result, or its error and whether it may pass.

    The order's `states` are what Airflow says of the run's other tasks, by the names librarians read.
    """
    from airflow.sdk import DAG, BaseOperator

    from loan_reminders import operators
    from loan_reminders.domain.errors import TemporaryError
    from loan_reminders.domain.stages import Stage
    from loan_reminders.operators.base import ReminderOperator

    operator_class, states = getattr(operators, order["operator"]), order["states"]
    ours = {"stage": Stage(order["stage"])} if issubclass(operator_class, ReminderOperator) else {}
    with DAG(order["stage"], schedule=None):
        operator = operator_class(task_id="task", **ours, **order["arguments"])
        for number, name in enumerate(states):
            BaseOperator(task_id=f"task_{number}", task_display_name=name)
    by_id = {f"task_{number}": state for number, state in enumerate(states.values())}
    context = {
        "dag_run": SimpleNamespace(run_id="faults", logical_date=None, run_after=datetime.now(UTC)),
        "params": {"reference_date": order["today"], "dry_run": False},
        "ti": SimpleNamespace(
            try_number=order["try_number"],
            max_tries=order["max_tries"],
            get_task_states=lambda *, dag_id, run_ids: dict.fromkeys(run_ids, by_id),
        ),
    }
    try:
        result = operator.execute(context)
        steps.passing("after_work")
        return {"result": result}
    except Exception as error:
        traceback.print_exc()
        return {"error": type(error).__name__, "said": str(error), "temporary": isinstance(error, TemporaryError)}


def child(order: dict[str, Any]) -> None:
    """Never returns."""
    status = 1
    known = set(sys.modules)
    try:
        log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.environ.update(order["env"])
        tempfile.tempdir = None
        steps = arm(Strike(**order["strike"]))
        said = {**work(order, steps), "imported": sorted(set(sys.modules) - known)}
        Path(order["answer"]).write_text(json.dumps(said), encoding="utf-8")
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def learn(answer: Path) -> None:
    """Import what a task imported, and keep the memory of it shared."""
    if not answer.exists():
        return
    for name in json.loads(answer.read_text(encoding="utf-8"))["imported"]:
        with suppress(ImportError):
            import_module(name)
    gc.collect()
    gc.freeze()


def main() -> None:
    """Serve orders until the standard input ends; then end the tasks that still run.

    The standard output is for answers alone: what a module prints when it is imported goes to the log.
    """
    answers = os.dup(1)
    os.dup2(2, 1)

    def say(**said: Any) -> None:
        os.write(answers, f"{json.dumps(said)}\n".encode())

    for name in ("airflow.sdk", "loan_reminders.operators", *LAZY):
        import_module(name)
    alive: dict[int, tuple[dict[str, Any], int]] = {}
    learnt: set[tuple[str, str]] = set()
    say(ready=True)
    unread = b""
    with selectors.DefaultSelector() as selector:
        selector.register(0, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fd != 0:
                    order, pid = alive.pop(key.fd)
                    selector.unregister(key.fd)
                    os.close(key.fd)
                    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                    if status == 0 and (order["operator"], order["stage"]) not in learnt:
                        learnt.add((order["operator"], order["stage"]))
                        learn(Path(order["answer"]))
                    say(id=order["id"], status=status)
                    continue
                read = os.read(0, 65536)
                if not read:
                    for _, pid in alive.values():
                        os.kill(pid, signal.SIGKILL)
                    return
                *lines, unread = (unread + read).split(b"\n")
                for line in lines:
                    order = json.loads(line)
                    pid = os.fork()
                    if pid == 0:
                        child(order)
                    descriptor = os.pidfd_open(pid)
                    alive[descriptor] = (order, pid)
                    selector.register(descriptor, selectors.EVENT_READ)
                    say(id=order["id"], pid=pid)


if __name__ == "__main__":
    main()
