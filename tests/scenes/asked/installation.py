"""What the check of an installation asks of its ledger."""

from __future__ import annotations

from loan_reminders.ledger.installation.inspection import LedgerInspection
from loan_reminders.ledger.repository import PostgresLedger


def installation(ledger: PostgresLedger) -> None:
    """Who the account is, what it may do, where the server is, and whether it has a run or told any reader yet."""
    inspection = LedgerInspection(ledger.engine, library=ledger.library)
    inspection.look()
    inspection.clock()
    inspection.place()
    inspection.any_run_in_earnest()
    inspection.any_run()
