"""The table of readers as the ILS last described them, to be found by card, name, address or number.

`reader_number` stands in the addresses of pages, which hold no personal data. `trigrams` are those of `name_words`
(`domain/readers/names.py` says how they are made); its index serves every search by name.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    Identity,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from loan_reminders.ledger.tables.columns import library_code, metadata, words

readers = Table(
    "readers",
    metadata,
    Column("reader_number", BigInteger, Identity(always=True), nullable=False),
    library_code(),
    Column("patron_id", Text, nullable=False),
    words("card"),
    words("name"),
    Column("name_words", ARRAY(Text), nullable=False, server_default="{}"),
    Column("trigrams", ARRAY(Text), nullable=False, server_default="{}"),
    words("email"),
    words("mobile"),
    words("category"),
    words("branch"),
    Column("last_seen_on", Date, nullable=False),
    PrimaryKeyConstraint("library", "patron_id"),
    UniqueConstraint("reader_number", name="one_reader_a_number"),
    Index("readers_of_card", "library", "card", postgresql_where=text("card <> ''")),
    Index("readers_of_email", "library", text("lower(email)")),
    Index("readers_of_mobile", "library", "mobile", postgresql_where=text("mobile <> ''")),
    Index("readers_of_name", "trigrams", postgresql_using="gin"),
    Index("readers_by_day", "library", "last_seen_on", "patron_id"),
)
