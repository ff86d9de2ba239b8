"""Rows of the tables of registered letters and of what was done to them, in the words that a librarian reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from loan_reminders.domain.letters.batches import RegisteredState
from loan_reminders.domain.ports.registered import BatchPosted
from loan_reminders.domain.registered.steps import LetterEvent, RegisteredLetter, last_standing
from loan_reminders.domain.registered.tracking_number import TrackingNumber
from loan_reminders.french.days import when_words
from loan_reminders.french.letters import ACTS, life_words, step_detail_words
from loan_reminders.french.plurals import many
from loan_reminders.services.registered.following import Imported


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterRow:
    """One registered letter, in words; `pill` is the class of its state.

    `waiting` is since how many days its acknowledgement is expected, 0 for none. One of a `trial` is not for the post.
    """

    delivery_id: str
    reference: str
    number: str
    reader: str
    reader_number: int | None
    barcode: str
    batch_id: int
    state: str
    pill: str
    waiting: int
    trial: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """One line of a trace, in words."""

    at: str
    who: str
    what: str
    detail: str


PILLS = {
    RegisteredState.TO_PRINT: "wait",
    RegisteredState.PRINTED: "wait",
    RegisteredState.NUMBERED: "wait",
    RegisteredState.POSTED: "off",
    RegisteredState.ACKNOWLEDGED: "",
    RegisteredState.RETURNED: "bad",
}


def letter_row(letter: RegisteredLetter, *, today: date) -> LetterRow:
    """One letter of a list."""
    life = letter.life
    number = life.tracking_number
    waits = life.posted_on if life.acknowledged_on is None and life.returned_on is None else None
    return LetterRow(
        delivery_id=str(letter.delivery_id),
        reference=letter.reference,
        number="" if number is None else TrackingNumber(value=number).printed,
        reader=letter.patron_name or letter.patron_id,
        reader_number=letter.reader_number,
        barcode=letter.patron_barcode or letter.patron_id,
        batch_id=letter.batch_id,
        state=life_words(life),
        pill=PILLS[life.state],
        waiting=0 if waits is None or letter.trial else (today - waits).days,
        trial=letter.trial,
    )


def event_rows(events: Sequence[LetterEvent], *, now: datetime, zone: tzinfo) -> list[EventRow]:
    """A trace, the oldest line first."""
    return [
        EventRow(
            at=when_words(event.at, now=now, zone=zone),
            who=event.who,
            what=ACTS[event.act],
            detail=step_detail_words(event.detail),
        )
        for event in events
    ]


def to_undo(events: Sequence[LetterEvent]) -> tuple[int, str]:
    """The step that the page offers to undo: its number and its words; 0 when there is none."""
    last = last_standing(events)
    return (0, "") if last is None else (last.event_id, f"{ACTS[last.act]} : {last.detail}")


def batch_words(posted: BatchPosted, batch_id: int) -> str:
    """What came of posting a batch."""
    count = posted.posted
    words = f"Lot n° {batch_id} : {many(count, 'lettre notée postée', 'lettres notées postées')}."
    if posted.refused:
        names = ", ".join(list(posted.refused)[:20]) + ("…" if len(posted.refused) > 20 else "")
        words += f" {many(len(posted.refused), 'lettre ne peut', 'lettres ne peuvent')} pas l'être encore : {names}."
    return words


def import_words(done: Imported) -> str:
    """What came of a file of numbers."""
    parts = [many(done.attached, "numéro enregistré", "numéros enregistrés")]
    if done.unchanged:
        parts.append(many(done.unchanged, "déjà connu", "déjà connus"))
    if done.without_number:
        parts.append(many(done.without_number, "ligne sans numéro", "lignes sans numéro"))
    if done.problems:
        parts.append(many(len(done.problems), "ligne refusée", "lignes refusées"))
    return f"{', '.join(parts)}."
