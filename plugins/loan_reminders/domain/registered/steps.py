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
    """Why a step in the life of a letter cannot be taken."""

    UNKNOWN_LETTER = "unknown_letter"
    AMBIGUOUS = "ambiguous"
    NOT_REGISTERED = "not_registered"
    REGISTERED = "registered"
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
    UNREADABLE_FILE = "unreadable_file"


STATES = {
    S.TO_PRINT: "à imprimer",
    S.PRINTED: "imprimé, sans numéro",
    S.NUMBERED: "numéroté, à poster",
    S.POSTED: "posté, avis de réception attendu",
    S.ACKNOWLEDGED: "avis de réception reçu",
    S.RETURNED: "revenu",
}
RETURNS = {
    ReturnReason.UNCLAIMED: "non réclamé",
    ReturnReason.RETURNED_UNDELIVERABLE: "NPAI, n'habite pas à l'adresse indiquée",
    ReturnReason.REFUSED_BY_READER: "refusé par le lecteur",
}
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
            raise LetterStepRefused(
                StepRefusal.ALREADY_NUMBERED,
                f"Cette lettre a déjà le numéro {has} : annuler cette étape d'abord si le numéro est faux.",
            )
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
        _check_day(self.day, self.today, printed_on, "l'impression")
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
        _check_day(self.day, self.today, life.posted_on, "le dépôt à la poste")
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
        _check_day(self.day, self.today, life.posted_on, "le dépôt à la poste")
        return replace(life, state=S.RETURNED, returned_on=self.day, return_reason=self.reason)


Step = Numbered | Posted | Acknowledged | Returned

_FIRST = {
    S.PRINTED: (StepRefusal.NOT_PRINTED, "Il faut d'abord marquer son lot comme imprimé, sur la page des lots."),
    S.NUMBERED: (StepRefusal.NO_NUMBER, "Il faut d'abord lui donner son numéro de recommandé."),
    S.POSTED: (StepRefusal.NOT_POSTED, "Il faut d'abord noter son dépôt à la poste."),
}


def _must_be(life: Life, wanted: RegisteredState) -> None:
    """Refuse a step whose letter is elsewhere, naming what comes first or what was noted already."""
    order = tuple(S)
    if order.index(life.state) < order.index(wanted):
        missing = order[order.index(life.state) + 1]
        code, words = _FIRST[missing]
        raise LetterStepRefused(code, f"Cette lettre est « {STATES[life.state]} ». {words}")
    if life.state is not wanted:
        posted = life.state is S.POSTED
        raise LetterStepRefused(
            StepRefusal.ALREADY_POSTED if posted else StepRefusal.ALREADY_ANSWERED,
            f"Cette lettre est déjà notée « {told(life)} » : annuler d'abord sa dernière étape si c'est une erreur.",
        )


def _check_day(day: date, today: date, previous: date | None, step: str) -> None:
    if day > today:
        raise LetterStepRefused(StepRefusal.IN_THE_FUTURE, f"Le {day:%d/%m/%Y} est dans l'avenir.")
    if previous is not None and day < previous:
        raise LetterStepRefused(
            StepRefusal.BEFORE_PREVIOUS_STEP, f"Le {day:%d/%m/%Y} est avant {step}, le {previous:%d/%m/%Y}."
        )


def told(life: Life) -> str:
    """Where a letter is, with its day: `posté le 04/12/2026`."""
    if life.state is S.POSTED and life.posted_on is not None:
        return f"posté le {life.posted_on:%d/%m/%Y}"
    if life.state is S.ACKNOWLEDGED and life.acknowledged_on is not None:
        return f"avis de réception reçu le {life.acknowledged_on:%d/%m/%Y}"
    if life.state is S.RETURNED and life.returned_on is not None and life.return_reason is not None:
        return f"revenu le {life.returned_on:%d/%m/%Y} : {RETURNS[life.return_reason]}"
    return STATES[life.state]


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
    """A registered letter as the desk follows it; the reader's name and barcode are empty once they are forgotten."""

    delivery_id: uuid.UUID
    reference: str
    batch_id: int
    batch_name: str
    patron_id: str
    patron_name: str
    patron_barcode: str
    recipient: PostalAddress
    life: Life


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
        raise LetterStepRefused(
            StepRefusal.PRINTING_STAYS,
            "Il ne reste que l'impression : elle vaut pour tout le lot, qui ne change plus, et ne s'annule pas.",
        )
    if last is None:
        raise LetterStepRefused(StepRefusal.NOTHING_TO_UNDO, "Cette lettre n'a aucune étape à annuler.")
    if event_id is not None and last.event_id != event_id:
        raise LetterStepRefused(
            StepRefusal.NOT_THE_LAST,
            "Seule la dernière étape s'annule, et une autre a été notée ou annulée entre-temps : relire la page.",
        )
    return last
