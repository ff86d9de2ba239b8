"""The tables of what comes back from the SMS provider, and of what nothing could be made of (`put_aside`).

`sms_acks` and `sms_replies` keep every receipt and reply as it came, once each, before anything is made of it;
`settled_at` says when something was. `suppressions` is the list of those who are not written to any more, with its
history: a line that is lifted stays, and the index `one_in_force` lets one line in force exist per recipient.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from loan_reminders.domain.desk import AsideKind
from loan_reminders.domain.sms.feedback import AckStatus
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.suppressions.suppression import SuppressionReason, SuppressionSource
from loan_reminders.ledger.tables.columns import library_code, metadata, moment, one_of, words

sms_acks = Table(
    "sms_acks",
    metadata,
    Column("ack_id", BigInteger, Identity(always=True), primary_key=True),
    library_code(),
    Column("fingerprint", Text, nullable=False),
    Column("phone_number", Text, nullable=False),
    Column("status", Text, nullable=False),
    words("comment"),
    moment("received_at"),
    words("sms_id"),
    words("campaign_id"),
    words("raw"),
    moment("at", default=True),
    moment("settled_at"),
    Column("misdated", Boolean, nullable=False, server_default=text("false")),
    Column("delivery_id", Uuid, ForeignKey("deliveries.delivery_id", ondelete="SET NULL")),
    UniqueConstraint("library", "fingerprint", name="one_ack_each"),
    one_of("status", AckStatus),
    Index("sms_acks_to_settle", "library", "ack_id", postgresql_where=text("settled_at IS NULL")),
    Index("sms_acks_unknown", "library", "at", postgresql_where=text("delivery_id IS NULL")),
    Index("sms_acks_of_delivery", "delivery_id"),
)

sms_replies = Table(
    "sms_replies",
    metadata,
    Column("reply_number", BigInteger, Identity(always=True), primary_key=True),
    library_code(),
    Column("reply_id", Text, nullable=False),
    Column("phone_number", Text, nullable=False),
    Column("text", Text, nullable=False),
    moment("received_at"),
    words("campaign_id"),
    words("raw"),
    moment("at", default=True),
    moment("settled_at"),
    UniqueConstraint("library", "reply_id", name="one_reply_each"),
    Index("sms_replies_to_settle", "library", "reply_number", postgresql_where=text("settled_at IS NULL")),
)

put_aside = Table(
    "put_aside",
    metadata,
    Column("put_aside_id", BigInteger, Identity(always=True), primary_key=True),
    library_code(),
    Column("kind", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    words("about"),
    words("said"),
    words("why"),
    moment("at", default=True),
    UniqueConstraint("library", "kind", "fingerprint", name="one_put_aside_each"),
    one_of("kind", AsideKind),
    Index("put_aside_of_late", "library", "at"),
)

suppressions = Table(
    "suppressions",
    metadata,
    Column("suppression_id", BigInteger, Identity(always=True), primary_key=True),
    library_code(),
    Column("channel", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("since", DateTime(timezone=True), nullable=False),
    moment("until"),
    words("detail"),
    moment("at", default=True),
    moment("lifted_at"),
    words("lifted_by"),
    one_of("channel", Channel),
    one_of("reason", SuppressionReason),
    one_of("source", SuppressionSource),
    Index(
        "one_in_force",
        "library",
        "channel",
        "recipient",
        unique=True,
        postgresql_where=text("lifted_at IS NULL"),
    ),
    Index("suppressions_of_recipient", "library", "channel", "recipient"),
    Index("suppressions_by_age", "library", "since", "suppression_id"),
    Index("suppressions_in_force", "library", "since", "suppression_id", postgresql_where=text("lifted_at IS NULL")),
)
