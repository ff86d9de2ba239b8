"""« Litige » : what is kept beyond its time because a reader contests, until a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from loan_reminders.domain.errors import CodedError

LONGEST = timedelta(days=2 * 366)
"""How far away the end of a dispute may be: whoever needs more says so anew."""

LONGEST_REASON = 300


class DisputeRefusal(StrEnum):
    """Why a dispute is not noted, or not closed."""

    NO_REASON = "no_reason"
    PAST = "past"
    TOO_FAR = "too_far"
    UNKNOWN_READER = "unknown_reader"
    UNKNOWN_LOAN = "unknown_loan"
    NOT_OPEN = "not_open"


class DisputeRefused(CodedError):
    """A dispute cannot be noted or closed; the code is a `DisputeRefusal`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeFlag:
    """Keep all about one loan of a reader, or about all (`loan_id` empty), up to and including a day."""

    dispute_id: int
    patron_id: str
    loan_id: str
    title: str
    reason: str
    who: str
    at: datetime
    until: date


def check_dispute(*, until: date, reason: str, today: date) -> None:
    """Raise DisputeRefused when a dispute noted today says no reason, ends before it begins, or lasts too long."""
    if not reason.strip():
        raise DisputeRefused(DisputeRefusal.NO_REASON)
    if until < today:
        raise DisputeRefused(DisputeRefusal.PAST)
    if until > today + LONGEST:
        raise DisputeRefused(DisputeRefusal.TOO_FAR, last=today + LONGEST)
