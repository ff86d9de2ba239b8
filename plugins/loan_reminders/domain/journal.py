"""The journal: who did what when, each act a line that is never changed."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class JournalAct(StrEnum):
    """What a person did, on the pages or at a terminal."""

    READER_SEEN = "reader_seen"
    CONTACTS_SHOWN = "contacts_shown"
    DISPUTE_FILE_MADE = "dispute_file_made"
    REAL_LOAN_PREVIEWED = "real_loan_previewed"
    LIST_DOWNLOADED = "list_downloaded"

    MESSAGE_RESENT = "message_resent"
    HELD = "held"
    HOLD_LIFTED = "hold_lifted"
    SUPPRESSED = "suppressed"
    SUPPRESSION_LIFTED = "suppression_lifted"
    CONTACT_CORRECTED = "contact_corrected"
    CONTACT_IGNORED = "contact_ignored"

    DELIVERY_SETTLED = "delivery_settled"
    ASIDE_SETTLED = "aside_settled"
    BOUNCES_BELIEVED = "bounces_believed"
    BOUNCES_NOT_BELIEVED = "bounces_not_believed"
    VOLUME_APPROVED = "volume_approved"
    VOLUME_REFUSED = "volume_refused"
    DAY_CAUGHT_UP = "day_caught_up"

    LETTERS_APPROVED = "letters_approved"
    LETTERS_REFUSED = "letters_refused"
    LETTER_TAKEN_OUT = "letter_taken_out"
    BATCH_PRINTED = "batch_printed"
    BATCH_EXPORTED = "batch_exported"
    BATCH_GIVEN_AGAIN = "batch_given_again"
    BATCH_COPIED = "batch_copied"
    LETTER_COPIED = "letter_copied"
    LETTER_RETURNED = "letter_returned"
    LETTER_NUMBERED = "letter_numbered"
    LETTER_POSTED = "letter_posted"
    LETTER_ACKNOWLEDGED = "letter_acknowledged"
    STEP_UNDONE = "step_undone"

    COUNTERS_REBUILT = "counters_rebuilt"

    DISPUTE_NOTED = "dispute_noted"
    DISPUTE_CLOSED = "dispute_closed"
    DATA_ERASED = "data_erased"

    GAP_ACCEPTED = "gap_accepted"
    GAP_REFUSED = "gap_refused"

    READER_DATA_GIVEN = "reader_data_given"
    READER_ERASED = "reader_erased"
    OBJECTED = "objected"
    OBJECTION_LIFTED = "objection_lifted"
    AMENDED = "amended"
    AMENDMENT_ENDED = "amendment_ended"
    SMS_CHOICE_NOTED = "sms_choice_noted"
    SMS_CHOICE_REMOVED = "sms_choice_removed"
    SMS_CHOICES_IMPORTED = "sms_choices_imported"

    REPLY_SETTLED = "reply_settled"


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """One act. What it was about is in the identifiers that apply; `detail` is what the person wrote, a reason.

    `facts` are figures and codes that say more, as JSON.
    """

    at: datetime
    who: str
    act: JournalAct
    patron_id: str = ""
    delivery_id: uuid.UUID | None = None
    batch_id: int | None = None
    run_id: int | None = None
    detail: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalLine:
    """One act as a page shows it: with its place in the journal, and the reader as the ledger last knew him.

    `reader_number` is what stands in addresses; None when the act was about no reader, or one who was forgotten.
    `letter` is the reference of the letter that it was about, empty when there was none.
    """

    entry_id: int
    entry: JournalEntry
    reader_number: int | None = None
    reader_name: str = ""
    reader_card: str = ""
    letter: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalAsked:
    """Which lines of the journal are asked for; what is not set asks for all.

    A person is named by the number of any line of his (`person`), a reader by his number: neither name is ever in an
    address. `day` is a day of the library's clock. `before` and `after` are lines: those older, or newer, than it.
    """

    person: int = 0
    act: JournalAct | None = None
    reader: int = 0
    day: date | None = None
    before: int = 0
    after: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalPage:
    """Some lines, the newest first, and whether there are newer and older ones."""

    lines: Sequence[JournalLine]
    newer: bool
    older: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalPerson:
    """Somebody who is in the journal, and the number of his first line."""

    name: str
    number: int
