"""The part of the ledger that removes what was kept long enough."""

from __future__ import annotations

from loan_reminders.ledger.removal.removal import PostgresRetention
from loan_reminders.ledger.repository import PostgresLedger


def retention(ledger: PostgresLedger) -> PostgresRetention:
    """The removal, on a ledger that is open."""
    return ledger.part(PostgresRetention)
