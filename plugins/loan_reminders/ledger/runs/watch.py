"""Days without a green run, for the DAG that watches over the others."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from sqlalchemy import Connection, text

from loan_reminders.domain.runs.watched_days import WatchedDay
from loan_reminders.domain.stages import Stage
from loan_reminders.ledger.runs.waiting import ASKS_OR_PRINTS

# A day counts from the stage's first green one on, or when a run for it was begun: a new installation misses nothing.
_WATCHED = text(f"""
    WITH known AS MATERIALIZED (
        SELECT run_id, stage, reference_date AS day, balanced, dag_run_id, started_at, closed_at, loans_extracted
        FROM runs
        WHERE library = :library AND reference_date BETWEEN CAST(:since AS date) AND CAST(:until AS date)
          AND NOT dry_run AND kind = 'daily' AND stage = ANY(CAST(:stages AS text[]))
    ), expected AS (
        SELECT asked.stage, CAST(ticked AS date) AS day
        FROM unnest(CAST(:stages AS text[])) AS asked(stage)
        CROSS JOIN LATERAL (
            SELECT reference_date AS day FROM runs
            WHERE library = :library AND stage = asked.stage AND balanced AND NOT dry_run AND kind = 'daily'
            ORDER BY reference_date LIMIT 1
        ) AS first
        CROSS JOIN LATERAL generate_series(
            greatest(first.day, CAST(:since AS date)), CAST(:until AS date), interval '1 day'
        ) AS ticked
        UNION
        SELECT stage, day FROM known
        EXCEPT
        SELECT stage, day FROM known WHERE balanced
    )
    SELECT expected.stage, expected.day, newest.dag_run_id, newest.started_at, newest.closed_at, newest.run_id,
           newest.loans_extracted IS NOT NULL AS read,
           EXISTS (SELECT FROM letter_batches batch WHERE batch.run_id = newest.run_id AND {ASKS_OR_PRINTS}) AS asking
    FROM expected LEFT JOIN LATERAL (
        SELECT * FROM known WHERE known.stage = expected.stage AND known.day = expected.day
        ORDER BY run_id DESC LIMIT 1
    ) AS newest ON true
    ORDER BY expected.stage, expected.day
""")  # noqa: S608 - the piece is this project's own


def days_to_watch(
    connection: Connection, library: str, since: date, until: date, stages: Collection[Stage]
) -> Sequence[WatchedDay]:
    """Days of these stages, from one to another, both included, that have no green run."""
    asked = {"library": library, "since": since, "until": until, "stages": [stage.value for stage in stages]}
    rows = connection.execute(_WATCHED, asked)
    return tuple(
        WatchedDay(
            stage=Stage(row.stage),
            day=row.day,
            dag_run_id=row.dag_run_id or "",
            started_at=row.started_at,
            closed=row.closed_at is not None,
            asking=row.asking,
            run_id=row.run_id,
            read=row.read,
        )
        for row in rows
    )
