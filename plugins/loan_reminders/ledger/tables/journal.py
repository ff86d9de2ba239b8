"""The tables of who did what on the pages.

`journal` holds one line for each act of a person; a trigger refuses to change or remove any. `form_keys` are the forms
that were sent, so that none is acted upon twice; they are of no use after a day.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Identity, Index, PrimaryKeyConstraint, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from loan_reminders.domain.journal import JournalAct
from loan_reminders.ledger.tables.columns import library_code, metadata, moment, one_of, words

journal = Table(
    "journal",
    metadata,
    Column("entry_id", BigInteger, Identity(always=True), primary_key=True),
    library_code(),
    moment("at", default=True),
    Column("who", Text, nullable=False),
    Column("act", Text, nullable=False),
    words("patron_id"),
    Column("delivery_id", Uuid),
    Column("batch_id", BigInteger),
    Column("run_id", BigInteger),
    words("detail"),
    Column("facts", JSONB, nullable=False, server_default="{}"),
    one_of("act", JournalAct),
    Index("journal_by_age", "library", "at", "entry_id"),
    Index("journal_of_person", "library", "who", "at", "entry_id"),
    Index("journal_of_act", "library", "act", "at", "entry_id"),
    Index("journal_of_patron", "library", "patron_id", "at", "entry_id", postgresql_where=text("patron_id <> ''")),
)

form_keys = Table(
    "form_keys",
    metadata,
    Column("key", Uuid, nullable=False),
    library_code(),
    moment("at", default=True),
    Column("who", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("led_to", Text),
    PrimaryKeyConstraint("library", "key"),
    Index("form_keys_by_age", "at"),
)
