"""A letter may be left out of its batch because a later stage is due, or because its address is a dead one.

Revision: 0031. A closed list made longer without holding up who writes, and two counts of what is left out.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

REASONS = ("returned", "renewed", "taken_out", "held")
NEW_REASONS = ("superseded", "dead_address")
COUNTS = ("superseded", "dead_address")


def upgrade() -> None:
    # First, since it ends a transaction in the middle: whoever is cut short begins again without a column in the way.
    _reasons((*REASONS, *NEW_REASONS))
    for name in COUNTS:
        op.add_column("print_checks", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    # What the older program has no word for is told by its nearest one.
    op.execute("UPDATE letters SET left_out = 'taken_out' WHERE left_out IN ('superseded', 'dead_address')")
    _reasons(REASONS)
    # Last, since this ended a transaction in the middle: whoever is cut short begins again with the columns there.
    for name in COUNTS:
        op.drop_column("print_checks", name)


def _reasons(reasons: tuple[str, ...]) -> None:
    """Exchange the closed list of reasons; the rows that are there are looked at without holding up who writes."""
    allowed = ", ".join(f"'{reason}'" for reason in reasons)
    op.execute(
        "ALTER TABLE letters DROP CONSTRAINT IF EXISTS letters_left_out_check,"
        f" ADD CONSTRAINT letters_left_out_check CHECK (left_out IN ({allowed})) NOT VALID"
    )
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE letters VALIDATE CONSTRAINT letters_left_out_check")
