"""What SMS cost is in euros, as the provider told them; segments of which it told none are counted apart.

Revision: 0033. Before, the cost was credits under one API of the provider and euros under the other. A French segment
takes 15 credits and none costs a euro, so a cost of a euro a segment or more was credits: it becomes nothing, and its
segments are unpriced. Counters are made again of the messages they count, as far as these are there; of what was
removed only sums are known, and are told apart as sums. No table is held: some runs at a time, each statement alone.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

PAGE = 200
COUNTS = ("message_counters", "removed_messages")
RUNS = "SELECT run_id FROM runs ORDER BY run_id"
UNDER_WAY = "SELECT run_id FROM runs WHERE started_at > now() - interval '10 days' ORDER BY run_id"
OF_RUNS = "run_id = ANY(CAST(:runs AS bigint[]))"
MESSAGES = f"""
    UPDATE deliveries SET cost = 0
    WHERE {OF_RUNS} AND channel = 'sms' AND cost > 0 AND cost >= segments
"""  # noqa: S608 - the pieces are this module's own
SUMS = f"""
    UPDATE {{table}} SET cost = 0, unpriced = segments
    WHERE {OF_RUNS} AND channel = 'sms' AND unpriced = 0 AND segments > 0 AND (cost = 0 OR cost >= segments)
"""  # noqa: S608 - as above
COUNTED = f"""
    UPDATE message_counters counted SET cost = told.cost, unpriced = told.unpriced
    FROM (
        SELECT run_id, moment, branch, category, sum(cost) AS cost, sum(unpriced) AS unpriced
        FROM (
            SELECT delivery.run_id,
                   date_bin('15 minutes', delivery.claimed_at, timestamptz '2000-01-01 00:00Z') AS moment,
                   coalesce(notice.branch, reader.branch, '') AS branch,
                   coalesce(notice.category, reader.category, 'other') AS category,
                   delivery.cost, CASE WHEN delivery.cost = 0 THEN delivery.segments ELSE 0 END AS unpriced
            FROM deliveries delivery JOIN notices notice ON notice.notice_id = delivery.notice_id
            LEFT JOIN LATERAL (
                SELECT seen.record ->> 'branch' AS branch, seen.record -> 'patron' ->> 'category' AS category
                FROM loans_seen seen
                WHERE seen.run_id = notice.run_id AND seen.loan_id = notice.loan_ids[1]
                  AND seen.due_date = notice.due_date
            ) AS reader ON true
            WHERE delivery.{OF_RUNS} AND delivery.channel = 'sms' AND delivery.claimed_at IS NOT NULL
              AND delivery.state IN ('accepted', 'delivered', 'bounced', 'in_doubt', 'claimed')
            UNION ALL
            SELECT run_id, moment, branch, category, cost, unpriced FROM removed_messages
            WHERE {OF_RUNS} AND channel = 'sms'
        ) AS sms
        GROUP BY run_id, moment, branch, category
    ) AS told
    WHERE counted.run_id = told.run_id AND counted.moment = told.moment AND counted.channel = 'sms'
      AND counted.branch = told.branch AND counted.category = told.category
      AND NOT EXISTS (SELECT FROM counted_runs WHERE run_id = counted.run_id AND frozen)
"""  # noqa: S608 - as above
REMOVED_BOOKS = (
    f"""
    INSERT INTO removed_books (library, run_id, measure, kind, number)
    SELECT library, run_id, 'unpriced', '', number FROM removed_books sent
    WHERE {OF_RUNS} AND measure = 'segments' AND NOT EXISTS (
        SELECT FROM removed_books paid
        WHERE paid.run_id = sent.run_id AND paid.measure = 'cost' AND paid.number < sent.number
    )
    ON CONFLICT DO NOTHING
    """,  # noqa: S608 - as above
    f"""
    DELETE FROM removed_books paid USING removed_books sent
    WHERE paid.{OF_RUNS} AND paid.measure = 'cost'
      AND sent.run_id = paid.run_id AND sent.measure = 'segments' AND paid.number >= sent.number
    """,  # noqa: S608 - as above
)
BOOKS = f"""
    UPDATE runs SET books = books || jsonb_build_object(
        'cost', CASE WHEN cost < segments THEN cost ELSE 0 END,
        'unpriced', CASE WHEN cost > 0 AND cost < segments THEN 0 ELSE segments END
    )
    FROM (
        SELECT run_id AS closed, CAST(books ->> 'segments' AS numeric) AS segments,
               CAST(books ->> 'cost' AS numeric) AS cost
        FROM runs WHERE {OF_RUNS} AND books ? 'cost' AND NOT books ? 'unpriced'
    ) AS said
    WHERE run_id = closed
"""  # noqa: S608 - as above
STATEMENTS = (MESSAGES, *(SUMS.format(table=table) for table in COUNTS), COUNTED, *REMOVED_BOOKS, BOOKS)


def upgrade() -> None:
    # Whoever is cut short begins again: what is done already is found to be so.
    with op.get_context().autocommit_block():
        for table in COUNTS:
            op.execute(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS unpriced integer NOT NULL DEFAULT 0")
        _tell_apart(RUNS)
    # Again, and in one with the number of the revision: what the program before has recorded meanwhile.
    _tell_apart(UNDER_WAY)


def _tell_apart(which: str) -> None:
    connection = op.get_bind()
    runs = connection.execute(sa.text(which)).scalars().all()
    for first in range(0, len(runs), PAGE):
        for statement in STATEMENTS:
            connection.execute(sa.text(statement), {"runs": runs[first : first + PAGE]})


def downgrade() -> None:
    # The credits of before are not known any more: to the older program these SMS cost nothing that was told.
    op.execute("DELETE FROM removed_books WHERE measure = 'unpriced'")  # the program before stumbles over it
    op.execute("UPDATE runs SET books = books - 'unpriced' WHERE books ? 'unpriced'")
    for table in COUNTS:
        op.drop_column(table, "unpriced")
