"""Erasure at a reader's request: what goes at once, and what stays for a while or for good, with why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol

from loan_reminders.domain.errors import CodedError
from loan_reminders.domain.retention.terms import Removed


class StaysBecause(StrEnum):
    """Why something of a reader stays. The first ones go later, by themselves or once a person has acted."""

    OPEN_LOAN = "open_loan"
    DISPUTE = "dispute"
    HOLD = "hold"
    RUN_UNDER_WAY = "run_under_way"
    LETTER_NOT_PRINTED = "letter_not_printed"
    REGISTERED_UNDER_WAY = "registered_under_way"
    PRINTED_FILE = "printed_file"
    UNSETTLED_ANSWER = "unsettled_answer"

    CYCLE_HASH = "cycle_hash"
    STOP_HASH = "stop_hash"
    SHARED_CONTACT = "shared_contact"
    OBJECTION_HASH = "objection_hash"
    SMS_NO_HASH = "sms_no_hash"
    COUNTERS = "counters"
    JOURNAL = "journal"
    BACKUPS = "backups"


GOES_LATER = (
    StaysBecause.OPEN_LOAN,
    StaysBecause.DISPUTE,
    StaysBecause.HOLD,
    StaysBecause.RUN_UNDER_WAY,
    StaysBecause.LETTER_NOT_PRINTED,
    StaysBecause.REGISTERED_UNDER_WAY,
)
"""What keeps the reader himself in the ledger; the rest names nobody, or is a file that lasts as long as its batch."""


class ErasureRefusal(StrEnum):
    """Why nothing is erased."""

    UNKNOWN_READER = "unknown_reader"


class ErasureRefused(CodedError):
    """Nothing can be erased; the code is an `ErasureRefusal`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stays:
    """So many things stay for this reason, `until` a day where one is known."""

    why: StaysBecause
    number: int = 0
    until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """What an erasure removes, or removed, and what stays."""

    removed: Removed
    stays: tuple[Stays, ...]

    @property
    def complete(self) -> bool:
        """Whether nothing is left that names the reader, but for printed files and backups."""
        return self.removed.readers > 0


class ReaderErasure(Protocol):
    """The part of the ledger that erases a reader at his request. Raises LedgerUnavailable."""

    def erase(self, patron_id: str, *, today: date, who: str, rehearse: bool) -> Erasure:
        """Erase what need not stay, in one transaction, or with `rehearse` only find out. Raises ErasureRefused."""
        ...
