"""A library may have notices of its own beside the five stages; what these tell of is no loan.

Revision: 0022, after 0021. A stage is any name that a DAG may have, and no closed list any more. Going back removes
what was told by other notices: the older program has no word for them.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

TABLES = ("runs", "notices", "deliveries", "delivery_loans", "message_counters", "return_counters")
FIVE = "'courtesy_notice', 'overdue_notice', 'first_reminder', 'second_reminder', 'registered_letter'"
NAMED_LIKE_A_STAGE = "stage ~ '^[a-z][a-z0-9]*(_[a-z0-9]+)*$'"
_OTHERS = f"SELECT run_id FROM runs WHERE stage NOT IN ({FIVE})"  # noqa: S608 - the list is this migration's own
_DELIVERIES = f"SELECT delivery_id FROM deliveries WHERE stage NOT IN ({FIVE})"  # noqa: S608 - as above
NO_OTHERS = (
    *(f"DELETE FROM {table} WHERE delivery_id IN ({_DELIVERIES})" for table in ("sms_acks", "mail_bounces")),  # noqa: S608 - as above
    *(f"DELETE FROM {table} WHERE stage NOT IN ({FIVE})" for table in ("deliveries", "notices")),  # noqa: S608 - as above
    *(
        f"DELETE FROM {table} WHERE run_id IN ({_OTHERS})"  # noqa: S608 - as above
        for table in (
            "message_counters", "return_counters", "counted_runs", "volume_answers", "question_answers", "loans_seen",
            "skips", "resends",
        )
    ),
    f"DELETE FROM runs WHERE stage NOT IN ({FIVE})",  # noqa: S608 - as above
    "DELETE FROM loan_ends WHERE NOT is_loan",
)  # fmt: skip


def _allow(condition: str) -> None:
    """Change a check of tables in use: what is there is checked afterwards, without a lock that stops others."""
    for table in TABLES:
        name = f"{table}_stage_check"
        op.execute(
            f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}, ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID"
        )
        op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")


def upgrade() -> None:
    with op.get_context().autocommit_block():
        _allow(NAMED_LIKE_A_STAGE)
    op.add_column("loan_ends", sa.Column("is_loan", sa.Boolean(), nullable=False, server_default=sa.text("true")))


def downgrade() -> None:
    for statement in NO_OTHERS:
        op.execute(statement)
    with op.get_context().autocommit_block():
        _allow(f"stage IN ({FIVE})")
    # Last, since this ended a transaction in the middle: whoever is cut short begins again with the column still there.
    op.drop_column("loan_ends", "is_loan")
