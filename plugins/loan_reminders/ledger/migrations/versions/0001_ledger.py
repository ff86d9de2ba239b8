"""The first ledger: runs, loans seen, skips, notices, deliveries, claims, receipts, letter batches.

Revision: 0001.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

STAGES = "'courtesy_notice', 'overdue_notice', 'first_reminder', 'second_reminder', 'registered_letter'"
STATES = "'planned', 'claimed', 'accepted', 'delivered', 'cancelled', 'refused', 'bounced', 'in_doubt', 'failed'"
REASONS = (
    "'dry_run', 'returned', 'renewed', 'superseded', 'expired', 'not_approved', 'invalid_recipient',"
    " 'recipient_refused', 'recipient_deferred', 'message_refused', 'not_rendered', 'text_too_long', 'no_answer',"
    " 'unreadable_answer', 'interrupted', 'not_sent', 'retries_exhausted'"
)
SKIP_REASONS = (
    "'already_sent', 'superseded', 'expired', 'not_yet_due', 'opted_out', 'invalid_recipient', 'no_recipient',"
    " 'not_eligible', 'returned', 'renewed', 'invalid_row', 'duplicate_row'"
)
SLOTS = "'written', 'sms'"
CHANNELS = "'email', 'sms', 'letter', 'registered_letter'"

MAY_MOVE = """
CREATE FUNCTION reminders_may_move(old_state text, new_state text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
SELECT (old_state, new_state) IN (
    ('planned', 'claimed'), ('planned', 'cancelled'), ('planned', 'refused'), ('planned', 'failed'),
    ('claimed', 'planned'), ('claimed', 'accepted'), ('claimed', 'refused'), ('claimed', 'in_doubt'),
    ('claimed', 'failed'),
    ('in_doubt', 'claimed'), ('in_doubt', 'accepted'), ('in_doubt', 'delivered'), ('in_doubt', 'refused'),
    ('in_doubt', 'bounced'), ('in_doubt', 'cancelled'),
    ('accepted', 'delivered'), ('accepted', 'bounced')
)
$$
"""
CHECK_MOVE = """
CREATE FUNCTION reminders_check_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT reminders_may_move(OLD.state, NEW.state) THEN
        RAISE EXCEPTION 'a delivery may not go from % to %', OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'deliveries_move_check', TABLE = 'deliveries';
    END IF;
    RETURN NEW;
END
$$
"""
FREE_SLOT = """
CREATE FUNCTION reminders_free_slot() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE delivery_loans SET live = false WHERE delivery_id = NEW.delivery_id AND live;
    RETURN NULL;
END
$$
"""
CHECK_MOVE_TRIGGER = """
CREATE TRIGGER deliveries_check_move BEFORE UPDATE ON deliveries
FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION reminders_check_move()
"""
FREE_SLOT_TRIGGER = """
CREATE TRIGGER deliveries_free_slot AFTER UPDATE ON deliveries
FOR EACH ROW WHEN (
    OLD.state IS DISTINCT FROM NEW.state AND NEW.state IN ('cancelled', 'refused', 'bounced', 'failed')
) EXECUTE FUNCTION reminders_free_slot()
"""


def upgrade() -> None:
    op.create_table(
        "runs",
        sa.Column("run_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("reference_date", sa.Date(), nullable=False),
        sa.Column("due_date", sa.Date(), nullable=False),
        sa.Column("today", sa.Date(), nullable=False),
        sa.Column("dag_run_id", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, server_default="extracting"),
        sa.Column("rows_read", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("loans_extracted", sa.Integer()),
        sa.Column("deliveries_planned", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("books", postgresql.JSONB()),
        sa.Column("balanced", sa.Boolean()),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.Column("planned_at", sa.DateTime(timezone=True)),
        sa.Column("closed_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("run_id", name="runs_pkey"),
        sa.UniqueConstraint("library", "stage", "dag_run_id", "attempt", name="one_attempt"),
        sa.CheckConstraint(f"stage IN ({STAGES})", name=op.f("runs_stage_check")),
        sa.CheckConstraint("state IN ('extracting', 'extracted', 'planned', 'closed')", name=op.f("runs_state_check")),
    )
    op.create_table(
        "loans_seen",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("loan_id", sa.Text(), nullable=False),
        sa.Column("due_date", sa.Date(), nullable=False),
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("patron_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("record", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "loan_id", "due_date", name="loans_seen_pkey"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name="loans_seen_run_id_fkey"),
    )
    op.create_table(
        "skips",
        sa.Column("skip_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("loan_id", sa.Text(), nullable=False),
        sa.Column("due_date", sa.Date()),
        sa.Column("patron_id", sa.Text(), nullable=False),
        sa.Column("slot", sa.Text()),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False, server_default=""),
        sa.Column("raw", postgresql.JSONB()),
        sa.PrimaryKeyConstraint("skip_id", name="skips_pkey"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name="skips_run_id_fkey"),
        sa.CheckConstraint(f"slot IN ({SLOTS})", name=op.f("skips_slot_check")),
        sa.CheckConstraint(f"reason IN ({SKIP_REASONS})", name=op.f("skips_reason_check")),
    )
    op.create_index("skips_of_run", "skips", ["run_id", "loan_id"])
    op.create_table(
        "notices",
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("patron_id", sa.Text(), nullable=False),
        sa.Column("due_date", sa.Date(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("loan_ids", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("notice_id", name="notices_pkey"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name="notices_run_id_fkey"),
        sa.CheckConstraint(f"stage IN ({STAGES})", name=op.f("notices_stage_check")),
    )
    op.create_index("notices_of_run", "notices", ["run_id"])
    op.create_index("notices_of_patron", "notices", ["library", "patron_id"])
    op.create_table(
        "letter_batches",
        sa.Column("batch_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("pdf", sa.Text(), nullable=False),
        sa.Column("csv", sa.Text(), nullable=False),
        sa.Column("letters", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.PrimaryKeyConstraint("batch_id", name="letter_batches_pkey"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name="letter_batches_run_id_fkey"),
        sa.UniqueConstraint("library", "name", name="one_batch_of_a_name"),
    )
    op.create_index("letter_batches_of_run", "letter_batches", ["run_id"])
    op.create_table(
        "deliveries",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, server_default="planned"),
        sa.Column("reason", sa.Text()),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("resent_in_doubt", sa.Boolean(), nullable=False, server_default=sa.text("false")),
        sa.Column("claimed_by", sa.Text()),
        sa.Column("claimed_at", sa.DateTime(timezone=True)),
        sa.Column("answered_at", sa.DateTime(timezone=True)),
        sa.Column("provider_id", sa.Text(), nullable=False, server_default=""),
        sa.Column("raw", sa.Text(), nullable=False, server_default=""),
        sa.Column("segments", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("cost", sa.Numeric(12, 5), nullable=False, server_default="0"),
        sa.Column("batch_id", sa.BigInteger()),
        sa.PrimaryKeyConstraint("delivery_id", name="deliveries_pkey"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name="deliveries_run_id_fkey"),
        sa.ForeignKeyConstraint(["notice_id"], ["notices.notice_id"], name="deliveries_notice_id_fkey"),
        sa.ForeignKeyConstraint(["batch_id"], ["letter_batches.batch_id"], name="deliveries_batch_id_fkey"),
        sa.CheckConstraint(f"stage IN ({STAGES})", name=op.f("deliveries_stage_check")),
        sa.CheckConstraint(f"channel IN ({CHANNELS})", name=op.f("deliveries_channel_check")),
        sa.CheckConstraint(f"slot IN ({SLOTS})", name=op.f("deliveries_slot_check")),
        sa.CheckConstraint(f"state IN ({STATES})", name=op.f("deliveries_state_check")),
        sa.CheckConstraint(f"reason IN ({REASONS})", name=op.f("deliveries_reason_check")),
    )
    # A delivery is updated two or three times; room in its page keeps these updates out of the indexes.
    op.execute("ALTER TABLE deliveries SET (fillfactor = 50)")
    op.create_index("deliveries_of_run", "deliveries", ["run_id", "channel", "delivery_id"])
    op.create_index("deliveries_of_notice", "deliveries", ["notice_id"])
    op.create_table(
        "delivery_loans",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("loan_id", sa.Text(), nullable=False),
        sa.Column("due_date", sa.Date(), nullable=False),
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("dropped", sa.Text()),
        sa.PrimaryKeyConstraint("delivery_id", "loan_id", "due_date", name="delivery_loans_pkey"),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["deliveries.delivery_id"], name="delivery_loans_delivery_id_fkey", ondelete="CASCADE"
        ),
        sa.CheckConstraint(f"stage IN ({STAGES})", name=op.f("delivery_loans_stage_check")),
        sa.CheckConstraint(f"slot IN ({SLOTS})", name=op.f("delivery_loans_slot_check")),
        sa.CheckConstraint("dropped IN ('returned', 'renewed')", name=op.f("delivery_loans_dropped_check")),
    )
    op.create_index(
        "one_live_claim",
        "delivery_loans",
        ["library", "loan_id", "due_date", "stage", "slot"],
        unique=True,
        postgresql_where=sa.text("live"),
    )
    op.create_index(
        "freed_claims",
        "delivery_loans",
        ["library", "loan_id", "due_date"],
        postgresql_where=sa.text("NOT live"),
    )
    op.create_table(
        "receipts",
        sa.Column("receipt_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("provider_id", sa.Text(), nullable=False, server_default=""),
        sa.Column("raw", sa.Text(), nullable=False, server_default=""),
        sa.Column("applied", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("receipt_id", name="receipts_pkey"),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["deliveries.delivery_id"], name="receipts_delivery_id_fkey", ondelete="CASCADE"
        ),
        sa.CheckConstraint(f"state IN ({STATES})", name=op.f("receipts_state_check")),
        sa.CheckConstraint(f"reason IN ({REASONS})", name=op.f("receipts_reason_check")),
    )
    op.create_index("receipts_of_delivery", "receipts", ["delivery_id"])
    for statement in (MAY_MOVE, CHECK_MOVE, FREE_SLOT, CHECK_MOVE_TRIGGER, FREE_SLOT_TRIGGER):
        op.execute(statement)


def downgrade() -> None:
    for table in (
        "receipts",
        "delivery_loans",
        "deliveries",
        "letter_batches",
        "notices",
        "skips",
        "loans_seen",
        "runs",
    ):
        op.drop_table(table)
    for function in ("reminders_free_slot()", "reminders_check_move()", "reminders_may_move(text, text)"):
        op.execute(f"DROP FUNCTION {function}")
