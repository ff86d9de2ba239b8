"""What the field of the scanner answers: what was read, and what to do next."""

from __future__ import annotations

from loan_reminders.domain.letters.batches import RegisteredState
from loan_reminders.domain.registered.steps import Life, RegisteredLetter
from loan_reminders.domain.registered.tracking_number import TrackingNumber
from loan_reminders.french.letters import life_words

_NEXT_LETTER = "Scanner la lettre suivante."
_NEXT_NUMBER = "Scanner le pli ou l'avis suivant."


def letter_read(letter: RegisteredLetter) -> str:
    """A letter was scanned whose number is awaited."""
    return f"Lettre {letter.reference} lue. Scanner maintenant son numéro de recommandé."


def number_given(letter: RegisteredLetter) -> str:
    """A letter has got its number."""
    return f"Enregistré : {letter.reference}. Son numéro est le {_number(letter.life)}. {_NEXT_LETTER}"


def has_number(letter: RegisteredLetter) -> str:
    """A letter was scanned that has its number already."""
    known = f"La lettre {letter.reference} a déjà le numéro {_number(letter.life)}, {life_words(letter.life)}."
    return f"{known} Rien n'est changé. {_NEXT_LETTER}"


def number_of(letter: RegisteredLetter) -> str:
    """A number was scanned by itself that a letter has already."""
    known = f"Le {_number(letter.life)} est déjà le numéro de la lettre {letter.reference}, {life_words(letter.life)}."
    if letter.life.state is RegisteredState.POSTED:
        return f"{known} Est-ce son avis de réception, ou le pli revenu ? Le noter plus bas, ou d'un bouton ici."
    return f"{known} Rien n'est changé. {_NEXT_LETTER}"


def step_noted(letter: RegisteredLetter) -> str:
    """A deposit, an acknowledgement or a return was noted."""
    return f"Enregistré : {letter.reference}. Maintenant : {life_words(letter.life)}. {_NEXT_NUMBER}"


def still_waiting(reference: str) -> str:
    """What was scanned in the place of a number was refused."""
    return f"La lettre {reference} attend toujours son numéro : le scanner."


def _number(life: Life) -> str:
    return "" if life.tracking_number is None else TrackingNumber(value=life.tracking_number).printed
