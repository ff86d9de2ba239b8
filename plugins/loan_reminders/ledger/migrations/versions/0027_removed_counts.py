"""What removed loans counted for, so that a run of which loans are removed can be counted anew.

Revision: 0027. New tables, empty: of what was removed before, nothing is known any more, and its runs stay `frozen`. A
notice that loses its first loan keeps that one's branch and category, by which its messages are counted.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

OF_RUN = "library text NOT NULL, run_id bigint NOT NULL"
RETURNED = "known_1 known_3 known_7 returned_1 returned_3 returned_7"
TABLES = {
    "removed_messages": (
        f"{OF_RUN}, moment timestamptz NOT NULL, stage text NOT NULL, channel text NOT NULL, branch text NOT NULL,"
        " category text NOT NULL",
        "told not_reached failed in_doubt waiting segments sms",
        ", cost numeric(14, 5) NOT NULL DEFAULT '0'",
        "run_id, moment, channel, branch, category",
    ),
    "removed_returns": (
        f"{OF_RUN}, day date NOT NULL, stage text NOT NULL, channel text NOT NULL, branch text NOT NULL,"
        " category text NOT NULL",
        f"loans {RETURNED} renewed_7",
        "",
        "run_id, channel, branch, category",
    ),
    "removed_letters": (
        f"{OF_RUN}, moment timestamptz NOT NULL, stage text NOT NULL, channel text NOT NULL, pages integer NOT NULL",
        "printed posted",
        "",
        "run_id, moment, channel, pages",
    ),
    "removed_spared": (
        f"{OF_RUN}, moment timestamptz NOT NULL, stage text NOT NULL, reason text NOT NULL",
        "sms",
        "",
        "run_id, reason",
    ),
    "removed_overdue": (
        "library text NOT NULL, day date NOT NULL, branch text NOT NULL, category text NOT NULL",
        "overdue long_overdue",
        "",
        "library, day, branch, category",
    ),
    "removed_effect_overdues": (
        "library text NOT NULL, month date NOT NULL, category text NOT NULL, bucket smallint NOT NULL",
        "overdue long_overdue",
        "",
        "library, month, category, bucket",
    ),
    "removed_effect_returns": (
        "library text NOT NULL, month date NOT NULL, stage text NOT NULL, category text NOT NULL, length text NOT NULL,"
        " bucket smallint NOT NULL, told_by text NOT NULL, holdback_id bigint NOT NULL, control boolean NOT NULL",
        f"loans {RETURNED}",
        "",
        "library, month, stage, category, length, bucket, told_by, holdback_id, control",
    ),
}
"""Each table: what its lines are of, its numbers, and its key; they are those of the counters it belongs to."""


def upgrade() -> None:
    for table, (of, numbers, more, key) in TABLES.items():
        counts = ", ".join(f"{name} integer NOT NULL DEFAULT 0" for name in numbers.split())
        op.execute(f"CREATE TABLE {table} ({of}, {counts}{more}, PRIMARY KEY ({key}))")
        if "run_id" in key:
            op.create_foreign_key(f"{table}_run_id_fkey", table, "runs", ["run_id"], ["run_id"])
    op.create_table(
        "removed_books",
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.Numeric(14, 5), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "measure", "kind", name="removed_books_pkey"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name="removed_books_run_id_fkey"),
    )
    op.add_column("notices", sa.Column("branch", sa.Text()))
    op.add_column("notices", sa.Column("category", sa.Text()))


def downgrade() -> None:
    op.drop_column("notices", "category")
    op.drop_column("notices", "branch")
    # The older program counts runs, days and months from the rows alone: it is kept from those that lack some.
    op.execute("UPDATE retention_state SET ended_until = current_date WHERE latest_due_date IS NOT NULL")
    op.execute("""
        INSERT INTO counted_runs (run_id, library, frozen)
        SELECT run_id, library, true FROM runs WHERE NOT dry_run AND (
            EXISTS (SELECT FROM removed_books WHERE run_id = runs.run_id)
            OR EXISTS (SELECT FROM removed_messages WHERE run_id = runs.run_id)
        )
        ON CONFLICT (run_id) DO UPDATE SET frozen = true
    """)
    op.drop_table("removed_books")
    for table in reversed(TABLES):
        op.drop_table(table)
