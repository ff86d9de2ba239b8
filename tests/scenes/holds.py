"""Readers and loans that a librarian said not to write about."""

from __future__ import annotations

from datetime import date
from typing import Any

from loan_reminders.domain.runs.holds import Hold
from loan_reminders.ledger.readers.holds import PostgresHolds
from loan_reminders.ledger.repository import PostgresLedger


def hold(ledger: PostgresLedger, patron_id: str, *, until: date, loan_id: str = "", **changes: Any) -> Hold:
    """A hold placed on its last day by Zoé, unless said."""
    values: dict[str, Any] = {"reason": "conteste le prêt", "who": "zoé", "today": until}
    return ledger.part(PostgresHolds).place(patron_id=patron_id, loan_id=loan_id, until=until, **{**values, **changes})


def lift(ledger: PostgresLedger, held: Hold, *, today: date | None = None) -> Hold:
    """Zoé lifts it."""
    return ledger.part(PostgresHolds).lift(
        held.hold_id, reason="document retrouvé", who="zoé", today=today or held.until
    )
