"""The tables of what comes back from the SMS provider.

`sms_acks` and `sms_replies` keep every receipt and reply as it came, once each; `settled_at` is when it was settled.
A reply that the program makes nothing of is `to_read`, until a person has (`read_at`, `read_by`).
`sms_credits` keeps what the provider said was left on the account, in segments, each time it was asked.

`sms_choices` are the readers who said yes or no to SMS, by the number that the ILS gives them: what holds now, the
journal knows what held before. `numbers_known` are keyed hashes of numbers that an SMS once reached and whose messages
are removed, with the day of the last one.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from loan_reminders.domain.loans import SmsChoice
from loan_reminders.domain.sms.choices import ChoiceSource
from loan_reminders.domain.sms.feedback import AckStatus
from loan_reminders.ledger.tables.columns import library_code, metadata, moment, one_of, words

PAID = "('accepted', 'delivered', 'bounced', 'in_doubt', 'claimed')"
"""In SQL, the states of an SMS that the provider took, or may have taken, and is paid for."""
CLAIMED_AT = "coalesce({delivery}claimed_at, '-infinity')"
"""In SQL, when an SMS of a number was claimed, as no index holds it.

By the bare column, PostgreSQL may look for the SMS of one number through all those that were claimed: on a new ledger
it knows no sizes, and takes that index for as good as the one of the number.
"""

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
    Index(
        "sms_acks_of_nobody", "library", text("left(phone_number, 40)"), postgresql_where=text("delivery_id IS NULL")
    ),
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
    Column("to_read", Boolean, nullable=False, server_default=text("false")),
    moment("read_at"),
    words("read_by"),
    UniqueConstraint("library", "reply_id", name="one_reply_each"),
    Index("sms_replies_to_settle", "library", "reply_number", postgresql_where=text("settled_at IS NULL")),
    Index("sms_replies_to_read", "library", "at", "reply_number", postgresql_where=text("to_read")),
    Index("sms_replies_by_age", "library", "at"),
    Index("sms_replies_of_number", "library", text("left(phone_number, 40)")),
)

sms_credits = Table(
    "sms_credits",
    metadata,
    Column("credit_id", BigInteger, Identity(always=True), primary_key=True),
    library_code(),
    moment("at", default=True),
    Column("segments", BigInteger, nullable=False),
    Index("sms_credits_by_moment", "library", "at"),
)

sms_choices = Table(
    "sms_choices",
    metadata,
    Column("choice_id", BigInteger, Identity(always=True), primary_key=True),
    library_code(),
    Column("patron_id", Text, nullable=False),
    Column("choice", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("who", Text, nullable=False),
    moment("at", default=True),
    UniqueConstraint("library", "patron_id", name="one_choice_each"),
    one_of("choice", SmsChoice),
    one_of("source", ChoiceSource),
    Index("sms_choices_by_age", "library", "at", "choice_id"),
)

numbers_known = Table(
    "numbers_known",
    metadata,
    library_code(),
    Column("number", Text, nullable=False),
    Column("last_on", Date, nullable=False),
    PrimaryKeyConstraint("library", "number"),
    Index("numbers_known_by_day", "library", "last_on"),
)
