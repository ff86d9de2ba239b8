"""What a reader may ask for, on a ledger of three years: each command as an administrator types it, from its start to
its end.

The baseline is the minute within which each must be done.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from loan_reminders.settings.library_toml import settings
from tests.bench.bed import Bed
from tests.bench.report import Figure
from tests.web.client import connection_to

A_MINUTE = 60.0
_READERS = "SELECT patron_id FROM readers WHERE email <> '' OFFSET (SELECT count(*) / 3 FROM readers) LIMIT 2"
_RECORDED = "SELECT count(*) FROM journal WHERE who = 'mesure'"


def rights(bed: Bed) -> list[Figure]:
    """Seconds of the slowest: both forms of the data, a correction, an objection, a hold, the erasure."""
    today = datetime.now(settings().zone).date()
    database = bed.large_ledger(today)
    [(asks,), (asks_to_be_looked_at,)] = bed.postgres.execute(_READERS, database=database)
    until = (today + timedelta(days=30)).isoformat()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        environment = bed.python_env() | {
            "AIRFLOW_CONN_REMINDERS_LEDGER": connection_to(bed.postgres, database),
            "REMINDERS_STORAGE": f"{folder}/letters",
        }
        asked: dict[str, Sequence[str]] = {
            "data as JSON": ("reader-data", "--sortie", f"{folder}/data.json"),
            "data as PDF": ("reader-data", "--sortie", f"{folder}/data.pdf"),
            "correction": ("reader-correct", "--quoi", "email", "--motif", "il le dit"),
            "objection": ("reader-object", "--canal", "sms", "--motif", "il le dit"),
            "limitation": ("reader-hold", "--jusqu-a", until, "--motif", "il conteste"),
            "what an erasure would do": ("reader-erase",),
            "erasure": ("reader-erase", "--remove"),
        }

        def typed(name: str, patron_id: str, *program: str) -> float:
            command, *words = asked[name]
            run = [sys.executable, "-m", *program, command, "--lecteur", patron_id, "--qui", "mesure", *words]
            since = time.monotonic()
            done = subprocess.run(
                run, env=environment, cwd=Path(folder), input="camille@exemple.fr\n", text=True, capture_output=True,
                check=False,
            )  # fmt: skip
            seconds = time.monotonic() - since
            if done.returncode:
                raise RuntimeError(f"{name}: {done.stdout} {done.stderr}")
            return seconds

        took = {name: typed(name, asks, "loan_reminders") for name in asked}
        [(recorded,)] = bed.postgres.execute(_RECORDED, database=database)
        slowest, steps = max(took, key=lambda name: took[name]), Path(folder, "steps.json")
        typed(slowest, asks_to_be_looked_at, "tests.bench.command_steps", str(steps))
        looked_into = json.loads(steps.read_text(encoding="utf-8"))
    bed.drop(database)
    each = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in took.items())
    return [
        Figure(
            name="reader_rights",
            value=took[slowest],
            unit="s",
            baseline=A_MINUTE,
            remarks=(f"{each}; {recorded} lines of the journal",),
            steps=(slowest, *looked_into),
        )
    ]
