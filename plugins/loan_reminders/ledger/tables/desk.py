"""The tables of what librarians see to by hand, on the desk page.

`desk_settlements` keeps who saw to the reader of a delivery that did not arrive. `put_aside` keeps the receipts,
replies and bounces that could not be kept or settled.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Identity, Index, Table, Text, UniqueConstraint, Uuid

from loan_reminders.domain.desk import AsideKind
from loan_reminders.ledger.tables.columns import library_code, metadata, moment, one_of, words

desk_settlements = Table(
    "desk_settlements",
    metadata,
    Column("delivery_id", Uuid, ForeignKey("deliveries.delivery_id", ondelete="CASCADE"), primary_key=True),
    library_code(),
    moment("at", default=True),
    Column("who", Text, nullable=False),
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
