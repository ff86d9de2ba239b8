"""The tables of what librarians decide about writing to one reader: not for a while, or the same once more.

`holds` are readers and loans not written to until a day; a line that is lifted stays. `resends` are the messages that
were sent once more, by hand: the index `one_resend_a_day` lets a reader have one a day by each channel. One that never
left does not count.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Date, ForeignKey, Identity, Index, Table, Text, Uuid, text

from loan_reminders.domain.stages import Channel
from loan_reminders.ledger.tables.columns import library_code, metadata, moment, of_run, one_of, words

holds = Table(
    "holds",
    metadata,
    Column("hold_id", BigInteger, Identity(always=True), primary_key=True),
    library_code(),
    Column("patron_id", Text, nullable=False),
    words("loan_id"),
    words("title"),
    Column("until", Date, nullable=False),
    Column("reason", Text, nullable=False),
    moment("at", default=True),
    Column("who", Text, nullable=False),
    moment("lifted_at"),
    words("lifted_by"),
    words("lift_reason"),
    Index(
        "one_hold_each",
        "library",
        "patron_id",
        "loan_id",
        unique=True,
        postgresql_where=text("lifted_at IS NULL"),
    ),
    Index("holds_by_end", "library", "until", "hold_id", postgresql_where=text("lifted_at IS NULL")),
    Index("holds_of_patron", "library", "patron_id", "hold_id"),
)

resends = Table(
    "resends",
    metadata,
    Column("delivery_id", Uuid, ForeignKey("deliveries.delivery_id", ondelete="CASCADE"), primary_key=True),
    library_code(),
    of_run(),
    Column("resend_of", Uuid, nullable=False),
    Column("patron_id", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("counts", Boolean, nullable=False, server_default=text("true")),
    Column("who", Text, nullable=False),
    moment("at", default=True),
    one_of("channel", (Channel.EMAIL, Channel.SMS)),
    Index(
        "one_resend_a_day",
        "library",
        "patron_id",
        "channel",
        "day",
        unique=True,
        postgresql_where=text("counts"),
    ),
    Index("resends_of_patron", "library", "patron_id", "at"),
)
