"""Tasks forked from one process that has imported everything before, as Airflow's executor forks its own.

    python -m tests.bench.forks

Each line of the standard input is an order in JSON: verb, arguments, environment, and the files for its figures and
errors. Each line of the standard output is the number of a process that was born, then its status once it ended.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.bench.task import LAZY, measured
from tests.bench.watch import peak_mb


def main() -> None:
    bare_mb = peak_mb()
    for name in ("airflow.sdk", "loan_reminders.operators", *LAZY):
        import_module(name)
    gc.collect()
    gc.freeze()  # what is there at the fork is not looked through again in each child
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if not child:
            _work(order, bare_mb)
        _say(child)
        _say(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def _say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def _work(order: dict[str, Any], bare_mb: float) -> None:
    """Do it, in the child, which ends here."""
    status = 1
    with Path(order["errors"]).open("w", encoding="utf-8") as errors:
        try:
            os.dup2(errors.fileno(), sys.stderr.fileno())
            os.dup2(errors.fileno(), sys.stdout.fileno())
            os.environ.clear()
            os.environ.update(order["environment"])
            answer = json.dumps(measured(order["verb"], order["arguments"], bare_mb=bare_mb))
            Path(order["figures"]).write_text(answer, encoding="utf-8")
            status = 0
        except BaseException:  # said by the status; its words are in the file
            traceback.print_exc(file=errors)
        finally:
            errors.flush()
            os._exit(status)


if __name__ == "__main__":
    main()
