"""The high-water mark of what left, and the gaps of a ledger that was restored.

Revision: 0019, after 0018. New tables alone, and one list of acts made longer without holding up who writes.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

NEW_ACTS = ("gap_accepted", "gap_refused")
OLD_ACTS = (
    "reader_seen", "contacts_shown", "dispute_file_made", "real_loan_previewed", "list_downloaded", "message_resent",
    "held", "hold_lifted", "suppressed", "suppression_lifted", "contact_corrected", "contact_ignored",
    "delivery_settled", "aside_settled", "bounces_believed", "bounces_not_believed", "volume_approved",
    "volume_refused", "day_caught_up", "letters_approved", "letters_refused", "letter_taken_out", "batch_printed",
    "batch_exported", "batch_given_again", "batch_copied", "letter_copied", "letter_returned", "letter_numbered",
    "letter_posted", "letter_acknowledged", "step_undone", "counters_rebuilt",
    "dispute_noted", "dispute_closed", "data_erased",
)  # fmt: skip
OPEN = "answer IS NULL OR answer = 'send_nothing'"


def upgrade() -> None:
    # First, since it ends a transaction in the middle: whoever is cut short begins again without a table in the way.
    _acts((*OLD_ACTS, *NEW_ACTS))
    now = sa.text("now()")
    op.create_table(
        "marks",
        sa.Column("mark_id", sa.Uuid(), nullable=False),
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=now),
        sa.Column("server", sa.Text(), nullable=False, server_default=""),
        sa.Column("run_id", sa.BigInteger()),
        sa.Column("channel", sa.Text()),
        sa.Column("ends", sa.Uuid()),
        sa.PrimaryKeyConstraint("mark_id", name="marks_pkey"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name="marks_run_id_fkey", ondelete="SET NULL"),
        sa.CheckConstraint(
            "channel IN ('email', 'sms', 'letter', 'registered_letter')", name=op.f("marks_channel_check")
        ),
    )
    op.create_index("marks_by_moment", "marks", ["library", "at"])
    op.create_index("marks_that_end", "marks", ["ends"], postgresql_where=sa.text("ends IS NOT NULL"))
    op.create_table(
        "gaps",
        sa.Column("gap_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False, server_default=now),
        sa.Column("facts", JSONB(), nullable=False),
        sa.Column("answer", sa.Text()),
        sa.Column("answered_at", sa.DateTime(timezone=True)),
        sa.Column("who", sa.Text(), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("gap_id", name="gaps_pkey"),
        sa.CheckConstraint("answer IN ('go_on', 'send_nothing', 'settled')", name=op.f("gaps_answer_check")),
    )
    op.create_index("one_open_gap", "gaps", ["library"], unique=True, postgresql_where=sa.text(OPEN))


def downgrade() -> None:
    # The journal is never changed by a program; a downgrade alone may tell the new acts by their nearest older word.
    op.execute("ALTER TABLE journal DISABLE TRIGGER USER")
    op.execute("UPDATE journal SET act = 'volume_approved' WHERE act = 'gap_accepted'")
    op.execute("UPDATE journal SET act = 'volume_refused' WHERE act = 'gap_refused'")
    op.execute("ALTER TABLE journal ENABLE TRIGGER USER")
    _acts(OLD_ACTS)
    op.drop_table("gaps")
    op.drop_table("marks")


def _acts(acts: tuple[str, ...]) -> None:
    """Exchange the closed list of acts; the rows that are there are looked at without holding up who writes."""
    words = ", ".join(f"'{act}'" for act in acts)
    op.execute("ALTER TABLE journal DROP CONSTRAINT IF EXISTS journal_act_check")
    op.execute(f"ALTER TABLE journal ADD CONSTRAINT journal_act_check CHECK (act IN ({words})) NOT VALID")
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE journal VALIDATE CONSTRAINT journal_act_check")
