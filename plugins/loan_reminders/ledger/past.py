"""What earlier runs of a stage did: their volumes, and the days that have none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, text

from loan_reminders.domain.ports import Run
from loan_reminders.domain.stages import Channel

_PAST_VOLUMES = text("""
    SELECT run.run_id, delivery.channel, count(delivery.delivery_id) AS number
    FROM (
        SELECT run_id, closed_at FROM runs
        WHERE library = :library AND stage = :stage AND run_id <> :run_id AND balanced AND NOT dry_run
          AND deliveries_planned > 0
        ORDER BY closed_at DESC LIMIT :runs
    ) AS run LEFT JOIN deliveries delivery USING (run_id)
    GROUP BY run.run_id, run.closed_at, delivery.channel
    ORDER BY run.closed_at DESC
""")
_MISSED_DAYS = text("""
    WITH green AS (
        SELECT DISTINCT reference_date FROM runs
        WHERE library = :library AND stage = :stage AND balanced AND NOT dry_run
    )
    SELECT CAST(day AS date) AS day
    FROM generate_series(
        greatest(
            coalesce((SELECT min(reference_date) FROM green), CAST(:until AS date)),
            CAST(:until AS date) - CAST(:within AS integer)
        ),
        CAST(:until AS date) - 1,
        interval '1 day'
    ) AS day
    WHERE CAST(day AS date) NOT IN (SELECT reference_date FROM green)
    ORDER BY day
""")


def past_volumes(connection: Connection, library: str, run: Run, runs: int) -> Sequence[Mapping[Channel, int]]:
    """Deliveries by channel of the stage's last green runs that had any, the newest first."""
    found: dict[int, dict[Channel, int]] = {}
    for row in connection.execute(_PAST_VOLUMES, {**_scope(library, run), "run_id": run.run_id, "runs": runs}):
        volumes = found.setdefault(row.run_id, {})
        if row.channel is not None:
            volumes[Channel(row.channel)] = row.number
    return tuple(found.values())


def missed_days(connection: Connection, library: str, run: Run, within_days: int) -> Sequence[date]:
    """Days before the run's own without a green run of its stage; none before the first green one."""
    parameters = {**_scope(library, run), "until": run.reference_date, "within": within_days}
    return tuple(connection.execute(_MISSED_DAYS, parameters).scalars())


def _scope(library: str, run: Run) -> dict[str, Any]:
    return {"library": library, "stage": run.stage.value}
