"""Who removed what, told once.

Revision: 0025. `erasures` gets a row a day and person, and one that was told is never added to; who removed what was
told before is in the journal. On the way back the rows of a day are one again: of a day that was told in part it has
what was not told, since the journal has the rest and the program before tells a row as a whole.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

COUNTS = ("loans", "messages", "readers", "batches", "folders", "contacts", "others")
AS_ONE_A_DAY = f"""
    WITH gone AS (DELETE FROM erasures RETURNING *),
    known AS (SELECT *, bool_and(told_at IS NOT NULL) OVER (PARTITION BY library, day) AS all_told FROM gone)
    INSERT INTO erasures (library, day, {", ".join(COUNTS)}, at, told_at)
    SELECT library, day, {", ".join(f"sum({name})" for name in COUNTS)}, max(at), max(told_at)
    FROM known WHERE all_told OR told_at IS NULL GROUP BY library, day
"""  # noqa: S608 - the names are this module's own


def upgrade() -> None:
    op.add_column("erasures", sa.Column("who", sa.Text(), nullable=False, server_default=""))
    op.execute("UPDATE erasures SET who = 'relances' WHERE told_at IS NULL")
    op.drop_constraint("erasures_pkey", "erasures")
    op.add_column("erasures", sa.Column("erasure_id", sa.BigInteger(), sa.Identity(always=True), nullable=False))
    op.create_primary_key("erasures_pkey", "erasures", ["erasure_id"])
    op.create_index(
        "erasures_to_tell", "erasures", ["library", "day", "who"], unique=True,
        postgresql_where=sa.text("told_at IS NULL"),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("erasures_to_tell", "erasures")
    op.execute(AS_ONE_A_DAY)
    op.drop_constraint("erasures_pkey", "erasures")
    op.drop_column("erasures", "erasure_id")
    op.drop_column("erasures", "who")
    op.create_primary_key("erasures_pkey", "erasures", ["library", "day"])
