"""What the desk has settled: who said so of which delivery, and when; and an index of what did not arrive.

Revision: 0007, after 0006.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


NOT_ARRIVED = "deliveries (run_id) WHERE state NOT IN ('accepted', 'delivered')"


def upgrade() -> None:
    # First and by itself, as in 0006: a ledger in use is written to meanwhile.
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS deliveries_not_arrived")
        op.execute(f"CREATE INDEX CONCURRENTLY deliveries_not_arrived ON {NOT_ARRIVED}")
    op.create_table(
        "desk_settlements",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.Column("who", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("delivery_id", name="desk_settlements_pkey"),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["deliveries.delivery_id"], name="desk_settlements_delivery_id_fkey", ondelete="CASCADE"
        ),
    )


def downgrade() -> None:
    # First, since it ends a transaction in the middle: whoever is cut short begins again with all that follows.
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS deliveries_not_arrived")
    op.drop_table("desk_settlements")
