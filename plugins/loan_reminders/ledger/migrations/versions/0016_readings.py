"""What each run read of the ILS, in numbers; and whether it is the reading that a person was asked about.

Revision: 0016, after 0015. Both columns are added without a table being written anew, on a ledger in use.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("runs", sa.Column("reading", JSONB()))
    op.add_column("volume_answers", sa.Column("reading", sa.Boolean(), nullable=False, server_default=sa.text("false")))


def downgrade() -> None:
    op.drop_column("volume_answers", "reading")
    op.drop_column("runs", "reading")
