"""Readers and loans that a librarian said not to write about."""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from loan_reminders.domain.loans import Loan
from loan_reminders.domain.runs.holds import Hold, HoldRefused
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


@dataclass
class HoldsKept:
    """What is held in a library in miniature, kept beside the ledger to compare with what was told."""

    ledger: PostgresLedger
    until: dict[tuple[str, str], date] = field(default_factory=dict)

    def forbid(self, loan: Loan, today: date) -> bool:
        """Whether nothing is to be said about a loan today."""
        return any(self.until.get((loan.patron.patron_id, one), date.min) >= today for one in ("", loan.loan_id))

    def decide(self, chance: random.Random, loans: Sequence[Loan], today: date) -> None:
        """A librarian holds a reader or a loan for some days, today at least; or lifts all of a reader."""
        loan = chance.choice(loans)
        reader, ours = loan.patron.patron_id, self.ledger.part(PostgresHolds)
        if chance.random() < 1 / 4:
            for one in ours.of_reader(reader):
                if one.in_force(today):
                    lift(self.ledger, one, today=today)
                self.until.pop((reader, one.loan_id), None)
            return
        loan_id, until = chance.choice(["", loan.loan_id]), today + timedelta(days=chance.choice([0, 0, 1, 3]))
        with suppress(HoldRefused):  # no run saw the loan yet
            hold(self.ledger, reader, loan_id=loan_id, until=until, today=today)
            self.until[reader, loan_id] = until
