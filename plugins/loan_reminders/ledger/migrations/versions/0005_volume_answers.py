"""The answer to the question about a run's volume, kept for the senders to look it up.

Revision: 0005, after 0004.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "volume_answers",
        sa.Column("answer_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("answer_id", name="volume_answers_pkey"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name="volume_answers_run_id_fkey"),
        sa.CheckConstraint(
            "answer IN ('usual', 'asked', 'approved', 'refused')", name=op.f("volume_answers_answer_check")
        ),
    )
    op.create_index("volume_answers_of_run", "volume_answers", ["run_id", "answer_id"])


def downgrade() -> None:
    op.drop_table("volume_answers")
