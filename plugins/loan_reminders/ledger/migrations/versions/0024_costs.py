"""Letters by their length, and SMS that did not leave, counted by run: what costs are worked out of.

Revision: 0024. New tables, filled from what the ledger still holds of the runs that are counted already. Of a run of
which loans were removed before, nothing can be counted any more.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

NAMED_LIKE_A_STAGE = "stage ~ '^[a-z][a-z0-9]*(_[a-z0-9]+)*$'"

QUARTER = "date_bin('15 minutes', {moment}, timestamptz '2000-01-01 00:00Z')"
MOMENT = QUARTER.format(moment="coalesce(delivery.claimed_at, delivery.answered_at, run.started_at)")
STARTED = QUARTER.format(moment="run.started_at")
WHY = "('opted_out', 'dead_number')"
OF_AN_SMS = "({skip}.slot = 'sms' OR {skip}.slot IS NULL AND strpos({skip}.detail, 'sms') > 0)"
OF_RUNS = "EXISTS (SELECT FROM counted_runs counted WHERE counted.run_id = run.run_id AND NOT counted.frozen)"
LETTERS = f"""
    INSERT INTO letter_counters (library, run_id, moment, stage, channel, pages, printed, posted)
    SELECT delivery.library, delivery.run_id, {MOMENT}, delivery.stage, delivery.channel,
           letter.last_page - letter.first_page + 1, count(*),
           count(*) FILTER (WHERE delivery.channel = 'letter' OR registered.posted_on IS NOT NULL)
    FROM runs run
    JOIN deliveries delivery ON delivery.run_id = run.run_id AND delivery.channel IN ('letter', 'registered_letter')
    JOIN letters letter ON letter.delivery_id = delivery.delivery_id AND letter.left_out IS NULL
    JOIN letter_batches batch ON batch.batch_id = letter.batch_id AND batch.state = 'printed'
    LEFT JOIN registered_letters registered ON registered.delivery_id = delivery.delivery_id
    WHERE {OF_RUNS}
    GROUP BY 1, 2, 3, 4, 5, 6
"""  # noqa: S608 - the pieces are this module's own
SPARED = f"""
    INSERT INTO spared_counters (library, run_id, moment, stage, reason, sms)
    SELECT library, run_id, {STARTED}, stage, reason, count(*)
    FROM (
        SELECT run.library, run.run_id, run.started_at, run.stage, run.due_date AS day, skip.due_date, skip.patron_id,
               skip.reason
        FROM runs run JOIN skips skip ON skip.run_id = run.run_id
        WHERE {OF_RUNS} AND skip.reason IN {WHY} AND {OF_AN_SMS.format(skip="skip")}
        UNION
        SELECT run.library, run.run_id, run.started_at, run.stage, run.due_date, notice.due_date, notice.patron_id,
               delivery.reason
        FROM runs run JOIN deliveries delivery ON delivery.run_id = run.run_id
        JOIN notices notice ON notice.notice_id = delivery.notice_id
        WHERE {OF_RUNS} AND delivery.channel = 'sms' AND delivery.state = 'cancelled' AND delivery.reason IN {WHY}
    ) AS run
    WHERE NOT EXISTS (
        SELECT FROM runs later JOIN skips again ON again.run_id = later.run_id
        WHERE later.library = run.library AND later.stage = run.stage AND later.due_date = run.day
          AND later.run_id > run.run_id AND NOT later.dry_run AND again.library = run.library
          AND again.patron_id = run.patron_id
          AND again.due_date = run.due_date AND again.reason IN {WHY} AND {OF_AN_SMS.format(skip="again")} OFFSET 0
    )
    GROUP BY library, run_id, started_at, stage, reason
"""  # noqa: S608 - the pieces are this module's own


def upgrade() -> None:
    op.create_table(
        "letter_counters",
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("moment", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("printed", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("posted", sa.Integer(), nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("run_id", "moment", "channel", "pages", name="letter_counters_pkey"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name="letter_counters_run_id_fkey"),
        sa.CheckConstraint(NAMED_LIKE_A_STAGE, name=op.f("letter_counters_stage_check")),
        sa.CheckConstraint("channel IN ('letter', 'registered_letter')", name=op.f("letter_counters_channel_check")),
    )
    op.create_index("letter_counters_by_moment", "letter_counters", ["library", "moment"])
    op.create_table(
        "spared_counters",
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("moment", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("sms", sa.Integer(), nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("run_id", "reason", name="spared_counters_pkey"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name="spared_counters_run_id_fkey"),
        sa.CheckConstraint(NAMED_LIKE_A_STAGE, name=op.f("spared_counters_stage_check")),
        sa.CheckConstraint("reason IN ('opted_out', 'dead_number')", name=op.f("spared_counters_reason_check")),
    )
    op.create_index("spared_counters_by_moment", "spared_counters", ["library", "moment"])
    op.execute(LETTERS)
    op.execute(SPARED)


def downgrade() -> None:
    op.drop_table("spared_counters")
    op.drop_table("letter_counters")
