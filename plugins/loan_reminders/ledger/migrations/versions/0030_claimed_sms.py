"""The index of all SMS by moment holds those that were claimed, and no others.

Revision: 0030. One index takes the place of another, made while the ledger is in use. PostgreSQL can no longer take it
for the index of a number's SMS: on a new ledger, of which it knows no sizes, each number then read all SMS ever.
"""

from __future__ import annotations

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

BEFORE, NOW = ("sms_by_moment", "channel = 'sms'"), ("claimed_sms", "channel = 'sms' AND claimed_at IS NOT NULL")


def upgrade() -> None:
    _exchange(BEFORE, NOW)


def downgrade() -> None:
    _exchange(NOW, BEFORE)


def _exchange(old: tuple[str, str], new: tuple[str, str]) -> None:
    name, which = new
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        op.execute(f"CREATE INDEX CONCURRENTLY {name} ON deliveries (library, claimed_at) WHERE {which}")
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {old[0]}")
