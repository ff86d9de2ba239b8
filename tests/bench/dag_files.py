"""How long Airflow takes to read a DAG file, by its own watch, each time in a fresh process."""

from __future__ import annotations

import json
import os
from pathlib import Path

from tests.bench.clock import Clock


def read_dag_files(clock: Clock, *, files: list[str], rounds: int) -> dict[str, list[float]]:
    """Seconds of each file, `rounds` times each, as `DagBag` reports them.

    As in Airflow's DAG processor, a process that has imported `airflow.sdk`, and has told the plugins' listeners that
    it starts, forks one for each file. With a clock that looks into it, this process itself reads the first file, once.
    """
    import airflow.dag_processing.dagbag  # noqa: F401 - the processor has it at hand, too
    from airflow.listeners.listener import get_listener_manager

    get_listener_manager().hook.on_starting(component=None)  # as `airflow.jobs.job.Job` does (Airflow 3.3)

    if clock.sampler is not None:
        with clock:
            return {files[0]: [_read(Path(files[0]))]}
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
    if bag.import_errors:
        raise RuntimeError(str(bag.import_errors))
    return float(bag.dagbag_stats[0].duration.total_seconds())
