"""What the use cases about registered letters, and the desk page, need from the ledger."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from loan_reminders.domain.desk import EVERYTHING, DeskAsked, DeskWork
from loan_reminders.domain.errors import LetterStepRefused
from loan_reminders.domain.letters.batches import RegisteredState
from loan_reminders.domain.registered.steps import LetterEvent, Posted, RegisteredLetter, Step
from loan_reminders.domain.registered.tracking_number import TrackingNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTaken:
    """The answer to a step. `changed` False: it was known already. `address_marked`: no letter goes there any more."""

    delivery_id: uuid.UUID
    reference: str
    changed: bool
    address_marked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPosted:
    """The answer to posting a batch: how many letters newly left, and the references of those that could not."""

    batch_name: str
    posted: int
    refused: Mapping[str, LetterStepRefused] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchToPost:
    """A printed batch of registered letters of which some were not posted; none of a trial, which never is."""

    batch_id: int
    name: str
    numbered: int
    without_number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberLine:
    """One line of a file of numbers; `line` counts from 1, the header included."""

    line: int
    reference: str
    number: TrackingNumber


MOST_COUNTED = 10_000
"""Letters of a state are counted up to here: those that came back are all that ever were."""


class RegisteredLetters(Protocol):
    """The part of the ledger where registered letters are followed.

    Every change is one transaction, kept with who made it. Raises LedgerUnavailable; a change also LetterStepRefused.
    """

    def counts(self) -> Mapping[RegisteredState, int]:
        """How many letters are in each state; beyond 10,000 they are not counted any more."""
        ...

    def overdue(self, *, posted_before: date, limit: int = 500) -> Sequence[RegisteredLetter]:
        """Letters posted before a day of which nothing came back, the oldest first."""
        ...

    def in_state(
        self, state: RegisteredState, *, limit: int = 500, offset: int = 0, oldest_first: bool = False
    ) -> Sequence[RegisteredLetter]:
        """Letters in one state, the newest first unless told otherwise; `offset` are skipped."""
        ...

    def search(self, wanted: Sequence[str], *, limit: int = 500) -> Sequence[RegisteredLetter]:
        """Letters whose reference, number, reader's number or reader's barcode is one of these, the newest first."""
        ...

    def batches_to_post(self, *, limit: int = 100) -> Sequence[BatchToPost]:
        """Printed batches with letters that were not posted, the newest first; none of a trial."""
        ...

    def letter(self, delivery_id: uuid.UUID) -> tuple[RegisteredLetter, Sequence[LetterEvent]] | None:
        """One letter with its trace, the oldest line first; None when the library has no such registered letter."""
        ...

    def find(self, *, reference: str = "", number: str = "") -> RegisteredLetter:
        """The letter of this reference, or of this number. Raises LetterStepRefused, as a step with it would."""
        ...

    def take(self, step: Step, *, who: str, reference: str = "", number: str = "") -> StepTaken:
        """Take one step with the letter of this reference, or of this number.

        A letter that came back as undeliverable puts its address on the list of those not written to, in the same
        transaction.
        """
        ...

    def attach_all(self, lines: Sequence[NumberLine], *, who: str) -> Sequence[StepTaken | LetterStepRefused]:
        """Attach many numbers in one transaction, in their order; what is refused is answered and stops nothing."""
        ...

    def post_batch(self, batch_id: int, step: Posted, *, who: str) -> BatchPosted:
        """Post every letter of a batch that has a number."""
        ...

    def undo(self, delivery_id: uuid.UUID, *, who: str, event_id: int | None = None) -> StepTaken:
        """Undo the last step of a letter, `event_id` when given; what marked an address bad is lifted with it."""
        ...


class Desk(Protocol):
    """What the ledger knows that somebody has to do by hand. Raises LedgerUnavailable."""

    def work(
        self,
        *,
        since: datetime,
        doubtful_before: datetime,
        limit: int = 500,
        sent_since: datetime | None = None,
        asked: DeskAsked = EVERYTHING,
    ) -> DeskWork:
        """The lists of the desk, of runs begun since a moment; each has `limit` lines, and one more when cut.

        `sent_since` is that moment for deliveries that did not arrive, `asked` which lists, and which lines of them.
        """
        ...

    def settle(self, delivery_id: uuid.UUID, *, who: str) -> bool:
        """Keep that somebody saw to the reader of a delivery that did not arrive; False when there is nothing to do."""
        ...

    def settle_aside(self, put_aside_id: int, *, who: str) -> bool:
        """Keep that somebody saw to what was put aside; False when there is nothing to do."""
        ...

    def settle_reply(self, reply_number: int, *, who: str) -> bool:
        """Keep that somebody saw to what a reader answered; False when there is nothing to do."""
        ...

    def phone_of_reply(self, reply_number: int) -> str:
        """The number that a reader's answer came from; empty when it is not known."""
        ...

    def note_return(self, reference: str, *, since: datetime, who: str) -> StepTaken:
        """Keep that an ordinary letter came back as undeliverable: its address is written to no more.

        Raises LetterStepRefused for an unknown reference, a registered letter, or one that was never posted.
        """
        ...
