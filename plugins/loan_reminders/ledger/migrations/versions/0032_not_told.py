"""A message is also left out because its loan, still open, is one that nobody is reminded of any more.

Revision: 0032. Closed lists made longer without holding up who writes. What was kept as returned before stays so: the
ledger does not know which of these loans were lost.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

NOT_TOLD = "not_told"
LISTS = (
    ("deliveries", "reason"),
    ("receipts", "reason"),
    ("skips", "reason"),
    ("delivery_loans", "dropped"),
    ("letters", "left_out"),
)


def upgrade() -> None:
    for table, column in LISTS:
        _words(table, column, more=(NOT_TOLD,))


def downgrade() -> None:
    for table, column in LISTS:
        # What the older program has no word for is told as it told it.
        op.execute(f"UPDATE {table} SET {column} = 'returned' WHERE {column} = '{NOT_TOLD}'")  # noqa: S608 - our own names
        _words(table, column, fewer=(NOT_TOLD,))


def _words(table: str, column: str, *, more: tuple[str, ...] = (), fewer: tuple[str, ...] = ()) -> None:
    """Let a table's closed list hold these words besides, or no more; its rows are looked at afterwards."""
    name = f"{table}_{column}_check"
    known = (
        op.get_bind()
        .execute(sa.text("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = :name"), {"name": name})
        .scalar_one()
    )
    words = [word for word in known.split("'")[1::2] if word not in (*more, *fewer)]
    allowed = ", ".join(f"'{word}'" for word in (*words, *more))
    op.execute(
        f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name},"
        f" ADD CONSTRAINT {name} CHECK ({column} IN ({allowed})) NOT VALID"
    )
    with op.get_context().autocommit_block():
        op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
