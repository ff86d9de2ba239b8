"""Indexes for what pages and runs ask; a place for what cannot be settled; dates that cannot be true are forgotten.

Revision: 0006, after 0005.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

INDEXES = {
    "loans_seen_of_barcode": (
        "loans_seen (library, (record ->> 'item_barcode')) WHERE record ->> 'item_barcode' <> ''"
    ),
    "loans_seen_of_card": "loans_seen (library, (record #>> '{patron,barcode}'))",
    "suppressions_by_age": "suppressions (library, since, suppression_id)",
    "suppressions_in_force": "suppressions (library, since, suppression_id) WHERE lifted_at IS NULL",
    "sms_by_moment": "deliveries (library, claimed_at) WHERE channel = 'sms'",
}
KINDS = "'receipt', 'reply', 'blacklist', 'bounce'"
# What the provider or a stranger dated before our era cannot be read back, and one such row held up all the others.
TRUE_DATES = (
    "UPDATE sms_acks SET received_at = NULL, misdated = true WHERE {wrong}",
    "UPDATE sms_replies SET received_at = NULL WHERE {wrong}",
    "UPDATE mail_bounces SET received_at = NULL WHERE {wrong}",
)
WRONG = "received_at NOT BETWEEN '1980-01-01' AND at + interval '1 day'"
TRUE_SINCE = "UPDATE suppressions SET since = at WHERE since NOT BETWEEN '1980-01-01' AND at + interval '1 day'"


def upgrade() -> None:
    # The indexes come first and by themselves: nothing else of this migration has to be undone when one is cut short.
    # A ledger in use is written to meanwhile; an index that a cut left half made serves nobody and is made anew.
    with op.get_context().autocommit_block():
        for name, columns in INDEXES.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {columns}")
    op.create_table(
        "put_aside",
        sa.Column("put_aside_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False, server_default=""),
        sa.Column("said", sa.Text(), nullable=False, server_default=""),
        sa.Column("why", sa.Text(), nullable=False, server_default=""),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.PrimaryKeyConstraint("put_aside_id", name="put_aside_pkey"),
        sa.UniqueConstraint("library", "kind", "fingerprint", name="one_put_aside_each"),
        sa.CheckConstraint(f"kind IN ({KINDS})", name=op.f("put_aside_kind_check")),
    )
    op.create_index("put_aside_of_late", "put_aside", ["library", "at"])
    op.add_column("sms_acks", sa.Column("misdated", sa.Boolean(), nullable=False, server_default=sa.text("false")))
    for statement in TRUE_DATES:
        op.execute(statement.format(wrong=WRONG))
    op.execute(TRUE_SINCE)


def downgrade() -> None:
    # First, since it ends a transaction in the middle: whoever is cut short begins again with all that follows.
    with op.get_context().autocommit_block():
        for name in INDEXES:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
    op.drop_column("sms_acks", "misdated")
    op.drop_table("put_aside")
