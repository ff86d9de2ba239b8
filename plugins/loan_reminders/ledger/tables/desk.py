"""The table of what the desk has settled: a delivery that did not arrive, and who saw to its reader."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Table, Text, Uuid

from loan_reminders.ledger.tables.columns import library_code, metadata, moment

desk_settlements = Table(
    "desk_settlements",
    metadata,
    Column("delivery_id", Uuid, ForeignKey("deliveries.delivery_id", ondelete="CASCADE"), primary_key=True),
    library_code(),
    moment("at", default=True),
    Column("who", Text, nullable=False),
)
