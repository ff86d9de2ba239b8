"""A loan left out because its stage fell before the first day of this program has a reason of its own.

Revision: 0017, after 0016.
"""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

OLD_REASONS = (
    "'already_sent', 'superseded', 'expired', 'not_yet_due', 'opted_out', 'dead_number', 'dead_address',"
    " 'invalid_recipient', 'no_recipient', 'not_eligible', 'returned', 'renewed', 'held', 'invalid_row',"
    " 'duplicate_row'"
)
NEW_REASONS = OLD_REASONS.replace("'held'", "'held', 'before_start'")


def _allow(values: str) -> None:
    """Change the closed list in use: what is there is checked afterwards, without a lock that stops others."""
    op.execute(
        "ALTER TABLE skips DROP CONSTRAINT IF EXISTS skips_reason_check,"
        f" ADD CONSTRAINT skips_reason_check CHECK (reason IN ({values})) NOT VALID"
    )
    op.execute("ALTER TABLE skips VALIDATE CONSTRAINT skips_reason_check")


def upgrade() -> None:
    with op.get_context().autocommit_block():
        _allow(NEW_REASONS)


def downgrade() -> None:
    # What the older program has no word for is told by its nearest one.
    op.execute("UPDATE skips SET reason = 'not_eligible' WHERE reason = 'before_start'")
    with op.get_context().autocommit_block():
        _allow(OLD_REASONS)
