"""What the use cases about receipts, replies and the blacklist of the SMS provider need from the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from loan_reminders.domain.recipients import MobileNumber
from loan_reminders.domain.sms.feedback import BlacklistEntry, SmsAck, SmsReply
from loan_reminders.domain.suppressions.suppression import Suppression, SuppressionReason, SuppressionSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What settling the kept receipts and replies changed.

    `moved`: deliveries that changed state; `resolved`: those of them that were in doubt; `unknown`: receipts about no
    SMS of ours; `stops` and `dead_numbers`: numbers newly on the list.
    """

    acks: int = 0
    moved: int = 0
    resolved: int = 0
    unknown: int = 0
    replies: int = 0
    stops: int = 0
    dead_numbers: int = 0

    def __add__(self, other: Settled) -> Settled:
        return Settled(**{name: getattr(self, name) + getattr(other, name) for name in Settled.__slots__})


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class LastSms:
    """An SMS that a reply may answer; the greater one is the likelier: of the reply's own campaign, then the later."""

    of_campaign: bool
    left_at: datetime


class SmsFeedback(Protocol):
    """The part of the ledger where the provider's answers are kept. Raises LedgerUnavailable."""

    def campaigns_to_ask(self, since: datetime) -> Sequence[str]:
        """The provider's campaigns with an SMS attempted since, whose end is not known yet."""
        ...

    def campaigns_since(self, since: datetime) -> Sequence[str]:
        """All the provider's campaigns with an SMS attempted since."""
        ...

    def tell_lost_replies(self, day: date) -> None:
        """Tell the desk, once a day, that replies of readers may be lost."""
        ...

    def keep_acks(self, acks: Sequence[SmsAck]) -> int:
        """Keep receipts as they came, each once, before they are settled; returns how many are new."""
        ...

    def keep_replies(self, replies: Sequence[SmsReply]) -> int:
        """Keep replies as they came, each once, before they are settled; returns how many are new."""
        ...

    def last_sms(self, replies: Sequence[SmsReply]) -> Sequence[LastSms | None]:
        """For each reply the last SMS that this library sent to its number, None when it knows of none."""
        ...

    def put_aside(self) -> int:
        """How many rows could not be kept or settled, and were put aside, since this was last asked."""
        ...

    def settle(self, *, failures: int, again: bool = False) -> Settled:
        """Settle what was kept: deliveries change state, STOPs and dead numbers join the list.

        A number whose last `failures` SMS all failed for good is dead. `again` also looks once more at the receipts
        of the last day that were about no SMS of ours: the SMS may have been recorded since.
        """
        ...

    def keep_blacklist(self, entries: Sequence[BlacklistEntry]) -> int:
        """Put the provider's blacklist on the list; returns how many numbers are new."""
        ...

    def summary(self) -> SuppressionSummary:
        """How many are on the list, and whether anything is still paid for them."""
        ...

    def suppressions(
        self,
        *,
        recipient: str = "",
        limit: int = 500,
        offset: int = 0,
        reason: SuppressionReason | None = None,
        in_force: bool | None = None,
        oldest_first: bool = False,
    ) -> Sequence[Suppression]:
        """The list with its history, or the lines asked for: those in force first, then the newest or the oldest."""
        ...

    def suppress(self, number: MobileNumber, *, who: str, until: datetime | None = None, detail: str = "") -> bool:
        """A librarian puts a number on the list; False when it is there already."""
        ...

    def lift(self, suppression_id: int, *, who: str, why: str = "") -> bool:
        """A librarian ends one line of the list, for a reason; False when it was not in force."""
        ...


class SharedAccount(Protocol):
    """The other libraries that send by the same account at the provider. Raises LedgerUnavailable."""

    def keep_theirs(self, acks: Sequence[SmsAck]) -> Sequence[SmsAck]:
        """Keep receipts about an SMS of another library, for that one to settle; returns the rest."""
        ...
