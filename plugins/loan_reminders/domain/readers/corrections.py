"""Contacts of readers that fail: what is wrong with each, and what a librarian said of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ContactFault(StrEnum):
    """What is wrong with a contact. A reader has one line at most of each."""

    NO_CONTACT = "no_contact"
    UNUSABLE_ADDRESS = "unusable_address"
    RETURNED_LETTER = "returned_letter"
    BOUNCED_EMAIL = "bounced_email"
    UNUSABLE_EMAIL = "unusable_email"
    DEAD_NUMBER = "dead_number"
    STOP = "stop"


class CorrectionOutcome(StrEnum):
    """What a librarian said of a line: it was put right in the ILS, or nothing can be done."""

    CORRECTED = "corrected"
    IGNORED = "ignored"


class CorrectionOrder(StrEnum):
    """What the list is ordered by."""

    NOTICES = "notices"
    SINCE = "since"
    READER = "reader"
    FAULT = "fault"
    BRANCH = "branch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A contact that fails. `notices` counts those that did not reach the reader by it, or not at all.

    `contact` is the number or address, as the list of suppressions has it, or the code of what is wrong with it.
    `suppression_id` is the line there, where there is one. `settled_…` tell of a word that was said before it failed
    once more.
    """

    correction_id: int
    patron_id: str
    reader_number: int | None
    reader_name: str
    reader_card: str
    fault: ContactFault
    contact: str
    branch: str
    since: datetime
    failed_at: datetime
    notices: int
    suppression_id: int | None
    settled_at: datetime | None
    settled_by: str
    outcome: CorrectionOutcome | None
    because: str
