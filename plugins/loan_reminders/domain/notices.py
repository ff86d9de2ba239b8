"""What the library says: a notice to a reader, its deliveries, and what was left out and why."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from loan_reminders.domain.loans import Loan, Patron
from loan_reminders.domain.recipients import Recipient
from loan_reminders.domain.stages import Channel, Slot, Stage
from loan_reminders.domain.states import DeliveryState, SkipReason


class LoanKey(NamedTuple):
    """A loan in one cycle: a renewal moves the due date and opens a new cycle.

    A tuple, because planning looks up a dozen of them for each loan: it is made and found in a third of the time.
    """

    loan_id: str
    due_date: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One reader × one stage × all that reader's loans of that due date."""

    notice_id: uuid.UUID = field(default_factory=uuid.uuid4)
    stage: Stage
    patron: Patron
    due_date: date
    loans: tuple[Loan, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One notice by one channel to one recipient, about some or all of its loans.

    `first`: an SMS to a number that none has reached before.
    """

    delivery_id: uuid.UUID = field(default_factory=uuid.uuid4)
    notice: Notice
    channel: Channel
    recipient: Recipient
    loans: tuple[Loan, ...]
    first: bool = False

    @property
    def slot(self) -> Slot:
        """The slot this delivery takes for each of its loans."""
        return self.channel.slot


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """A loan that leads to no notice (`slot` None), or to none in one slot; `detail` is a code, never personal data."""

    loan_id: str
    due_date: date | None
    patron_id: str
    reason: SkipReason
    slot: Slot | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreachable:
    """A reader whom no channel of the stage can reach, for the desk's list."""

    notice: Notice
    reason: SkipReason
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What planning decided for some loans: notices to route, and loans skipped."""

    notices: tuple[Notice, ...]
    skipped: tuple[Skip, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """What routing decided for one notice: its deliveries, and the slots left empty with their reason."""

    deliveries: tuple[Delivery, ...]
    skipped: tuple[Skip, ...]


History = dict[tuple[LoanKey, Slot], DeliveryState]
"""The live claims of one stage: which loans are already taken, by slot, and how far their delivery is."""

Refused = Mapping[LoanKey, Collection[Recipient]]
"""The recipients that refused one stage's message (refused or bounced) about a loan."""
