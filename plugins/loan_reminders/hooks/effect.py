"""The part of the ledger that counts what SMS do, and the package that works intervals out."""

from __future__ import annotations

from loan_reminders.domain.ports.outside import Ledger
from loan_reminders.domain.ports.statistics import EffectCounts, Statistics
from loan_reminders.gateways.statistics.regressions import Regressions
from loan_reminders.ledger.repository import PostgresLedger
from loan_reminders.ledger.statistics.effect import PostgresEffect


def effect_counts(ledger: Ledger | PostgresLedger) -> EffectCounts:
    """The counts, on a ledger that is open. Raises TypeError for one of another make."""
    if not isinstance(ledger, PostgresLedger):
        raise TypeError(f"{type(ledger).__name__} has no part that counts what SMS do")
    return ledger.part(PostgresEffect)


def statistics() -> Statistics:
    """What works out intervals; it is loaded at its first figure."""
    return Regressions()
