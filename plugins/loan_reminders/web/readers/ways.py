"""How one reader can be written to, asked once for all that his page says of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from loan_reminders.domain.loans import Loan
from loan_reminders.domain.readers.resend import LastSent
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.suppressions.objections import Objection
from loan_reminders.domain.suppressions.suppression import Suppressed
from loan_reminders.ledger.dispute.reader_page import ReaderPageParts
from loan_reminders.services.runs.plan import recipients


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """How a reader can be written to: his last message by each channel, what he `refuses`, what is `suppressed`."""

    patron_id: str
    lasts: tuple[LastSent, ...]
    refuses: frozenset[Channel]
    suppressed: Suppressed


def ways_to_reader(
    ledger: ReaderPageParts, patron_id: str, *, objections: Sequence[Objection], loans: Sequence[Loan], today: date
) -> Ways:
    """The ways to a reader with these loans, who noted these objections. Raises LedgerUnavailable."""
    lasts = tuple(ledger.resends.last_of_each(patron_id, today=today))
    asked = [*recipients(loans), *(one.recipient for one in lasts if one.recipient is not None)]
    return Ways(
        patron_id=patron_id,
        lasts=lasts,
        refuses=frozenset(one.channel for one in objections if one.in_force),
        suppressed=ledger.holds.suppressed(asked),
    )
