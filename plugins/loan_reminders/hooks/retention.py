"""The part of the ledger that removes what was kept long enough."""

from __future__ import annotations

from loan_reminders.domain.ports.outside import Ledger
from loan_reminders.domain.ports.retention import Retention
from loan_reminders.ledger.removal.removal import PostgresRetention
from loan_reminders.ledger.repository import PostgresLedger


def retention(ledger: Ledger | PostgresLedger) -> Retention:
    """The removal, on a ledger that is open. Raises TypeError for one of another make."""
    if not isinstance(ledger, PostgresLedger):
        raise TypeError(f"{type(ledger).__name__} has no part that removes")
    return ledger.part(PostgresRetention)
