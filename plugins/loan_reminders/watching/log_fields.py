"""Fields of every line that a task logs: which library, stage and run it is about. Airflow's logs are JSON (structlog).

No field is about anybody. `run` is Airflow's id of the run, `reminders_run` its number in the ledger.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from structlog.contextvars import bind_contextvars

log = structlog.get_logger("loan_reminders.run")


def bind_task(context: Mapping[str, Any], *, library: str) -> None:
    """Put the fields of a task on every line logged from here on, by whatever logger, in this process."""
    task, run = context.get("task"), context.get("dag_run")
    fields = {
        "library": library,
        "stage": str(getattr(task, "stage", "") or ""),
        "run": str(getattr(run, "run_id", "") or ""),
        "reminders_run": getattr(task, "run_id", None) if isinstance(getattr(task, "run_id", None), int) else None,
    }
    bind_contextvars(**{name: value for name, value in fields.items() if value not in ("", None)})


def log_counts(words: str, **counts: float) -> None:
    """One line with counts as fields of their own."""
    log.info(words, **counts)
