"""How far the ILS has been asked about a batch before its printing; and a file that was given again.

Revision: 0014, after 0013.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

ACTS = (
    "drafted", "approved", "not_approved", "closed", "taken_out", "left_out", "printed", "given_again", "copied",
    "numbered", "posted", "acknowledged", "returned", "undone",
)  # fmt: skip
STATES = ("running", "answered", "failed")


def upgrade() -> None:
    # First, since it ends a transaction in the middle: whoever is cut short begins again without a table in the way.
    _acts(ACTS)
    now = sa.text("now()")
    op.create_table(
        "print_checks",
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("check_id", sa.Uuid(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("loans", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False, server_default=now),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False, server_default=now),
        sa.Column("returned", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("renewed", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("partly", ARRAY(sa.Text()), nullable=False, server_default="{}"),
        sa.Column("held", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("held_with_others", ARRAY(sa.Text()), nullable=False, server_default="{}"),
        sa.Column("problem", sa.Text(), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("batch_id", name="print_checks_pkey"),
        sa.ForeignKeyConstraint(["batch_id"], ["letter_batches.batch_id"], name="print_checks_batch_id_fkey"),
        sa.CheckConstraint(_among("state", STATES), name="state"),
    )


def downgrade() -> None:
    op.execute("UPDATE letter_events SET act = 'copied' WHERE act = 'given_again'")
    _acts(tuple(act for act in ACTS if act != "given_again"))
    op.drop_table("print_checks")


def _acts(acts: tuple[str, ...]) -> None:
    """Exchange the closed list of acts; the rows that are there are looked at without holding up who writes."""
    op.execute("ALTER TABLE letter_events DROP CONSTRAINT IF EXISTS letter_events_act_check")
    op.execute(
        f"ALTER TABLE letter_events ADD CONSTRAINT letter_events_act_check CHECK ({_among('act', acts)}) NOT VALID"
    )
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE letter_events VALIDATE CONSTRAINT letter_events_act_check")


def _among(column: str, values: tuple[str, ...]) -> str:
    return "{} IN ({})".format(column, ", ".join(f"'{value}'" for value in values))
