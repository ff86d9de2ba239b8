"""Daily counters, and when loans ended.

Revision: 0011, after 0010. The tables begin empty: the first night counts what the ledger holds already.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

STAGES = ("courtesy_notice", "overdue_notice", "first_reminder", "second_reminder", "registered_letter")
CHANNELS = ("email", "sms", "letter", "registered_letter")
CATEGORIES = ("student", "staff", "external", "other")
ENDS = ("returned", "renewed", "given_up")


def _one_of(column: str, values: tuple[str, ...]) -> sa.CheckConstraint:
    words = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({words})", name=column)


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False, server_default="0")


def _words(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _of_run(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name=f"{table}_run_id_fkey")


def _now() -> sa.Column[object]:
    return sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()"))


def upgrade() -> None:
    op.create_table(
        "counted_runs",
        sa.Column("run_id", sa.BigInteger(), autoincrement=False, nullable=False),
        *_words("library"),
        _now(),
        sa.PrimaryKeyConstraint("run_id", name="counted_runs_pkey"),
        _of_run("counted_runs"),
    )
    op.create_index("counted_runs_of_library", "counted_runs", ["library", "run_id"])
    op.create_table(
        "message_counters",
        *_words("library"),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("moment", sa.DateTime(timezone=True), nullable=False),
        *_words("stage", "channel", "branch", "category"),
        *(_count(name) for name in ("told", "not_reached", "failed", "in_doubt", "waiting", "segments")),
        sa.Column("cost", sa.Numeric(14, 5), nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("run_id", "moment", "channel", "branch", "category", name="message_counters_pkey"),
        _of_run("message_counters"),
        _one_of("stage", STAGES),
        _one_of("category", CATEGORIES),
    )
    op.create_index("message_counters_by_moment", "message_counters", ["library", "moment"])
    counted = ("known_1", "known_3", "known_7", "returned_1", "returned_3", "returned_7", "renewed_7")
    op.create_table(
        "return_counters",
        *_words("library"),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        *_words("stage", "channel", "branch", "category"),
        *(_count(name) for name in ("loans", *counted)),
        sa.PrimaryKeyConstraint("run_id", "channel", "branch", "category", name="return_counters_pkey"),
        _of_run("return_counters"),
        _one_of("stage", STAGES),
        _one_of("channel", CHANNELS),
        _one_of("category", CATEGORIES),
    )
    op.create_index("return_counters_by_day", "return_counters", ["library", "day"])
    op.create_table(
        "overdue_counters",
        *_words("library"),
        sa.Column("day", sa.Date(), nullable=False),
        *_words("branch", "category"),
        _count("overdue"),
        _count("long_overdue"),
        sa.PrimaryKeyConstraint("library", "day", "branch", "category", name="overdue_counters_pkey"),
        _one_of("category", CATEGORIES),
    )
    op.create_table(
        "loan_ends",
        *_words("library", "loan_id"),
        sa.Column("due_date", sa.Date(), nullable=False),
        *_words("branch", "category"),
        sa.Column("open_on", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date()),
        sa.Column("how", sa.Text()),
        sa.PrimaryKeyConstraint("library", "loan_id", "due_date", name="loan_ends_pkey"),
        _one_of("category", CATEGORIES),
        _one_of("how", ENDS),
    )
    open_only, ended = sa.text("ended_on IS NULL"), sa.text("ended_on IS NOT NULL")
    op.create_index("loans_followed", "loan_ends", ["library", "loan_id", "due_date"], postgresql_where=open_only)
    op.create_index("loan_ends_by_day", "loan_ends", ["library", "ended_on"], postgresql_where=ended)
    op.create_table(
        "loan_looks",
        *_words("library"),
        sa.Column("day", sa.Date(), nullable=False),
        _now(),
        _count("asked"),
        _count("ended"),
        sa.PrimaryKeyConstraint("library", "day", name="loan_looks_pkey"),
    )


def downgrade() -> None:
    for table in (
        "loan_looks", "loan_ends", "overdue_counters", "return_counters", "message_counters", "counted_runs",
    ):  # fmt: skip
        op.drop_table(table)
