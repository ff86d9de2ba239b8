"""Definite bounces that came too many at once wait for a librarian's word.

Revision: 0004, after 0003.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Mark what is held, and who decided."""
    op.add_column("mail_bounces", sa.Column("held_at", sa.DateTime(timezone=True)))
    op.add_column("mail_bounces", sa.Column("decided_by", sa.Text, nullable=False, server_default=""))
    op.create_index(
        "mail_bounces_held",
        "mail_bounces",
        ["library", "bounce_id"],
        postgresql_where=sa.text("held_at IS NOT NULL AND settled_at IS NULL"),
    )


def downgrade() -> None:
    """Forget it: what is still held is settled by the older program as any other bounce."""
    op.drop_index("mail_bounces_held", "mail_bounces")
    op.drop_column("mail_bounces", "decided_by")
    op.drop_column("mail_bounces", "held_at")
