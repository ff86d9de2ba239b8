"""What was stopped because the ledger may be incomplete has a reason of its own; a gap keeps what Airflow remembers.

Revision: 0026. Two closed lists made longer without holding up who writes, and the facts of gaps.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

STOPPED = "ledger_incomplete"

# Before, a run that Airflow alone knew was kept without what is needed to ask for it again: as one that the ledger
# has not, it is asked about until a person accepts.
KEEP = """
    UPDATE gaps SET facts = facts || jsonb_build_object(
        'unreadable', false,
        'runs', coalesce((
            SELECT jsonb_agg(run - 'known_by' - 'deliveries')
            FROM jsonb_array_elements(facts -> 'runs') AS run WHERE run ->> 'known_by' <> 'airflow'
        ), '[]'),
        'remembered', coalesce((
            SELECT jsonb_agg(jsonb_build_object(
                'dag_run', '', 'run', 0, 'stage', run ->> 'stage', 'day', run ->> 'day', 'started', found_at,
                'closed_at', NULL, 'left', jsonb_build_object()
            ))
            FROM jsonb_array_elements(facts -> 'runs') AS run WHERE run ->> 'known_by' = 'airflow'
        ), '[]')
    )
    WHERE NOT facts ? 'remembered'
"""
FORGET = """
    UPDATE gaps SET facts = facts - 'unreadable' - 'remembered' || jsonb_build_object('runs',
        coalesce((
            SELECT jsonb_agg(run || jsonb_build_object('known_by', 'mark', 'deliveries', 0))
            FROM jsonb_array_elements(facts -> 'runs') AS run
        ), '[]')
        || coalesce((
            SELECT jsonb_agg(jsonb_build_object(
                'stage', run ->> 'stage', 'day', run ->> 'day', 'known_by', 'airflow', 'lost', jsonb_build_object(),
                'deliveries', 0
            ))
            FROM jsonb_array_elements(facts -> 'remembered') AS run
        ), '[]')
    )
    WHERE facts ? 'remembered'
"""


def upgrade() -> None:
    for table in ("deliveries", "receipts"):
        _words(table, more=(STOPPED,))
    op.execute(KEEP)


def downgrade() -> None:
    op.execute(FORGET)
    # What the older program has no word for is told by its nearest one; it would send again what is in doubt.
    op.execute("UPDATE deliveries SET state = 'cancelled', reason = 'not_approved' WHERE reason = 'ledger_incomplete'")
    op.execute("UPDATE receipts SET reason = 'not_approved' WHERE reason = 'ledger_incomplete'")
    for table in ("deliveries", "receipts"):
        _words(table, fewer=(STOPPED,))


def _words(table: str, *, more: tuple[str, ...] = (), fewer: tuple[str, ...] = ()) -> None:
    """Let a table's list of reasons hold these words besides, or no more; its rows are looked at afterwards."""
    name = f"{table}_reason_check"
    known = (
        op.get_bind()
        .execute(sa.text("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = :name"), {"name": name})
        .scalar_one()
    )
    words = [word for word in known.split("'")[1::2] if word not in (*more, *fewer)]
    allowed = ", ".join(f"'{word}'" for word in (*words, *more))
    op.execute(
        f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name},"
        f" ADD CONSTRAINT {name} CHECK (reason IN ({allowed})) NOT VALID"
    )
    with op.get_context().autocommit_block():
        op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
