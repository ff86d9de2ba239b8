"""What waits for a person, by indexes; what was answered on our pages; who saw to what was put aside.

Revision: 0015, after 0014.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

INDEXES = {
    "runs_open": "runs (library, run_id) WHERE state <> 'closed'",
    "letter_batches_waiting": "letter_batches (library, batch_id) WHERE state IN ('draft', 'ready')",
}


def upgrade() -> None:
    # First and by themselves, on a ledger in use; what a cut left half made is made anew.
    with op.get_context().autocommit_block():
        for name, what in INDEXES.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {what}")
    op.add_column("put_aside", sa.Column("settled_at", sa.DateTime(timezone=True)))
    op.add_column("put_aside", sa.Column("settled_by", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "question_answers",
        sa.Column("answer_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("agreed", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.Column("who", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("answer_id", name="question_answers_pkey"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name="question_answers_run_id_fkey"),
        sa.CheckConstraint("question IN ('volume', 'letters')", name=op.f("question_answers_question_check")),
    )
    op.create_index("question_answers_of_run", "question_answers", ["run_id", "question", "at"])


def downgrade() -> None:
    # First, since it ends a transaction in the middle: whoever is cut short begins again with all that follows.
    with op.get_context().autocommit_block():
        for name in INDEXES:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
    op.drop_table("question_answers")
    op.drop_column("put_aside", "settled_by")
    op.drop_column("put_aside", "settled_at")
