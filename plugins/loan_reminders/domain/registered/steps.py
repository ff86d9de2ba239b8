"""The life of a registered letter: which step may follow which, and on which days.

to print → printed → numbered → posted → acknowledged, or returned

A step is a value that a person fills in; `taken` says what becomes of a letter by it, or why not. Saying a second time
what is known already changes nothing. Only posting and what follows it have a day of their own: a letter often gets its
number from the receipt of the deposit, days after it was posted.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from enum import StrEnum

from loan_reminders.domain.errors import LetterStepRefused
from loan_reminders.domain.letters.batches import LetterAct, RegisteredState, ReturnReason
from loan_reminders.domain.recipients import PostalAddress
from loan_reminders.domain.registered.tracking_number import TrackingNumber

S = RegisteredState


class StepRefusal(StrEnum):
    """Why a step in the life of a registered letter cannot be taken.

    `UNKNOWN_REFERENCE`, `UNKNOWN_NUMBER`: no registered letter has it. `AMBIGUOUS`: several letters have the reference.
    `NUMBER_BEFORE_LETTER`: a number was scanned that no letter has, and no letter before it.
    """

    NO_REFERENCE = "no_reference"
    UNKNOWN_REFERENCE = "unknown_reference"
    UNKNOWN_NUMBER = "unknown_number"
    AMBIGUOUS = "ambiguous"
    NOT_REGISTERED = "not_registered"
    NONE_IN_BATCH = "none_in_batch"
    LEFT_OUT = "left_out"
    NOT_PRINTED = "not_printed"
    NO_NUMBER = "no_number"
    NOT_POSTED = "not_posted"
    ALREADY_NUMBERED = "already_numbered"
    NUMBER_TAKEN = "number_taken"
    ALREADY_POSTED = "already_posted"
    ALREADY_ANSWERED = "already_answered"
    NO_DATE = "no_date"
    IN_THE_FUTURE = "in_the_future"
    BEFORE_PREVIOUS_STEP = "before_previous_step"
    NOTHING_TO_UNDO = "nothing_to_undo"
    NOT_THE_LAST = "not_the_last"
    PRINTING_STAYS = "printing_stays"
    NO_OUTCOME = "no_outcome"
    NUMBER_BEFORE_LETTER = "number_before_letter"


class NumbersFileRefusal(StrEnum):
    """Why a file of numbers of registered letters is refused whole."""

    TOO_LARGE = "too_large"
    TOO_MANY_LINES = "too_many_lines"
    UNKNOWN_ENCODING = "unknown_encoding"
    NOT_CSV = "not_csv"
    NO_HEADER = "no_header"
    COLUMN_TWICE = "column_twice"


STEPS = frozenset({LetterAct.NUMBERED, LetterAct.POSTED, LetterAct.ACKNOWLEDGED, LetterAct.RETURNED})
"""The acts that move one registered letter; it is printed with its whole batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """How far a registered letter is. `printed_at` is that of its batch."""

    state: RegisteredState
    printed_at: datetime | None = None
    tracking_number: str | None = None
    posted_on: date | None = None
    acknowledged_on: date | None = None
    returned_on: date | None = None
    return_reason: ReturnReason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """A number is attached."""

    number: TrackingNumber
    act = LetterAct.NUMBERED

    def taken(self, life: Life) -> Life:
        """The letter with its number. Raises LetterStepRefused."""
        if life.tracking_number == self.number.value:
            return life
        if life.tracking_number is not None:
            has = TrackingNumber(value=life.tracking_number).printed
            raise LetterStepRefused(StepRefusal.ALREADY_NUMBERED, number=has)
        _must_be(life, S.PRINTED)
        return replace(life, state=S.NUMBERED, tracking_number=self.number.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """The letter was handed to the post on `day`; `today` and `zone` are the library's."""

    day: date
    today: date
    zone: tzinfo
    act = LetterAct.POSTED

    def taken(self, life: Life) -> Life:
        """The letter, posted. Raises LetterStepRefused."""
        if life.posted_on == self.day:
            return life
        _must_be(life, S.NUMBERED)
        printed_on = None if life.printed_at is None else life.printed_at.astimezone(self.zone).date()
        _check_day(self.day, self.today, printed_on, S.PRINTED)
        return replace(life, state=S.POSTED, posted_on=self.day)


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """The acknowledgement of receipt came back on `day`."""

    day: date
    today: date
    act = LetterAct.ACKNOWLEDGED

    def taken(self, life: Life) -> Life:
        """The letter, acknowledged. Raises LetterStepRefused."""
        if life.acknowledged_on == self.day:
            return life
        _must_be(life, S.POSTED)
        _check_day(self.day, self.today, life.posted_on, S.POSTED)
        return replace(life, state=S.ACKNOWLEDGED, acknowledged_on=self.day)


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """The letter itself came back on `day`; `since` is the moment from which its address counts as bad, if it is."""

    day: date
    today: date
    reason: ReturnReason
    since: datetime
    act = LetterAct.RETURNED

    def taken(self, life: Life) -> Life:
        """The letter, returned. Raises LetterStepRefused."""
        if (life.returned_on, life.return_reason) == (self.day, self.reason):
            return life
        _must_be(life, S.POSTED)
        _check_day(self.day, self.today, life.posted_on, S.POSTED)
        return replace(life, state=S.RETURNED, returned_on=self.day, return_reason=self.reason)


Step = Numbered | Posted | Acknowledged | Returned

_COMES_FIRST = {
    S.TO_PRINT: StepRefusal.NOT_PRINTED,
    S.PRINTED: StepRefusal.NO_NUMBER,
    S.NUMBERED: StepRefusal.NOT_POSTED,
}


def _must_be(life: Life, wanted: RegisteredState) -> None:
    """Refuse a step whose letter is elsewhere, naming what comes first or what was noted already."""
    order = tuple(S)
    if order.index(life.state) < order.index(wanted):
        raise LetterStepRefused(_COMES_FIRST[life.state])
    if life.state is not wanted:
        posted = life.state is S.POSTED
        raise LetterStepRefused(StepRefusal.ALREADY_POSTED if posted else StepRefusal.ALREADY_ANSWERED, life=life)


def _check_day(day: date, today: date, previous_day: date | None, previous: RegisteredState) -> None:
    """Refuse a day to come, and a day before that of the step that led to the state `previous`."""
    if day > today:
        raise LetterStepRefused(StepRefusal.IN_THE_FUTURE, day=day)
    if previous_day is not None and day < previous_day:
        raise LetterStepRefused(StepRefusal.BEFORE_PREVIOUS_STEP, day=day, previous=previous, previous_day=previous_day)


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterEvent:
    """One line of the trace of a letter or of its batch. `of_letter` is False for what was done to the whole batch."""

    event_id: int
    at: datetime
    who: str
    act: LetterAct
    detail: str
    of_letter: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredLetter:
    """A registered letter as the desk follows it; the reader's name and barcode are empty once they are forgotten.

    `reader_number` is the number of his page, None when he was erased. One of a `trial` is not for the post.
    """

    delivery_id: uuid.UUID
    reference: str
    batch_id: int
    batch_name: str
    patron_id: str
    patron_name: str
    patron_barcode: str
    reader_number: int | None
    recipient: PostalAddress
    life: Life
    trial: bool = False


def last_standing(events: Sequence[LetterEvent]) -> LetterEvent | None:
    """The last step that was not undone, of a trace in its order; None when every step was, or none was taken."""
    standing: list[LetterEvent] = []
    for event in events:
        if not event.of_letter:
            continue
        if event.act in STEPS:
            standing.append(event)
        elif event.act is LetterAct.UNDONE and standing:
            standing.pop()
    return standing[-1] if standing else None


def undoable(events: Sequence[LetterEvent], *, event_id: int | None = None) -> LetterEvent:
    """The step that may be undone: the last one standing, which must be `event_id` when that is given.

    Raises LetterStepRefused: nothing to undo, not the last step any more, or the printing of a batch, which stays.
    """
    last = last_standing(events)
    if last is None and any(event.act is LetterAct.PRINTED for event in events):
        raise LetterStepRefused(StepRefusal.PRINTING_STAYS)
    if last is None:
        raise LetterStepRefused(StepRefusal.NOTHING_TO_UNDO)
    if event_id is not None and last.event_id != event_id:
        raise LetterStepRefused(StepRefusal.NOT_THE_LAST)
    return last
