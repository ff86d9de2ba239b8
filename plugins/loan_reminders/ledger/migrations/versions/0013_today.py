"""What the first page asks: the runs of a day by an index, and the SMS credit as the provider said it.

Revision: 0013, after 0012.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # First and by itself, on a ledger in use; what a cut left half made is made anew.
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS runs_of_day")
        op.execute("CREATE INDEX CONCURRENTLY runs_of_day ON runs (library, reference_date)")
    op.create_table(
        "sms_credits",
        sa.Column("credit_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.Column("segments", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("credit_id", name="sms_credits_pkey"),
    )
    op.create_index("sms_credits_by_moment", "sms_credits", ["library", "at"])


def downgrade() -> None:
    # First, since it ends a transaction in the middle: whoever is cut short begins again with all that follows.
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS runs_of_day")
    op.drop_table("sms_credits")
