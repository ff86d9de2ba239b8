"""What readers asked for about themselves: objections to a channel, and what was put right of what the ILS tells.

Revision: 0020, after 0019. New tables, indexes made while the ledger is in use, and one list of acts made longer.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

INDEXES = {
    "sms_replies_of_number": "sms_replies (library, left(phone_number, 40))",
    "sms_acks_of_nobody": "sms_acks (library, left(phone_number, 40)) WHERE delivery_id IS NULL",
    "put_aside_about": "put_aside (library, left(about, 320))",
}
"""By these all that came from somebody is found, whatever the size of the ledger.

Of what others sent, only as much is in an index as a number or an address can be long: the rest may be of any length.
"""

NEAREST_OLDER_WORD = {
    "reader_data_given": "dispute_file_made",
    "reader_erased": "data_erased",
    "objected": "suppressed",
    "objection_lifted": "suppression_lifted",
    "amended": "contact_corrected",
    "amendment_ended": "contact_corrected",
}
"""The new acts, each with the one that a downgrade tells it by."""


def upgrade() -> None:
    # First, since it ends a transaction in the middle: whoever is cut short begins again without a table in the way.
    with op.get_context().autocommit_block():
        for name, columns in INDEXES.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {columns}")
    _acts(tuple(NEAREST_OLDER_WORD))
    now = sa.text("now()")
    op.create_table(
        "objections",
        sa.Column("objection_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("patron_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False, server_default=""),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=now),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True)),
        sa.Column("lifted_by", sa.Text(), nullable=False, server_default=""),
        sa.Column("lift_reason", sa.Text(), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("objection_id", name="objections_pkey"),
        sa.CheckConstraint("channel IN ('email', 'sms')", name=op.f("objections_channel_check")),
    )
    op.create_index(
        "one_objection_each",
        "objections",
        ["library", "patron_id", "channel"],
        unique=True,
        postgresql_where=sa.text("lifted_at IS NULL"),
    )
    op.create_index("objections_of_patron", "objections", ["library", "patron_id"])
    op.create_index("objections_by_age", "objections", ["library", "at"], postgresql_where=sa.text("lifted_at IS NULL"))
    op.create_table(
        "amendments",
        sa.Column("amendment_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("patron_id", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("value", JSONB(), nullable=False),
        sa.Column("instead_of", JSONB()),
        sa.Column("reason", sa.Text(), nullable=False, server_default=""),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=now),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("how", sa.Text()),
        sa.Column("ended_by", sa.Text(), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("amendment_id", name="amendments_pkey"),
        sa.CheckConstraint("field IN ('name', 'email', 'mobile', 'address')", name=op.f("amendments_field_check")),
        sa.CheckConstraint("how IN ('agreed', 'changed', 'lifted', 'replaced')", name=op.f("amendments_how_check")),
    )
    op.create_index(
        "one_amendment_each",
        "amendments",
        ["library", "patron_id", "field"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index("amendments_of_patron", "amendments", ["library", "patron_id"])


def downgrade() -> None:
    # First, since it ends a transaction in the middle: whoever is cut short begins again with all that follows.
    with op.get_context().autocommit_block():
        for name in INDEXES:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
    # The journal is never changed by a program; a downgrade alone may tell the new acts by their nearest older word.
    op.execute("ALTER TABLE journal DISABLE TRIGGER USER")
    for new, older in NEAREST_OLDER_WORD.items():
        op.execute(f"UPDATE journal SET act = '{older}' WHERE act = '{new}'")  # noqa: S608 - words of this module
    op.execute("ALTER TABLE journal ENABLE TRIGGER USER")
    _acts(())
    op.drop_table("amendments")
    op.drop_table("objections")


def _acts(ours: tuple[str, ...]) -> None:
    """Exchange the closed list of acts for the one that is there, without our own ones, and these."""
    known = (
        op.get_bind()
        .execute(sa.text("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'journal_act_check'"))
        .scalar_one()
    )
    acts = [act for act in known.split("'")[1::2] if act not in NEAREST_OLDER_WORD]
    words = ", ".join(f"'{act}'" for act in (*acts, *ours))
    op.execute("ALTER TABLE journal DROP CONSTRAINT journal_act_check")
    op.execute(f"ALTER TABLE journal ADD CONSTRAINT journal_act_check CHECK (act IN ({words})) NOT VALID")
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE journal VALIDATE CONSTRAINT journal_act_check")
