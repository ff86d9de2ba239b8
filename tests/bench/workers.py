"""Two workers that share the e-mails of one run, beside one that sends them all, to a server that is 20 ms away.

A worker is a process with the real operator, its hooks and settings, as Airflow's task runner starts one: what Celery
takes to hand out two tasks, some tenths of a second, is left out.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

from loan_reminders.domain.email.share import Share
from loan_reminders.domain.stages import Stage
from tests.bench.bed import Bed, Measured
from tests.bench.report import Figure

LATENCY_S = 0.02
EACH = 8
"""SMTP connections of a worker, the usual setting: a second worker brings as many again."""


def two_workers(bed: Bed) -> list[Figure]:
    """E-mails a second of two workers, each with its own connections, against those of one."""
    notices, fewer = bed.sizes.far_mails, bed.sizes.far_mails // 3
    port = {"mail": bed._serve("far", "tests.simulators.smtp_sink", "--discard", "--latency", str(LATENCY_S))}
    one = _rate(_sent(bed, port, notices=notices, workers=1, connections=EACH), notices)
    two = _rate(_sent(bed, port, notices=notices, workers=2, connections=2 * EACH), notices)
    alone = _rate(_sent(bed, port, notices=fewer, workers=1, connections=2 * EACH), fewer)
    [looked_into, _] = _sent(bed, port, notices=fewer, workers=2, connections=2 * EACH, profile=True)
    return [
        Figure(
            name="two_workers",
            value=two,
            unit="mails/s",
            baseline=one,
            remarks=(
                f"{notices} e-mails of one run in two shares, two processes of the real task with {EACH} connections"
                f" each, to a server whose every answer takes {1000 * LATENCY_S:.0f} ms",
                f"baseline: one process, {EACH} connections: a message is two answers, so no more than"
                f" {EACH / (2 * LATENCY_S):.0f} mails/s",
                f"one process with all {2 * EACH} connections: {alone:.0f} mails/s; where connections are what limits,"
                " a second worker is worth what it may open",
            ),
            steps=tuple(looked_into.steps),
        )
    ]


def _rate(sent: list[Measured], notices: int) -> float:
    """E-mails a second, the slower of these processes having the last word."""
    return notices / max(one.seconds for one in sent)


def _sent(
    bed: Bed, ports: dict[str, int], *, notices: int, workers: int, connections: int, **how: bool
) -> list[Measured]:
    """What so many processes took to send a run together, the library having so many connections."""
    stage, today, ledger = Stage.COURTESY_NOTICE.value, bed.today.isoformat(), bed.ledger()
    rows = {"readers": notices, "email": True}
    made = bed.task("generate", ledger=ledger, stage=stage, today=today, **rows)
    usual, path = bed._config, bed.folder / f"library-{connections}-connections.toml"
    text, found = re.subn(r"(?m)^connections = \d+", f"connections = {connections}", usual.read_text(encoding="utf-8"))
    if found != 1:
        raise SystemExit("library.toml has no line for connections")
    path.write_text(text, encoding="utf-8")
    asked = {"task": "SendEmails", "stage": stage, "today": today, "run_id": made.result["run_id"]}
    parts = [Share(number=number, of=workers).numbers() for number in range(1, workers + 1)]
    bed._config = path
    try:
        with ThreadPoolExecutor(workers) as pool:
            sent = list(
                pool.map(
                    lambda part: bed.task(
                        "run_task", ledger=ledger, ports=ports, rows=rows, share=part, **asked, **how
                    ),
                    parts,
                )
            )
    finally:
        bed._config = usual
        bed.drop(ledger)
    if sum(one.result.get("accepted", 0) for one in sent) != notices:
        raise SystemExit(f"of {notices}: {[one.result for one in sent]}")
    return sent
