"""Who removed what, told once; and which letters have a blank page behind them, whatever becomes of the next one.

Revision: 0025. `erasures` gets a row a day and person, and one that was told is never added to; who removed what was
told before is in the journal. A letter has a blank verso when the next one of its file begins a page later: of a letter
whose next one was removed before, nobody knows it any more, and no page is handed over for it.
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
    WITH gone AS (DELETE FROM erasures RETURNING *)
    INSERT INTO erasures (library, day, {", ".join(COUNTS)}, at, told_at)
    SELECT library, day, {", ".join(f"sum({name})" for name in COUNTS)}, max(at),
           CASE WHEN bool_and(told_at IS NOT NULL) THEN max(told_at) END
    FROM gone GROUP BY library, day
"""  # noqa: S608 - the names are this module's own
BLANK_VERSOS = """
    UPDATE letters letter SET blank_verso = true FROM letters following
    WHERE following.batch_id = letter.batch_id AND following.volume = letter.volume
      AND following.position = letter.position + 1 AND following.first_page = letter.last_page + 2
      AND NOT letter.blank_verso
"""


def upgrade() -> None:
    # First, since it ends a transaction in the middle: whoever is cut short begins again.
    op.execute("ALTER TABLE letters ADD COLUMN IF NOT EXISTS blank_verso boolean NOT NULL DEFAULT false")
    with op.get_context().autocommit_block():
        op.execute(BLANK_VERSOS)
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
    op.drop_column("letters", "blank_verso")
