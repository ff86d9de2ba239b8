"""What earlier runs did: their volumes, the days that have none, and what left about the same loans."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, text

from loan_reminders.domain.letters.batches import EarlierReminder
from loan_reminders.domain.ports.outside import Run
from loan_reminders.domain.runs.to_do import STANDS_STILL_AFTER
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.ledger.runs.waiting import ASKS_OR_PRINTS

_PAST_VOLUMES = text("""
    SELECT run.run_id, delivery.channel, count(delivery.delivery_id) AS number
    FROM (
        SELECT run_id, closed_at FROM runs
        WHERE library = :library AND stage = :stage AND run_id <> :run_id AND balanced AND NOT dry_run
          AND kind = 'daily' AND deliveries_planned > 0
        ORDER BY closed_at DESC LIMIT :runs
    ) AS run LEFT JOIN deliveries delivery USING (run_id)
    GROUP BY run.run_id, run.closed_at, delivery.channel
    ORDER BY run.closed_at DESC
""")
_MISSED_DAYS = text(f"""
    WITH green AS (
        SELECT DISTINCT reference_date FROM runs
        WHERE library = :library AND stage = :stage AND balanced AND NOT dry_run AND kind = 'daily'
    ), asking AS (
        SELECT DISTINCT run.reference_date FROM runs run JOIN letter_batches batch USING (run_id)
        WHERE run.library = :library AND run.stage = :stage AND {ASKS_OR_PRINTS}
    ), going_on AS (
        SELECT reference_date FROM runs
        WHERE library = :library AND stage = :stage AND NOT dry_run AND kind = 'daily' AND state <> 'closed'
          AND started_at > now() - CAST(:sound AS interval)
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
    WHERE CAST(day AS date) NOT IN (
        SELECT reference_date FROM green UNION SELECT reference_date FROM asking
        UNION SELECT reference_date FROM going_on
    )
    ORDER BY day
""")  # noqa: S608 - the piece is this project's own

# A letter has left once its batch was printed: until then nobody was written to, however long ago it was laid out.
_EARLIER = text("""
    SELECT DISTINCT asked.delivery_id, sent.stage, sent.channel, sent.left_on
    FROM delivery_loans asked
    CROSS JOIN LATERAL (
        SELECT delivery.stage, delivery.channel,
               CAST(timezone(:zone, CASE WHEN delivery.channel IN ('letter', 'registered_letter') THEN batch.printed_at
                                         ELSE delivery.claimed_at END) AS date) AS left_on
        FROM delivery_loans held JOIN deliveries delivery USING (delivery_id)
        LEFT JOIN letter_batches batch ON batch.batch_id = delivery.batch_id
        WHERE held.library = :library AND held.loan_id = asked.loan_id AND held.due_date = asked.due_date
          AND held.live AND held.dropped IS NULL AND delivery.delivery_id <> asked.delivery_id
          AND delivery.state IN ('accepted', 'delivered') AND (NOT delivery.redirected OR :trial)
        OFFSET 0
    ) AS sent
    WHERE asked.delivery_id = ANY(CAST(:delivery_id AS uuid[])) AND asked.library = :library
      AND asked.dropped IS NULL AND sent.left_on IS NOT NULL
    ORDER BY sent.left_on, sent.stage, sent.channel
""")


_UNFINISHED = text("""
    SELECT * FROM runs
    WHERE library = :library AND stage = :stage AND run_id < :run_id AND NOT dry_run AND kind = 'daily'
      AND NOT coalesce(balanced, false)
      AND started_at > now() - interval '31 days'
    ORDER BY run_id
""")


def as_run(row: Row[Any]) -> Run:
    """A run, out of its row."""
    return Run(
        run_id=row.run_id,
        stage=Stage(row.stage),
        reference_date=row.reference_date,
        due_date=row.due_date,
        today=row.today,
        dry_run=row.dry_run,
        planned=row.planned_at is not None,
        closed_at=row.closed_at,
    )


def unfinished_runs(connection: Connection, library: str, run: Run) -> Sequence[Run]:
    """The stage's runs of the last month, begun before this one, that never came to a green end."""
    asked = {**_scope(library, run), "run_id": run.run_id}
    return tuple(as_run(row) for row in connection.execute(_UNFINISHED, asked))


def past_volumes(connection: Connection, library: str, run: Run, runs: int) -> Sequence[Mapping[Channel, int]]:
    """Deliveries by channel of the stage's last green runs that had any, the newest first."""
    found: dict[int, dict[Channel, int]] = {}
    for row in connection.execute(_PAST_VOLUMES, {**_scope(library, run), "run_id": run.run_id, "runs": runs}):
        volumes = found.setdefault(row.run_id, {})
        if row.channel is not None:
            volumes[Channel(row.channel)] = row.number
    return tuple(found.values())


def missed_days(connection: Connection, library: str, run: Run, within_days: int) -> Sequence[date]:
    """Days before the run's own without a green run of its stage; none before the first green one.

    A day whose letters wait for a librarian's approval is not missed, nor one whose run may still go on.
    """
    parameters = {
        **_scope(library, run),
        "until": run.reference_date,
        "within": within_days,
        "sound": STANDS_STILL_AFTER,
    }
    return tuple(connection.execute(_MISSED_DAYS, parameters).scalars())


def earlier_reminders(
    connection: Connection, library: str, delivery_ids: Sequence[uuid.UUID], zone: str, *, trial: bool
) -> Mapping[uuid.UUID, tuple[EarlierReminder, ...]]:
    """What left before about the loans of these deliveries, in the same cycle, oldest first.

    What was refused, bounced, cancelled or is in doubt did not reach the reader and is not sent; nor was a letter that
    nobody printed yet, nor what was redirected, but for the letters of a `trial`, which show how they would look.
    """
    parameters = {"library": library, "delivery_id": list(delivery_ids), "zone": zone, "trial": trial}
    found: dict[uuid.UUID, list[EarlierReminder]] = {}
    for row in connection.execute(_EARLIER, parameters):
        reminder = EarlierReminder(stage=Stage(row.stage), channel=Channel(row.channel), left_on=row.left_on)
        found.setdefault(row.delivery_id, []).append(reminder)
    return {delivery_id: tuple(reminders) for delivery_id, reminders in found.items()}


def _scope(library: str, run: Run) -> dict[str, Any]:
    return {"library": library, "stage": run.stage.value}
