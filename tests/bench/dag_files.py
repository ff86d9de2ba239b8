"""How long Airflow takes to read a DAG file, by its own watch, each time in a fresh process."""

from __future__ import annotations

import json
import os
from pathlib import Path

from tests.bench.clock import Clock


def read_dag_files(clock: Clock, *, files: list[str], rounds: int) -> dict[str, list[float]]:
    """Seconds of each file, `rounds` times each, as `DagBag` reports them.

    As in Airflow's DAG processor, a process that has imported `airflow.sdk` forks one for each file.
    """
    import airflow.dag_processing.dagbag  # noqa: F401 - the processor has it at hand, too

    return {file: [_in_a_fork(file) for _ in range(rounds)] for file in files}


def _in_a_fork(file: str) -> float:
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.write(writing, json.dumps(_read(Path(file))).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        said = answer.read()
    os.waitpid(child, 0)
    if not said:
        raise RuntimeError(f"{Path(file).name} could not be read")
    return float(json.loads(said))


def _read(file: Path) -> float:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(dag_folder=str(file), collect_dags=True)
    if bag.import_errors or not bag.dags:
        raise RuntimeError(str(bag.import_errors))
    return float(bag.dagbag_stats[0].duration.total_seconds())
