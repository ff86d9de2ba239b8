"""What readers answered to an SMS, and is no STOP, waits for a person to read it.

Revision: 0028. Three columns, an index made while the ledger is in use, and one list of acts made longer. Of what was
answered before, the last thirty days wait to be read: a reader who objected then is heard late, not never; what is
older would only hide it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from loan_reminders.domain.sms.stop_words import is_stop

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

OUR_ACT, NEAREST_OLDER_ACT = "reply_settled", "aside_settled"
COLUMNS = ("to_read boolean NOT NULL DEFAULT false", "read_at timestamptz", "read_by text NOT NULL DEFAULT ''")
LATELY = "SELECT reply_number, phone_number, text FROM sms_replies WHERE at > now() - interval '30 days'"


def upgrade() -> None:
    # First, since it ends a transaction in the middle: whoever is cut short begins again.
    added = ", ".join(f"ADD COLUMN IF NOT EXISTS {column}" for column in COLUMNS)
    op.execute(f"ALTER TABLE sms_replies {added}")
    _acts(OUR_ACT)
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS sms_replies_to_read")
        op.execute(
            "CREATE INDEX CONCURRENTLY sms_replies_to_read ON sms_replies (library, at, reply_number) WHERE to_read"
        )
    replies = op.get_bind().execute(sa.text(LATELY)).all()
    waiting = [row.reply_number for row in replies if not (row.phone_number and is_stop(row.text))]
    op.get_bind().execute(
        sa.text("UPDATE sms_replies SET to_read = true WHERE reply_number = ANY(:waiting)"), {"waiting": waiting}
    )


def downgrade() -> None:
    # The journal is never changed by a program; a downgrade alone may tell the new act by its nearest older word.
    op.execute("ALTER TABLE journal DISABLE TRIGGER USER")
    op.execute(f"UPDATE journal SET act = '{NEAREST_OLDER_ACT}' WHERE act = '{OUR_ACT}'")  # noqa: S608 - our words
    op.execute("ALTER TABLE journal ENABLE TRIGGER USER")
    _acts()
    op.drop_index("sms_replies_to_read", "sms_replies")
    for column in COLUMNS:
        op.drop_column("sms_replies", column.partition(" ")[0])


def _acts(*ours: str) -> None:
    """Exchange the closed list of acts for the one that is there, without our own one, and these."""
    known = (
        op.get_bind()
        .execute(sa.text("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'journal_act_check'"))
        .scalar_one()
    )
    words = ", ".join(f"'{act}'" for act in (*(act for act in known.split("'")[1::2] if act != OUR_ACT), *ours))
    op.execute("ALTER TABLE journal DROP CONSTRAINT journal_act_check")
    op.execute(f"ALTER TABLE journal ADD CONSTRAINT journal_act_check CHECK (act IN ({words})) NOT VALID")
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE journal VALIDATE CONSTRAINT journal_act_check")
