"""Everything the ledger knows of one loan, for a reader who contests it: what left, when, to whom, in which words."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from loan_reminders.domain.email.feedback import BounceKind
from loan_reminders.domain.letters.batches import BatchState, LetterAct, RegisteredState, ReturnReason
from loan_reminders.domain.loans import Loan
from loan_reminders.domain.messages import SentWords
from loan_reminders.domain.recipients import MobileNumber, Recipient
from loan_reminders.domain.stages import Channel, Slot, Stage
from loan_reminders.domain.states import DeliveryState, Reason, SkipReason
from loan_reminders.domain.suppressions.suppression import SuppressionReason, SuppressionSource


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanSearch:
    """What a loan is looked for by: one that any field names is found; an empty field names none."""

    loan_id: str = ""
    item_barcode: str = ""
    reference: str = ""
    tracking_number: str = ""

    @classmethod
    def anything(cls, text: str) -> LoanSearch:
        """Whatever this text may be: a loan, a barcode, a letter's reference or a registered number."""
        return cls(loan_id=text, item_barcode=text, reference=text, tracking_number=text)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanFound:
    """A loan that a search found; `loan` is how the ILS last described it, None when that is not kept any more."""

    loan_id: str
    loan: Loan | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanCycle:
    """A loan until one of its due dates: how the ILS last described it, and the first and last days it was seen."""

    due_date: date
    loan: Loan
    first_seen: date
    last_seen: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer about a delivery; `applied` says whether it changed the delivery's state."""

    at: datetime
    state: DeliveryState
    reason: Reason | None
    provider_id: str
    raw: str
    applied: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BounceSeen:
    """A report that an e-mail came back."""

    at: datetime
    kind: BounceKind
    recipient: str
    status: str
    diagnostic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterStep:
    """What somebody did to a letter or, with `whole_batch`, to its batch; `before` and `after` are the trace's."""

    at: datetime
    who: str
    act: LetterAct
    detail: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    whole_batch: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredFacts:
    """How far a registered letter is."""

    state: RegisteredState
    tracking_number: str
    posted_on: date | None
    acknowledged_on: date | None
    returned_on: date | None
    return_reason: ReturnReason | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterFacts:
    """A letter's place in its batch. `location` is the stored PDF that holds its pages, empty when none does."""

    batch_id: int
    batch: str
    batch_state: BatchState
    location: str
    reference: str
    first_page: int
    last_page: int
    left_out: Reason | None
    printed_at: datetime | None
    printed_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRecord:
    """One delivery about the loan, with all that is known of it. `words` None: they were not kept.

    `day` is the day of the run that planned it, `dropped` why the loan was taken out of it before it left, and
    `documents` the number of loans it was about. `redirected`: it went to a test address, or was printed for a trial,
    so that it is no proof of anything told. `resent_by` is who had it sent once more by hand, empty for what a
    run sent.
    """

    delivery_id: uuid.UUID
    stage: Stage
    channel: Channel
    due_date: date
    day: date
    recipient: Recipient
    documents: int
    dropped: Reason | None
    state: DeliveryState
    reason: Reason | None
    attempts: int
    resent_in_doubt: bool
    claimed_at: datetime | None
    provider_id: str
    campaign_id: str
    segments: int
    words: SentWords | None
    answers: tuple[Answer, ...]
    bounces: tuple[BounceSeen, ...]
    letter: LetterFacts | None
    registered: RegisteredFacts | None
    steps: tuple[LetterStep, ...]
    resent_by: str = ""
    redirected: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SkipRecord:
    """A day on which the loan, or one slot of it, led to nothing, and why."""

    day: date
    stage: Stage
    due_date: date | None
    slot: Slot | None
    reason: SkipReason
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressionRecord:
    """A line of the list of those not written to any more, about a recipient of the reader's."""

    channel: Channel
    recipient: Recipient
    reason: SuppressionReason
    source: SuppressionSource
    since: datetime
    until: datetime | None
    detail: str
    lifted_at: datetime | None
    lifted_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyRecord:
    """What was answered to an SMS from a number of the reader's.

    `to_read`: nobody has seen to it yet; `read_by` is who did, empty for a STOP, which needs nobody.
    """

    reply_number: int
    number: MobileNumber
    at: datetime
    text: str
    to_read: bool
    read_at: datetime | None
    read_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """The whole file of one loan: its cycles, its deliveries in their order, what was left out and what was answered.

    `replies` came from the reader's numbers, whatever SMS they answer.
    """

    loan_id: str
    cycles: tuple[LoanCycle, ...]
    deliveries: tuple[DeliveryRecord, ...]
    skips: tuple[SkipRecord, ...]
    suppressions: tuple[SuppressionRecord, ...]
    replies: tuple[ReplyRecord, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputePdf:
    """The file made: its bytes, its pages, and how many deliveries it tells of.

    `missing` counts the letters whose stored pages could not be had.
    """

    content: bytes
    pages: int
    deliveries: int
    missing: int


class LoanFiles(Protocol):
    """The part of the ledger that tells everything about a loan. Trial runs are left out. Raises LedgerUnavailable."""

    def find(self, search: LoanSearch, *, limit: int = 50) -> Sequence[LoanFound]:
        """The loans that a search names, the most recently seen first."""
        ...

    def file(self, loan_id: str) -> Dispute | None:
        """Everything about a loan, None when the ledger never heard of it."""
        ...

    def files(self, loan_ids: Sequence[str], *, patron_id: str) -> Sequence[Dispute]:
        """Everything about some loans that one reader has or had, in this order."""
        ...

    def note_made(self, dispute: Dispute, *, who: str) -> None:
        """Keep in the journal who made the file of a loan."""
        ...
