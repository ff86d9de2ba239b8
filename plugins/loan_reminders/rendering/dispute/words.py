"""What the file of a loan says of the values that the ledger holds, in the words of `french`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from loan_reminders.domain.dispute.loan_file import DeliveryRecord
from loan_reminders.domain.loans import Patron
from loan_reminders.domain.recipients import MobileNumber, PostalAddress, Recipient
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState, Reason
from loan_reminders.french.days import day_words
from loan_reminders.french.letters import BATCHES_IN_FILE, REGISTERED_IN_FILE, RETURNS_IN_FILE
from loan_reminders.french.words import CATEGORIES, CHANNELS_IN_FILE, ONE_LETTER_STATE, ONE_STATE, REASONS, STAGES

_FIELD = {
    "state": "état",
    "tracking_number": "numéro",
    "posted_on": "dépôt",
    "acknowledged_on": "avis de réception",
    "returned_on": "retour",
    "return_reason": "motif du retour",
    "left_out": "laissée de côté",
    "reason": "motif",
}
_NAME_OF_AN_ERROR = re.compile(r"(?=.*[a-z][A-Z]|.*[A-Z]Error)[A-Za-z]+|gaierror|timeout")
_VALUE: dict[str, str] = {
    **{state.value: words for state, words in ONE_LETTER_STATE.items()},
    **{reason.value: words for reason, words in REASONS.items()},
    **{state.value: words for state, words in BATCHES_IN_FILE.items()},
    **{state.value: words for state, words in REGISTERED_IN_FILE.items()},
    **{reason.value: words for reason, words in RETURNS_IN_FILE.items()},
}


REDIRECTED = (
    "message d'essai, détourné vers une adresse de la bibliothèque ou imprimé sans être posté : le lecteur n'en a rien"
    " reçu, et ce n'est pas une preuve qu'il a été prévenu"
)
"""What is said of a message that did not go to its reader."""


def delivery_words(number: int, one: DeliveryRecord) -> str:
    """`Envoi n° 3, 1re lettre de relance, courrier`; `…, courrier (essai)` for one that was redirected."""
    how = "" if one.channel is Channel.REGISTERED_LETTER else f", {CHANNELS_IN_FILE[one.channel]}"
    return f"Envoi n° {number}, {STAGES[one.stage]}{how}{' (essai)' if one.redirected else ''}"


def state_words(channel: Channel, state: DeliveryState, reason: Reason | None) -> str:
    """`annulé : document rendu entre-temps`, in the gender of the channel."""
    words = (ONE_STATE if channel in (Channel.EMAIL, Channel.SMS) else ONE_LETTER_STATE)[state]
    return words if reason is None else f"{words} : {REASONS[reason]}"


def recipient_lines(recipient: Recipient) -> tuple[str, ...]:
    """An address line by line, an e-mail address, a number as it is dialled from anywhere."""
    if isinstance(recipient, PostalAddress):
        return recipient.lines
    return (f"+{recipient.value}",) if isinstance(recipient, MobileNumber) else (recipient.value,)


def reply_words(number: MobileNumber) -> str:
    """`Réponse à un SMS, du +33612345678`."""
    return f"Réponse à un SMS, du {recipient_lines(number)[0]}"


def reader_words(patron: Patron) -> tuple[tuple[str, str], ...]:
    """Who the reader is, as label and words."""
    return (
        ("Lecteur", patron.name),
        ("Numéro de lecteur", patron.patron_id),
        ("Carte", patron.barcode),
        ("Catégorie", CATEGORIES[patron.category]),
    )


def step_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """What a step changed: `état : numérotée → déposée à La Poste`; what it left alone is not said."""
    for name, words in _FIELD.items():
        was, became = before.get(name), after.get(name)
        if was != became:
            yield f"{words} : {_value(was)} → {_value(became)}"


def raw_words(answer: str) -> str:
    """A server's answer as it came; what the program says of an answer that never came is the name of an error."""
    if not _NAME_OF_AN_ERROR.fullmatch(answer):
        return answer
    if "timeout" in answer.lower():
        return "aucune réponse à temps"
    return "connexion impossible ou coupée" if "onnect" in answer or answer == "gaierror" else "erreur du programme"


def _value(value: Any) -> str:
    if value is None or value == "":
        return "rien"
    if isinstance(value, str):
        try:
            return day_words(date.fromisoformat(value))
        except ValueError:
            return _VALUE.get(value, value)
    return str(value)
