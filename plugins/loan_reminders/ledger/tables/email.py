"""The table of e-mails that came back: each report once, as it was understood, with what it said."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Identity, Index, Table, Text, UniqueConstraint, Uuid, text

from loan_reminders.domain.email.feedback import BounceKind
from loan_reminders.ledger.tables.columns import library_code, metadata, moment, one_of, words

mail_bounces = Table(
    "mail_bounces",
    metadata,
    Column("bounce_id", BigInteger, Identity(always=True), primary_key=True),
    library_code(),
    Column("fingerprint", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("delivery_id", Uuid, ForeignKey("deliveries.delivery_id", ondelete="SET NULL")),
    words("recipient"),
    words("status"),
    words("diagnostic"),
    words("raw"),
    moment("received_at"),
    moment("at", default=True),
    moment("settled_at"),
    moment("held_at"),
    words("decided_by"),
    UniqueConstraint("library", "fingerprint", name="one_bounce_each"),
    one_of("kind", BounceKind),
    Index("mail_bounces_to_settle", "library", "bounce_id", postgresql_where=text("settled_at IS NULL")),
    Index(
        "mail_bounces_held",
        "library",
        "bounce_id",
        postgresql_where=text("held_at IS NOT NULL AND settled_at IS NULL"),
    ),
    Index("mail_bounces_of_delivery", "delivery_id"),
    Index("mail_bounces_of_recipient", "library", "recipient"),
)
