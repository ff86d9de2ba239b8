"""The tables of what stays when loans and readers are removed, and of what must not be removed yet.

`erased_cycles` keeps a keyed hash of each loan cycle that was removed, so that it is never told again; the key and how
far the removal got are in `retention_state`. `erasures` counts what was removed, by day and by who did it. `disputes`
are the loans and readers that a librarian wants kept, with the reason, who, and until when.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Identity,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

from loan_reminders.ledger.tables.columns import count, library_code, metadata, moment, words

erased_cycles = Table(
    "erased_cycles",
    metadata,
    library_code(),
    Column("hash", LargeBinary, nullable=False),
    PrimaryKeyConstraint("library", "hash"),
)

retention_state = Table(
    "retention_state",
    metadata,
    Column("library", Text, primary_key=True),
    Column("key", LargeBinary, nullable=False),
    Column("latest_due_date", Date),
    Column("ended_until", Date),
    Column("runs_until", Date),
    Column("journal_until", DateTime(timezone=True)),
    Column("hides_contacts", Boolean, nullable=False, server_default=text("false")),
)
"""`latest_due_date` and `ended_until` are the latest ones of all removed cycles: no later one needs to be looked for,
and no counter of a later day lacks a loan. Runs up to `runs_until` and lines of the journal up to `journal_until` need
no second look."""

erasures = Table(
    "erasures",
    metadata,
    Column("erasure_id", BigInteger, Identity(always=True), primary_key=True),
    library_code(),
    Column("day", Date, nullable=False),
    words("who"),
    count("loans"),
    count("messages"),
    count("readers"),
    count("batches"),
    count("folders"),
    count("contacts"),
    count("others"),
    moment("at", default=True),
    moment("told_at"),
    Index("erasures_to_tell", "library", "day", "who", unique=True, postgresql_where=text("told_at IS NULL")),
)
"""`told_at` is when the row was written to the journal: it never changes after that."""

disputes = Table(
    "disputes",
    metadata,
    Column("dispute_id", BigInteger, Identity(always=True), primary_key=True),
    library_code(),
    Column("patron_id", Text, nullable=False),
    words("loan_id"),
    words("title"),
    Column("reason", Text, nullable=False),
    Column("who", Text, nullable=False),
    moment("at", default=True),
    Column("until", Date, nullable=False),
    moment("closed_at"),
    words("closed_by"),
    Index(
        "one_dispute_each",
        "library",
        "patron_id",
        "loan_id",
        unique=True,
        postgresql_where=text("closed_at IS NULL"),
    ),
    Index("disputes_of_loan", "library", "loan_id", postgresql_where=text("closed_at IS NULL")),
)
