"""What SMS cost, in segments and in the euros that the provider told, and which numbers had one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, text

from loan_reminders.domain.stages import PatronCategory, Stage
from loan_reminders.ledger.tables.sms import PAID

_SEGMENTS_SINCE = text(f"""
    SELECT coalesce(sum(greatest(segments, 1)), 0) FROM deliveries
    WHERE library = :library AND channel = 'sms' AND claimed_at >= :since AND state IN {PAID}
""")  # noqa: S608 - the list is this module's own
_NUMBERS_SINCE = text(f"""
    SELECT DISTINCT recipient FROM deliveries
    WHERE library = :library AND channel = 'sms' AND claimed_at >= :since AND state IN {PAID}
""")  # noqa: S608 - the list is this module's own
# Of what was removed there are counts of its SMS and of what they cost; of a run of which loans were removed before
# that was kept, its counters, its SMS being those that were attempted.
_COSTS = text(f"""
    SELECT day, stage, category, CAST(sum(sms) AS bigint) AS sms, sum(segments) AS segments, sum(cost) AS cost,
           sum(unpriced) AS unpriced
    FROM (
    SELECT CAST(delivery.claimed_at AT TIME ZONE :zone AS date) AS day, delivery.stage,
           coalesce(notice.category, reader.category, 'other') AS category,
           count(*) AS sms, sum(delivery.segments) AS segments, sum(delivery.cost) AS cost,
           coalesce(sum(delivery.segments) FILTER (WHERE delivery.cost = 0), 0) AS unpriced
    FROM deliveries delivery JOIN notices notice USING (notice_id)
    LEFT JOIN LATERAL (
        SELECT seen.record -> 'patron' ->> 'category' AS category FROM loans_seen seen
        WHERE seen.run_id = notice.run_id AND seen.loan_id = notice.loan_ids[1] AND seen.due_date = notice.due_date
    ) AS reader ON true
    WHERE delivery.library = :library AND delivery.channel = 'sms' AND delivery.state IN {PAID}
      AND delivery.claimed_at >= timezone(:zone, CAST(CAST(:first AS date) AS timestamp))
      AND delivery.claimed_at < timezone(:zone, CAST(CAST(:last AS date) + 1 AS timestamp))
      AND NOT EXISTS (SELECT FROM counted_runs WHERE run_id = delivery.run_id AND frozen OFFSET 0)
    GROUP BY 1, 2, 3
    UNION ALL
    SELECT CAST(counted.moment AT TIME ZONE :zone AS date), counted.stage, counted.category, counted.sms,
           counted.segments, counted.cost, counted.unpriced
    FROM (
        SELECT moment, stage, channel, category, told + failed + in_doubt AS sms, segments, cost, unpriced
        FROM message_counters message JOIN counted_runs run USING (run_id)
        WHERE message.library = :library AND run.frozen
        UNION ALL
        SELECT moment, stage, channel, category, sms, segments, cost, unpriced
        FROM removed_messages gone WHERE gone.library = :library AND NOT EXISTS (
            SELECT FROM counted_runs WHERE run_id = gone.run_id AND frozen OFFSET 0
        )
    ) AS counted
    WHERE counted.channel = 'sms'
      AND counted.moment >= timezone(:zone, CAST(CAST(:first AS date) AS timestamp))
      AND counted.moment < timezone(:zone, CAST(CAST(:last AS date) + 1 AS timestamp))
    ) AS costs
    GROUP BY day, stage, category ORDER BY day, stage, category
""")  # noqa: S608 - the list is this module's own


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsCost:
    """What one stage's SMS to one category of readers cost on one day.

    `cost` is what the provider told, in euros; of the segments, it told no price for `unpriced`.
    """

    day: date
    stage: Stage
    category: PatronCategory
    sms: int
    segments: int
    cost: float
    unpriced: int


def segments_since(connection: Connection, library: str, since: datetime) -> int:
    """Segments of the SMS that left, or may have left, since a moment; one in doubt counts as sent."""
    return int(connection.execute(_SEGMENTS_SINCE, {"library": library, "since": since}).scalar_one())


def numbers_texted_since(connection: Connection, library: str, since: datetime) -> frozenset[str]:
    """The numbers that were, or may have been, written to since a moment."""
    return frozenset(connection.execute(_NUMBERS_SINCE, {"library": library, "since": since}).scalars())


def costs(connection: Connection, library: str, *, first: date, last: date, zone: str) -> Sequence[SmsCost]:
    """What SMS cost from one day to another, both included, days being those of the library's zone."""
    parameters = {"library": library, "first": first, "last": last, "zone": zone}
    return tuple(
        SmsCost(
            day=row.day,
            stage=Stage(row.stage),
            category=PatronCategory(row.category),
            sms=row.sms,
            segments=int(row.segments),
            cost=float(row.cost),
            unpriced=int(row.unpriced),
        )
        for row in connection.execute(_COSTS, parameters)
    )
