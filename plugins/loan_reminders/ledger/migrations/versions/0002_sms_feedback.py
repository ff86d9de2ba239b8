"""What comes back from the SMS provider: receipts and replies kept as they came, and the suppression list.

Revision: 0002, after 0001.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

REASONS = (
    "'dry_run', 'returned', 'renewed', 'superseded', 'expired', 'not_approved', 'same_number_today',"
    " 'opted_out', 'dead_number', 'invalid_recipient', 'recipient_refused', 'recipient_deferred',"
    " 'message_refused', 'not_rendered', 'text_too_long', 'no_answer', 'unreadable_answer', 'interrupted',"
    " 'not_sent', 'retries_exhausted'"
)
OLD_REASONS = (
    "'dry_run', 'returned', 'renewed', 'superseded', 'expired', 'not_approved', 'invalid_recipient',"
    " 'recipient_refused', 'recipient_deferred', 'message_refused', 'not_rendered', 'text_too_long', 'no_answer',"
    " 'unreadable_answer', 'interrupted', 'not_sent', 'retries_exhausted'"
)
SKIP_REASONS = (
    "'already_sent', 'superseded', 'expired', 'not_yet_due', 'opted_out', 'dead_number',"
    " 'invalid_recipient', 'no_recipient', 'not_eligible', 'returned', 'renewed', 'invalid_row', 'duplicate_row'"
)
OLD_SKIP_REASONS = (
    "'already_sent', 'superseded', 'expired', 'not_yet_due', 'opted_out', 'invalid_recipient', 'no_recipient',"
    " 'not_eligible', 'returned', 'renewed', 'invalid_row', 'duplicate_row'"
)
CLOSED_LISTS = (
    ("deliveries", REASONS, OLD_REASONS),
    ("receipts", REASONS, OLD_REASONS),
    ("skips", SKIP_REASONS, OLD_SKIP_REASONS),
)
# What the older program has no word for is told by its nearest one.
OLDER_WORDS = (
    "UPDATE deliveries SET reason = 'not_approved' WHERE reason IN ('same_number_today', 'opted_out', 'dead_number')",
    "UPDATE receipts SET reason = 'not_approved' WHERE reason IN ('same_number_today', 'opted_out', 'dead_number')",
    "UPDATE skips SET reason = 'opted_out' WHERE reason = 'dead_number'",
)
ACK_STATUSES = "'delivered', 'not_delivered', 'on_its_way', 'refused', 'rejected', 'unknown'"
CHANNELS = "'email', 'sms', 'letter', 'registered_letter'"
SUPPRESSION_REASONS = "'stop', 'blacklist', 'dead_number', 'by_librarian'"
SOURCES = "'reply', 'provider', 'receipts', 'librarian'"


def _moment(name: str, *, required: bool = False, default: bool = False) -> sa.Column[object]:
    now = sa.text("now()") if default else None
    return sa.Column(name, sa.DateTime(timezone=True), nullable=not (required or default), server_default=now)


def _words(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, server_default="")


def _closed_list(table: str, allowed: str) -> None:
    op.drop_constraint(op.f(f"{table}_reason_check"), table, type_="check")
    op.create_check_constraint(op.f(f"{table}_reason_check"), table, f"reason IN ({allowed})")


def upgrade() -> None:
    for table, allowed, _ in CLOSED_LISTS:
        _closed_list(table, allowed)
    op.add_column("deliveries", _words("campaign_id"))
    # Neither column ever changes: the index keeps none of a delivery's updates out of its page.
    op.create_index(
        "sms_of_number", "deliveries", ["library", "recipient"], postgresql_where=sa.text("channel = 'sms'")
    )
    op.create_index("receipts_of_provider", "receipts", ["provider_id"], postgresql_where=sa.text("provider_id <> ''"))
    op.create_table(
        "sms_acks",
        sa.Column("ack_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("phone_number", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        _words("comment"),
        _moment("received_at"),
        _words("sms_id"),
        _words("campaign_id"),
        _words("raw"),
        _moment("at", default=True),
        _moment("settled_at"),
        sa.Column("delivery_id", sa.Uuid()),
        sa.PrimaryKeyConstraint("ack_id", name="sms_acks_pkey"),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["deliveries.delivery_id"], name="sms_acks_delivery_id_fkey", ondelete="SET NULL"
        ),
        sa.UniqueConstraint("library", "fingerprint", name="one_ack_each"),
        sa.CheckConstraint(f"status IN ({ACK_STATUSES})", name=op.f("sms_acks_status_check")),
    )
    op.create_index(
        "sms_acks_to_settle", "sms_acks", ["library", "ack_id"], postgresql_where=sa.text("settled_at IS NULL")
    )
    op.create_index("sms_acks_unknown", "sms_acks", ["library", "at"], postgresql_where=sa.text("delivery_id IS NULL"))
    op.create_index("sms_acks_of_delivery", "sms_acks", ["delivery_id"])
    op.create_table(
        "sms_replies",
        sa.Column("reply_number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("reply_id", sa.Text(), nullable=False),
        sa.Column("phone_number", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        _moment("received_at"),
        _words("campaign_id"),
        _words("raw"),
        _moment("at", default=True),
        _moment("settled_at"),
        sa.PrimaryKeyConstraint("reply_number", name="sms_replies_pkey"),
        sa.UniqueConstraint("library", "reply_id", name="one_reply_each"),
    )
    op.create_index(
        "sms_replies_to_settle",
        "sms_replies",
        ["library", "reply_number"],
        postgresql_where=sa.text("settled_at IS NULL"),
    )
    op.create_table(
        "suppressions",
        sa.Column("suppression_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        _moment("since", required=True),
        _moment("until"),
        _words("detail"),
        _moment("at", default=True),
        _moment("lifted_at"),
        _words("lifted_by"),
        sa.PrimaryKeyConstraint("suppression_id", name="suppressions_pkey"),
        sa.CheckConstraint(f"channel IN ({CHANNELS})", name=op.f("suppressions_channel_check")),
        sa.CheckConstraint(f"reason IN ({SUPPRESSION_REASONS})", name=op.f("suppressions_reason_check")),
        sa.CheckConstraint(f"source IN ({SOURCES})", name=op.f("suppressions_source_check")),
    )
    op.create_index(
        "one_in_force",
        "suppressions",
        ["library", "channel", "recipient"],
        unique=True,
        postgresql_where=sa.text("lifted_at IS NULL"),
    )
    op.create_index("suppressions_of_recipient", "suppressions", ["library", "channel", "recipient"])


def downgrade() -> None:
    for table in ("suppressions", "sms_replies", "sms_acks"):
        op.drop_table(table)
    op.drop_index("receipts_of_provider", "receipts")
    op.drop_index("sms_of_number", "deliveries")
    op.drop_column("deliveries", "campaign_id")
    for statement in OLDER_WORDS:
        op.execute(statement)
    for table, _, allowed in CLOSED_LISTS:
        _closed_list(table, allowed)
