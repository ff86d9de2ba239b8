"""The journal of who did what, which nobody can change, and the keys of forms that were sent.

Revision: 0008, after 0007.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ACTS = [
    "reader_seen",
    "contacts_shown",
    "dispute_file_made",
    "real_loan_previewed",
    "list_downloaded",
    "message_resent",
    "held",
    "hold_lifted",
    "suppressed",
    "suppression_lifted",
    "contact_corrected",
    "contact_ignored",
    "delivery_settled",
    "aside_settled",
    "bounces_believed",
    "bounces_not_believed",
    "volume_approved",
    "volume_refused",
    "day_caught_up",
    "letters_approved",
    "letters_refused",
    "letter_taken_out",
    "batch_printed",
    "batch_exported",
    "batch_copied",
    "letter_copied",
    "letter_returned",
    "letter_numbered",
    "letter_posted",
    "letter_acknowledged",
    "step_undone",
    "counters_rebuilt",
]


def upgrade() -> None:
    now = sa.text("now()")
    op.create_table(
        "journal",
        sa.Column("entry_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=now),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("patron_id", sa.Text(), nullable=False, server_default=""),
        sa.Column("delivery_id", sa.Uuid()),
        sa.Column("batch_id", sa.BigInteger()),
        sa.Column("run_id", sa.BigInteger()),
        sa.Column("detail", sa.Text(), nullable=False, server_default=""),
        sa.Column("facts", JSONB(), nullable=False, server_default="{}"),
        sa.PrimaryKeyConstraint("entry_id", name="journal_pkey"),
        sa.CheckConstraint("act IN ({})".format(", ".join(f"'{act}'" for act in ACTS)), name="act"),
    )
    op.create_index("journal_by_age", "journal", ["library", "entry_id"])
    op.create_index(
        "journal_of_patron",
        "journal",
        ["library", "patron_id", "entry_id"],
        postgresql_where=sa.text("patron_id <> ''"),
    )
    op.execute("""
        CREATE FUNCTION journal_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'the journal is append-only';
        END $$
    """)
    op.execute("""
        CREATE TRIGGER journal_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal
        FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only()
    """)
    op.create_table(
        "form_keys",
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=now),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("led_to", sa.Text()),
        sa.PrimaryKeyConstraint("library", "key", name="form_keys_pkey"),
    )
    op.create_index("form_keys_by_age", "form_keys", ["at"])


def downgrade() -> None:
    op.drop_table("form_keys")
    op.drop_table("journal")
    op.execute("DROP FUNCTION journal_is_append_only()")
