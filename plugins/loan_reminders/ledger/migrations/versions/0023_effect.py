"""The monthly counts of what SMS do, and SMS held back at random to measure it.

Revision: 0023, after 0022. New tables alone, and one list of reasons made longer without holding up who writes.
"""

from __future__ import annotations

import re

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

REASON = "control_group"
CATEGORIES = "'student', 'staff', 'external', 'other'"
STAGES = "'courtesy_notice', 'overdue_notice', 'first_reminder', 'second_reminder', 'registered_letter'"
COUNTS = ("loans", "known_1", "known_3", "known_7", "returned_1", "returned_3", "returned_7")
_OF_SKIPS = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'skips_reason_check'"


def upgrade() -> None:
    # First, since it ends a transaction in the middle: whoever is cut short begins again without a table in the way.
    _reasons(add=REASON)
    now = sa.text("now()")
    op.create_table(
        "holdbacks",
        sa.Column("holdback_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("share", sa.Float(), nullable=False),
        sa.Column("seed", sa.Text(), nullable=False),
        sa.Column("ended_on", sa.Date()),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=now),
        sa.PrimaryKeyConstraint("holdback_id", name="holdbacks_pkey"),
        sa.UniqueConstraint("library", "first_day", "last_day", "share", "seed", name="one_holdback"),
    )
    op.create_table(
        "effect_overdues",
        *_key("month"),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        *_counts("overdue", "long_overdue"),
        sa.PrimaryKeyConstraint("library", "month", "category", "bucket", name="effect_overdues_pkey"),
        _one_of("effect_overdues", "category", CATEGORIES),
    )
    op.create_table(
        "effect_returns",
        *_key("month"),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("stage", "category", "length")),
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("told_by", sa.Text(), nullable=False),
        sa.Column("holdback_id", sa.BigInteger(), nullable=False),
        sa.Column("control", sa.Boolean(), nullable=False),
        *_counts(*COUNTS),
        sa.PrimaryKeyConstraint(
            "library", "month", "stage", "category", "length", "bucket", "told_by", "holdback_id", "control",
            name="effect_returns_pkey",
        ),
        _one_of("effect_returns", "stage", STAGES),
        _one_of("effect_returns", "category", CATEGORIES),
        _one_of("effect_returns", "length", "'short', 'medium', 'long'"),
        _one_of("effect_returns", "told_by", "'sms', 'otherwise', 'nothing'"),
    )  # fmt: skip
    op.create_table(
        "overdue_ages",
        *_key("month"),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("age", sa.Text(), nullable=False),
        *_counts("loans"),
        sa.PrimaryKeyConstraint("library", "month", "category", "age", name="overdue_ages_pkey"),
        _one_of("overdue_ages", "category", CATEGORIES),
        _one_of("overdue_ages", "age", "'week', 'fortnight', 'month', 'quarter', 'longer'"),
    )
    op.create_table(
        "effect_findings",
        *_key("day"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=now),
        sa.Column("findings", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("library", "day", name="effect_findings_pkey"),
    )


def downgrade() -> None:
    # What the older program has no word for is told by its nearest one.
    op.execute("UPDATE skips SET reason = 'not_eligible' WHERE reason = 'control_group'")
    _reasons(remove=REASON)
    # Last, since this ended a transaction in the middle: whoever is cut short begins again with the tables still there.
    for table in ("effect_findings", "overdue_ages", "effect_returns", "effect_overdues", "holdbacks"):
        op.drop_table(table)


def _key(day: str) -> tuple[sa.Column[str], sa.Column[object]]:
    return sa.Column("library", sa.Text(), nullable=False), sa.Column(day, sa.Date(), nullable=False)


def _counts(*names: str) -> tuple[sa.Column[int], ...]:
    return tuple(sa.Column(name, sa.Integer(), nullable=False, server_default="0") for name in names)


def _one_of(table: str, column: str, values: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(f"{column} IN ({values})", name=op.f(f"{table}_{column}_check"))


def _reasons(*, add: str = "", remove: str = "") -> None:
    """Change the closed list in use, whatever it is by then; what is there is checked without holding up who writes."""
    held = re.findall(r"'(\w+)'", op.get_bind().execute(sa.text(_OF_SKIPS)).scalar_one())
    words = [word for word in dict.fromkeys([*held, add]) if word and word != remove]
    values = ", ".join(f"'{word}'" for word in words)
    with op.get_context().autocommit_block():
        op.execute(
            "ALTER TABLE skips DROP CONSTRAINT IF EXISTS skips_reason_check,"
            f" ADD CONSTRAINT skips_reason_check CHECK (reason IN ({values})) NOT VALID"
        )
        op.execute("ALTER TABLE skips VALIDATE CONSTRAINT skips_reason_check")
