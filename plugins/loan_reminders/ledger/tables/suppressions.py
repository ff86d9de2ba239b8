"""The table of those who are not written to any more, with its history.

A line that is lifted stays. The index `one_in_force` lets one line in force exist per recipient.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, Table, Text, text

from loan_reminders.domain.stages import Channel
from loan_reminders.domain.suppressions.suppression import SuppressionReason, SuppressionSource
from loan_reminders.ledger.tables.columns import library_code, metadata, moment, one_of, words

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
    words("lifted_because"),
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
