"""Says when each DAG's runs fall, as Airflow's scheduler works it out, in a process with settings of its own.

    python -m tests.scenes.schedules 4 2026-03-27T12:00:00+01:00 2026-10-23T12:00:00+02:00

For each DAG, the next four ticks after each moment: the logical date, and when the run may begin. Airflow reads its
settings when it is imported, so that each set of them needs a process.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import pendulum


def ticks(dag: Any, since: pendulum.DateTime, count: int) -> list[dict[str, str]]:
    """The ticks of a DAG as the scheduler reads it from the database, one after the other."""
    from airflow.timetables.base import DataInterval, TimeRestriction

    restriction = TimeRestriction(earliest=since, latest=None, catchup=True)
    found, last = [], None
    while len(found) < count:
        info = dag.timetable.next_dagrun_info(last_automated_data_interval=last, restriction=restriction)
        last = DataInterval(info.data_interval.start, info.data_interval.end)
        found.append({"logical_date": str(info.logical_date), "run_after": str(info.run_after)})
    return found


def main() -> None:
    from airflow.dag_processing.dagbag import DagBag
    from airflow.serialization.serialized_objects import DagSerialization

    from loan_reminders.settings.library_toml import ROOT

    count, moments = int(sys.argv[1]), [pendulum.parse(moment) for moment in sys.argv[2:]]
    bag = DagBag(dag_folder=str(ROOT / "dags"), collect_dags=True)
    if bag.import_errors:
        raise SystemExit(str(bag.import_errors))
    said = {}
    for dag_id, read in bag.dags.items():
        stored = json.loads(json.dumps(DagSerialization.to_dict(read)))
        dag = DagSerialization.from_dict(stored)
        said[dag_id] = {
            "catchup": dag.catchup,
            "zone": str(dag.timezone),
            "ticks": [ticks(dag, one, count) for one in moments],
        }
    sys.stdout.write(f"{json.dumps(said)}\n")


if __name__ == "__main__":
    main()
