"""Readers and loans not written to until a day, and messages sent once more.

Revision: 0010, after 0009.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

OLD_REASONS = (
    "'dry_run', 'returned', 'renewed', 'superseded', 'expired', 'not_approved', 'same_number_today',"
    " 'opted_out', 'dead_number', 'dead_address', 'taken_out', 'invalid_recipient', 'recipient_refused',"
    " 'recipient_deferred', 'message_refused', 'not_rendered', 'text_too_long', 'no_answer', 'unreadable_answer',"
    " 'interrupted', 'not_sent', 'retries_exhausted'"
)
OLD_SKIP_REASONS = (
    "'already_sent', 'superseded', 'expired', 'not_yet_due', 'opted_out', 'dead_number', 'dead_address',"
    " 'invalid_recipient', 'no_recipient', 'not_eligible', 'returned', 'renewed', 'invalid_row', 'duplicate_row'"
)
OLD_DROPPED = "'returned', 'renewed'"
OLD_LEFT_OUT = "'returned', 'renewed', 'taken_out'"
CLOSED_LISTS = (
    ("deliveries", "reason", OLD_REASONS.replace("'taken_out'", "'taken_out', 'held'"), OLD_REASONS),
    ("receipts", "reason", OLD_REASONS.replace("'taken_out'", "'taken_out', 'held'"), OLD_REASONS),
    ("skips", "reason", OLD_SKIP_REASONS.replace("'renewed'", "'renewed', 'held'"), OLD_SKIP_REASONS),
    ("delivery_loans", "dropped", f"{OLD_DROPPED}, 'held'", OLD_DROPPED),
    ("letters", "left_out", f"{OLD_LEFT_OUT}, 'held'", OLD_LEFT_OUT),
)
# What the older program has no word for is told by its nearest one.
OLDER_WORDS = (
    "UPDATE deliveries SET reason = 'not_approved' WHERE reason = 'held'",
    "UPDATE receipts SET reason = 'not_approved' WHERE reason = 'held'",
    "UPDATE skips SET reason = 'not_eligible' WHERE reason = 'held'",
    "UPDATE delivery_loans SET dropped = 'renewed' WHERE dropped = 'held'",
    "UPDATE letters SET left_out = 'taken_out' WHERE left_out = 'held'",
)
# A message sent once more is a run of its own, which the older program would take for a day of its stage.
NO_RESENDS = (
    "DELETE FROM deliveries WHERE run_id IN (SELECT run_id FROM runs WHERE kind = 'resend')",
    "DELETE FROM notices WHERE run_id IN (SELECT run_id FROM runs WHERE kind = 'resend')",
    "DELETE FROM loans_seen WHERE run_id IN (SELECT run_id FROM runs WHERE kind = 'resend')",
    "DELETE FROM skips WHERE run_id IN (SELECT run_id FROM runs WHERE kind = 'resend')",
    "DELETE FROM runs WHERE kind = 'resend'",
)


def _allow(table: str, column: str, values: str) -> None:
    """Change a closed list of a table in use: what is there is checked afterwards, without a lock that stops others."""
    name = f"{table}_{column}_check"
    op.execute(
        f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name},"
        f" ADD CONSTRAINT {name} CHECK ({column} IN ({values})) NOT VALID"
    )
    op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for table, column, values, _ in CLOSED_LISTS:
            _allow(table, column, values)
    op.add_column("runs", sa.Column("kind", sa.Text(), nullable=False, server_default="daily"))
    op.create_check_constraint(op.f("runs_kind_check"), "runs", "kind IN ('daily', 'resend')")
    op.create_table(
        "holds",
        sa.Column("hold_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("patron_id", sa.Text(), nullable=False),
        sa.Column("loan_id", sa.Text(), nullable=False, server_default=""),
        sa.Column("title", sa.Text(), nullable=False, server_default=""),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True)),
        sa.Column("lifted_by", sa.Text(), nullable=False, server_default=""),
        sa.Column("lift_reason", sa.Text(), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("hold_id", name="holds_pkey"),
    )
    op.create_index(
        "one_hold_each",
        "holds",
        ["library", "patron_id", "loan_id"],
        unique=True,
        postgresql_where=sa.text("lifted_at IS NULL"),
    )
    op.create_index(
        "holds_by_end", "holds", ["library", "until", "hold_id"], postgresql_where=sa.text("lifted_at IS NULL")
    )
    op.create_index("holds_of_patron", "holds", ["library", "patron_id", "hold_id"])
    op.create_table(
        "resends",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("resend_of", sa.Uuid(), nullable=False),
        sa.Column("patron_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("counts", sa.Boolean(), nullable=False, server_default=sa.text("true")),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.PrimaryKeyConstraint("delivery_id", name="resends_pkey"),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["deliveries.delivery_id"], name="resends_delivery_id_fkey", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name="resends_run_id_fkey"),
        sa.CheckConstraint("channel IN ('email', 'sms')", name=op.f("resends_channel_check")),
    )
    op.create_index(
        "one_resend_a_day",
        "resends",
        ["library", "patron_id", "channel", "day"],
        unique=True,
        postgresql_where=sa.text("counts"),
    )
    op.create_index("resends_of_patron", "resends", ["library", "patron_id", "at"])


def downgrade() -> None:
    for statement in NO_RESENDS:
        op.execute(statement)
    op.drop_table("resends")
    op.drop_table("holds")
    op.drop_constraint(op.f("runs_kind_check"), "runs")
    op.drop_column("runs", "kind")
    for statement in OLDER_WORDS:
        op.execute(statement)
    for table, column, _, values in CLOSED_LISTS:
        _allow(table, column, values)
