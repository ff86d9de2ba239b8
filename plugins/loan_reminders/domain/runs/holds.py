"""« Ne pas écrire » : readers and loans that the library does not write about until a day."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from loan_reminders.domain.errors import CodedError
from loan_reminders.domain.loans import Loan

LONGEST = timedelta(days=366)
"""How far away the end of a hold may be: whoever wants more decides anew."""


class HoldRefusal(StrEnum):
    """Why a hold is not placed, or not lifted."""

    NO_REASON = "no_reason"
    PAST = "past"
    TOO_FAR = "too_far"
    UNKNOWN_READER = "unknown_reader"
    UNKNOWN_LOAN = "unknown_loan"
    NOT_IN_FORCE = "not_in_force"


class HoldRefused(CodedError):
    """A hold cannot be placed or lifted; the code is a `HoldRefusal`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Not to write to a reader about one loan (`loan_id`, `title`), or about any (""), up to and including a day.

    A line that was lifted stays, with who lifted it and why; one that another took the place of was lifted by it.
    """

    hold_id: int
    patron_id: str
    loan_id: str
    until: date
    reason: str
    at: datetime
    who: str
    lifted_at: datetime | None = None
    lifted_by: str = ""
    lift_reason: str = ""
    title: str = ""

    @property
    def whole_reader(self) -> bool:
        """Whether nothing at all is written to the reader."""
        return not self.loan_id

    def in_force(self, today: date) -> bool:
        """Whether it holds on a day."""
        return self.lifted_at is None and today <= self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What is held on one day: whole readers by their `patron_id`, and single loans by reader and loan."""

    readers: frozenset[str] = field(default_factory=frozenset)
    loans: frozenset[tuple[str, str]] = field(default_factory=frozenset)

    def holds(self, loan: Loan) -> bool:
        """Whether nothing is written about a loan."""
        reader = loan.patron.patron_id
        return reader in self.readers or (reader, loan.loan_id) in self.loans


NOTHING_HELD = Held()


def check_hold(*, until: date, reason: str, today: date) -> None:
    """Raise HoldRefused when a hold that begins today says no reason, ends before it begins, or lasts too long."""
    if not reason.strip():
        raise HoldRefused(HoldRefusal.NO_REASON)
    if until < today:
        raise HoldRefused(HoldRefusal.PAST)
    if until > today + LONGEST:
        raise HoldRefused(HoldRefusal.TOO_FAR, last=today + LONGEST)
