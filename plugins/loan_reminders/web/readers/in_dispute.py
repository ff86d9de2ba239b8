"""The part « En litige » of a reader's page: what a librarian wants kept beyond its time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from loan_reminders.domain.readers.reader import ReaderLoan
from loan_reminders.domain.retention.disputes import LONGEST, DisputeFlag
from loan_reminders.french.days import day_words, when_words


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagRow:
    """One open dispute, in words."""

    dispute_id: int
    about: str
    until: str
    reason: str
    noted: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InDispute:
    """The part of the page: what is open, the loans that a new one may be about, and the days between which it ends."""

    flags: tuple[FlagRow, ...]
    loans: tuple[tuple[str, str], ...]
    first_day: str
    last_day: str


def kept(flags: Sequence[DisputeFlag], loans: Sequence[ReaderLoan], *, now: datetime, zone: tzinfo) -> InDispute:
    """The part of a reader's page about disputes; `loans` are all of the reader's."""
    today = now.astimezone(zone).date()
    return InDispute(
        flags=tuple(
            FlagRow(
                dispute_id=flag.dispute_id,
                about=(flag.title or "document sans titre") if flag.loan_id else "Tout ce qui concerne ce lecteur",
                until=f"jusqu'au {day_words(flag.until)}",
                reason=flag.reason,
                noted=f"par {flag.who}, {when_words(flag.at, now=now, zone=zone)}",
            )
            for flag in flags
        ),
        loans=tuple((one.loan_id, one.title or "document sans titre") for one in loans if one.title is not None),
        first_day=today.isoformat(),
        last_day=(today + LONGEST).isoformat(),
    )
