"""Who is not written to any more, by which channel, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from loan_reminders.domain.recipients import Recipient
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import SkipReason

HIDDEN = "empreinte:"
"""What a recipient begins with of which only a keyed hash is kept; no number and no address does."""


class SuppressionReason(StrEnum):
    """Why a recipient is on the list."""

    STOP = "stop"
    BLACKLIST = "blacklist"
    DEAD_NUMBER = "dead_number"
    BY_LIBRARIAN = "by_librarian"
    HARD_BOUNCE = "hard_bounce"
    RETURNED_UNDELIVERABLE = "returned_undeliverable"

    @property
    def skip_reason(self) -> SkipReason:
        """How a loan is skipped for it."""
        if self is SuppressionReason.DEAD_NUMBER:
            return SkipReason.DEAD_NUMBER
        if self in (SuppressionReason.HARD_BOUNCE, SuppressionReason.RETURNED_UNDELIVERABLE):
            return SkipReason.DEAD_ADDRESS
        return SkipReason.OPTED_OUT


class SuppressionSource(StrEnum):
    """Where we know it from."""

    REPLY = "reply"
    PROVIDER = "provider"
    RECEIPTS = "receipts"
    LIBRARIAN = "librarian"
    BOUNCES = "bounces"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """One line of the list. `until` None: for good; in force until then, or until a librarian lifts it.

    `sms_since` counts the SMS that left, or may have left, for this number after `since`.
    """

    suppression_id: int
    channel: Channel
    recipient: str
    reason: SuppressionReason
    source: SuppressionSource
    since: datetime
    until: datetime | None
    detail: str
    lifted_at: datetime | None
    lifted_by: str
    lifted_because: str
    in_force: bool
    sms_since: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressionSummary:
    """How many recipients are on the list, by reason, and how many SMS went to them since they were."""

    in_force: Mapping[SuppressionReason, int]
    sms_since: int


Suppressed = Mapping[Recipient, SkipReason]
"""The recipients on the list, and how a loan is skipped for each."""

NOBODY: Suppressed = MappingProxyType({})
