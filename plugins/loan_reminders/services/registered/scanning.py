"""What a scanner sends, one sign after another: the reference of a letter, then its number, then the next letter."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from loan_reminders.domain.errors import LetterStepRefused
from loan_reminders.domain.letters.batches import RegisteredState
from loan_reminders.domain.ports.registered import RegisteredLetters
from loan_reminders.domain.registered.steps import RegisteredLetter, StepRefusal
from loan_reminders.domain.registered.tracking_number import TrackingNumber, clean_reference
from loan_reminders.services.registered.following import attach_number


class Scan(StrEnum):
    """What a scan was: a letter whose number is awaited, its number, or something that was known already."""

    LETTER = "letter"
    NUMBERED = "numbered"
    HAS_NUMBER = "has_number"
    NUMBER_OF = "number_of"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """What came of a scan, and the letter that it was about."""

    what: Scan
    reference: str


def scan(letters: RegisteredLetters, text: str, *, waiting: str, who: str) -> Scanned:
    """Understand one scan and do what it says; `waiting` is the reference of the letter whose number is awaited.

    A reference is told from a number by its hyphens. A letter that has its number already, and a number scanned by
    itself, change nothing. Raises LetterStepRefused: what was scanned is neither, or the letter takes no number.
    """
    if "-" in clean_reference(text):
        letter = letters.find(reference=clean_reference(text))
        return Scanned(what=awaited(letter), reference=letter.reference)
    if waiting:
        return Scanned(
            what=Scan.NUMBERED, reference=attach_number(letters, reference=waiting, text=text, who=who).reference
        )
    if not text.strip():
        raise LetterStepRefused(StepRefusal.NO_REFERENCE)
    try:
        letter = letters.find(number=TrackingNumber.parse(text).value)
    except LetterStepRefused as refused:
        if refused.code is StepRefusal.UNKNOWN_NUMBER:
            raise LetterStepRefused(StepRefusal.NUMBER_BEFORE_LETTER) from None
        raise
    return Scanned(what=Scan.NUMBER_OF, reference=letter.reference)


def awaited(letter: RegisteredLetter) -> Scan:
    """Whether the number of a letter is awaited, or was given already. Raises LetterStepRefused: not printed yet."""
    if letter.life.tracking_number is not None:
        return Scan.HAS_NUMBER
    if letter.life.state is RegisteredState.TO_PRINT:
        raise LetterStepRefused(StepRefusal.NOT_PRINTED)
    return Scan.LETTER
