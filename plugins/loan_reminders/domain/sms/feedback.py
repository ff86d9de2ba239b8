"""What comes back from the SMS provider: receipts, replies, its blacklist, and what is left on the account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from loan_reminders.domain.errors import SmsGatewayUnavailable


class SmsRepliesLost(SmsGatewayUnavailable):
    """The answer that may have held readers' replies never came, and the provider does not give them a second time."""


class AckStatus(StrEnum):
    """What became of an SMS, in the provider's five codes (1 to 5), or a code nobody knows yet."""

    DELIVERED = "delivered"
    NOT_DELIVERED = "not_delivered"
    ON_ITS_WAY = "on_its_way"
    REFUSED = "refused"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsAck:
    """A receipt. `sms_id` is empty when the provider gives the number alone; `received_at` has the library's zone."""

    phone_number: str
    status: AckStatus
    comment: str
    received_at: datetime | None
    sms_id: str = ""
    campaign_id: str = ""
    raw: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsReply:
    """What a reader answered. `reply_id` is the provider's, the same each time it is given."""

    reply_id: str
    phone_number: str
    text: str
    received_at: datetime | None
    campaign_id: str = ""
    raw: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlacklistEntry:
    """A number the provider does not write to any more, and why (`stop`, `Refused`…)."""

    phone_number: str
    comment: str
    received_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsCredit:
    """What the account can still pay: French segments, and the provider's own amount and unit."""

    segments: int
    amount: float
    unit: str
