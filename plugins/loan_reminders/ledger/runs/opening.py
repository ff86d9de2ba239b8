"""Begin a run, or begin again one that never finished reading the ILS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from loan_reminders.domain.ports.outside import Run
from loan_reminders.domain.stages import Stage
from loan_reminders.ledger.runs.history import as_run
from loan_reminders.ledger.tables import RunState, loans_seen, runs, skips


def open_run(connection: Connection, library: str, *, stage: Stage, dag_run_id: str, values: Mapping[str, Any]) -> Run:
    """The unfinished run of this DAG run afresh, under its number, or else the next attempt of this DAG run.

    `values` are the columns `reference_date`, `due_date`, `today` and `dry_run`. Two processes that open the same
    DAG run come one after the other.
    """
    name = f"reminders run {library} {stage.value} {dag_run_id}"
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))
    newest = connection.execute(
        select(runs.c.run_id, runs.c.attempt, runs.c.loans_extracted)
        .where(runs.c.library == library, runs.c.stage == stage.value, runs.c.dag_run_id == dag_run_id)
        .order_by(runs.c.attempt.desc())
        .limit(1)
        .with_for_update(key_share=True)
    ).first()
    if newest is not None and newest.loans_extracted is None:
        for table in (loans_seen, skips):
            connection.execute(delete(table).where(table.c.run_id == newest.run_id))
        again = (
            update(runs)
            .where(runs.c.run_id == newest.run_id)
            .values(rows_read=0, reading=None, started_at=func.now(), state=RunState.EXTRACTING.value, **values)
        )
        return as_run(connection.execute(again.returning(runs)).one())
    attempt = 1 if newest is None else newest.attempt + 1
    first = insert(runs).values(library=library, stage=stage.value, dag_run_id=dag_run_id, attempt=attempt, **values)
    return as_run(connection.execute(first.returning(runs)).one())
