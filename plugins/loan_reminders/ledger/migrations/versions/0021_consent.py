"""Who said yes or no to SMS, which numbers were written to before, and the reasons why a reader gets no SMS.

Revision: 0021. New tables, and two closed lists made longer without holding up who writes.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

REASONS = ("declined", "not_asked_for", "minor", "not_texted")
ACTS = ("sms_choice_noted", "sms_choice_removed", "sms_choices_imported")


def upgrade() -> None:
    # First, since it ends a transaction in the middle: whoever is cut short begins again without a table in the way.
    _words("skips", "reason", more=REASONS)
    _words("journal", "act", more=ACTS)
    now = sa.text("now()")
    op.create_table(
        "sms_choices",
        sa.Column("choice_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("patron_id", sa.Text(), nullable=False),
        sa.Column("choice", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=now),
        sa.PrimaryKeyConstraint("choice_id", name="sms_choices_pkey"),
        sa.UniqueConstraint("library", "patron_id", name="one_choice_each"),
        sa.CheckConstraint("choice IN ('yes', 'no')", name=op.f("sms_choices_choice_check")),
        sa.CheckConstraint("source IN ('librarian', 'import')", name=op.f("sms_choices_source_check")),
    )
    op.create_index("sms_choices_by_age", "sms_choices", ["library", "at", "choice_id"])
    op.create_table(
        "numbers_known",
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("library", "number", name="numbers_known_pkey"),
    )
    op.create_index("numbers_known_by_day", "numbers_known", ["library", "last_on"])


def downgrade() -> None:
    # What follows ends transactions in the middle: whoever is cut short begins again.
    op.execute("DROP TABLE IF EXISTS numbers_known")
    op.execute("DROP TABLE IF EXISTS sms_choices")
    # What the older program has no word for is told by its nearest one. The journal is never changed by a program; a
    # downgrade alone may.
    op.execute("UPDATE skips SET reason = 'not_eligible' WHERE reason IN ('not_asked_for', 'minor', 'not_texted')")
    op.execute("UPDATE skips SET reason = 'opted_out' WHERE reason = 'declined'")
    op.execute("ALTER TABLE journal DISABLE TRIGGER USER")
    op.execute("UPDATE journal SET act = 'suppressed' WHERE act = 'sms_choice_noted'")
    op.execute("UPDATE journal SET act = 'suppression_lifted' WHERE act = 'sms_choice_removed'")
    op.execute("UPDATE journal SET act = 'list_downloaded' WHERE act = 'sms_choices_imported'")
    op.execute("ALTER TABLE journal ENABLE TRIGGER USER")
    _words("skips", "reason", fewer=REASONS)
    _words("journal", "act", fewer=ACTS)


def _words(table: str, column: str, *, more: tuple[str, ...] = (), fewer: tuple[str, ...] = ()) -> None:
    """Let a closed list hold these words besides, or no more; the rows that are there are looked at afterwards."""
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
