"""How the file of a loan calls what the ledger holds, in French and in the singular; a code follows where it proves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from loan_reminders.domain.email.feedback import BounceKind
from loan_reminders.domain.letters.batches import BatchState, LetterAct, RegisteredState, ReturnReason
from loan_reminders.domain.loans import Patron
from loan_reminders.domain.recipients import MobileNumber, PostalAddress, Recipient
from loan_reminders.domain.stages import Channel, PatronCategory, Slot, Stage
from loan_reminders.domain.states import DeliveryState, Reason
from loan_reminders.french.words import STAGES

CHANNEL = {
    Channel.EMAIL: "e-mail",
    Channel.SMS: "SMS",
    Channel.LETTER: "courrier",
    Channel.REGISTERED_LETTER: "lettre recommandée",
}
SLOT = {Slot.WRITTEN: "e-mail ou lettre", Slot.SMS: "SMS"}
CATEGORY = {
    PatronCategory.STUDENT: "étudiant",
    PatronCategory.STAFF: "personnel",
    PatronCategory.EXTERNAL: "extérieur",
    PatronCategory.OTHER: "autre",
}
STATE = {
    DeliveryState.PLANNED: "en attente",
    DeliveryState.CLAIMED: "en cours d'envoi",
    DeliveryState.ACCEPTED: "accepté",
    DeliveryState.DELIVERED: "reçu",
    DeliveryState.CANCELLED: "annulé",
    DeliveryState.REFUSED: "refusé",
    DeliveryState.BOUNCED: "revenu en erreur",
    DeliveryState.IN_DOUBT: "en doute",
    DeliveryState.FAILED: "abandonné après plusieurs essais",
}
STATE_OF_LETTER = STATE | {
    DeliveryState.ACCEPTED: "mise en lot pour l'impression",
    DeliveryState.DELIVERED: "reçue",
    DeliveryState.CANCELLED: "annulée",
    DeliveryState.REFUSED: "refusée",
    DeliveryState.BOUNCED: "revenue",
}
REASON = {
    Reason.DRY_RUN: "essai à blanc",
    Reason.RETURNED: "document rendu entre-temps",
    Reason.RENEWED: "prêt prolongé entre-temps",
    Reason.SUPERSEDED: "relève d'une étape suivante",
    Reason.EXPIRED: "trop tard pour être utile",
    Reason.NOT_APPROVED: "envoi non approuvé par la bibliothèque",
    Reason.SAME_NUMBER_TODAY: "un SMS était déjà parti ce jour vers ce numéro",
    Reason.OPTED_OUT: "lecteur désinscrit",
    Reason.DEAD_NUMBER: "numéro qui ne répond plus",
    Reason.DEAD_ADDRESS: "adresse d'où tout revient",
    Reason.TAKEN_OUT: "retirée du lot par un bibliothécaire",
    Reason.INVALID_RECIPIENT: "coordonnées inutilisables",
    Reason.RECIPIENT_REFUSED: "destinataire refusé",
    Reason.RECIPIENT_DEFERRED: "destinataire refusé pour le moment",
    Reason.MESSAGE_REFUSED: "message refusé",
    Reason.NOT_RENDERED: "message impossible à composer",
    Reason.TEXT_TOO_LONG: "texte trop long",
    Reason.NO_ANSWER: "aucune réponse du serveur",
    Reason.UNREADABLE_ANSWER: "réponse illisible du prestataire",
    Reason.INTERRUPTED: "envoi interrompu",
    Reason.NOT_SENT: "rien n'est parti",
    Reason.RETRIES_EXHAUSTED: "essais épuisés",
}
BOUNCE = {
    BounceKind.HARD: "refus définitif",
    BounceKind.SOFT: "refus temporaire",
    BounceKind.DELAYED: "remise retardée",
}
BATCH = {
    BatchState.DRAFT: "épreuve à approuver",
    BatchState.READY: "à imprimer",
    BatchState.PRINTED: "imprimé",
    BatchState.ABANDONED: "abandonné",
}
REGISTERED = {
    RegisteredState.TO_PRINT: "à imprimer",
    RegisteredState.PRINTED: "imprimée",
    RegisteredState.NUMBERED: "numérotée",
    RegisteredState.POSTED: "déposée à La Poste",
    RegisteredState.ACKNOWLEDGED: "avis de réception revenu signé",
    RegisteredState.RETURNED: "revenue à la bibliothèque",
}
RETURN = {
    ReturnReason.UNCLAIMED: "pli avisé et non réclamé",
    ReturnReason.RETURNED_UNDELIVERABLE: "destinataire inconnu à l'adresse (NPAI)",
    ReturnReason.REFUSED_BY_READER: "pli refusé par le destinataire",
}
ACT = {
    LetterAct.DRAFTED: "épreuve composée",
    LetterAct.APPROVED: "lot approuvé",
    LetterAct.NOT_APPROVED: "lot non approuvé",
    LetterAct.CLOSED: "lot clos",
    LetterAct.TAKEN_OUT: "retirée du lot",
    LetterAct.LEFT_OUT: "laissée de côté",
    LetterAct.PRINTED: "imprimée",
    LetterAct.COPIED: "copie faite",
    LetterAct.NUMBERED: "numéro de recommandé noté",
    LetterAct.POSTED: "dépôt à La Poste noté",
    LetterAct.ACKNOWLEDGED: "avis de réception noté",
    LetterAct.RETURNED: "retour du pli noté",
    LetterAct.UNDONE: "étape annulée",
}
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
_VALUE: dict[str, str] = {
    **{state.value: words for state, words in STATE_OF_LETTER.items()},
    **{reason.value: words for reason, words in REASON.items()},
    **{state.value: words for state, words in BATCH.items()},
    **{state.value: words for state, words in REGISTERED.items()},
    **{reason.value: words for reason, words in RETURN.items()},
}


def delivery_words(number: int, stage: Stage, channel: Channel) -> str:
    """`Envoi n° 3, 1re lettre de relance, courrier`."""
    how = "" if channel is Channel.REGISTERED_LETTER else f", {CHANNEL[channel]}"
    return f"Envoi n° {number}, {STAGES[stage]}{how}"


def state_words(channel: Channel, state: DeliveryState, reason: Reason | None) -> str:
    """`annulé : document rendu entre-temps`, in the gender of the channel."""
    words = (STATE if channel in (Channel.EMAIL, Channel.SMS) else STATE_OF_LETTER)[state]
    return words if reason is None else f"{words} : {REASON[reason]}"


def recipient_lines(recipient: Recipient) -> tuple[str, ...]:
    """An address line by line, an e-mail address, a number as it is dialled from anywhere."""
    if isinstance(recipient, PostalAddress):
        return recipient.lines
    return (f"+{recipient.value}",) if isinstance(recipient, MobileNumber) else (recipient.value,)


def reader_words(patron: Patron) -> tuple[tuple[str, str], ...]:
    """Who the reader is, as label and words."""
    return (
        ("Lecteur", patron.name),
        ("Numéro de lecteur", patron.patron_id),
        ("Carte", patron.barcode),
        ("Catégorie", CATEGORY[patron.category]),
    )


def step_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """What a step changed: `état : numérotée → déposée à La Poste`; what it left alone is not said."""
    for name in (*before, *(key for key in after if key not in before)):
        was, became = before.get(name), after.get(name)
        if was != became:
            yield f"{_FIELD.get(name, name)} : {_value(was)} → {_value(became)}"


def _value(value: Any) -> str:
    if value is None or value == "":
        return "rien"
    if isinstance(value, str):
        try:
            return day_words(date.fromisoformat(value))
        except ValueError:
            return _VALUE.get(value, value)
    return str(value)


def day_words(day: date | None) -> str:
    """`26/11/2026`, nothing for no day."""
    return "" if day is None else f"{day:%d/%m/%Y}"


def moment_words(moment: datetime, *, zone: Any) -> str:
    """`26/11/2026 à 10:04:12`, by the library's clock."""
    return f"{moment.astimezone(zone):%d/%m/%Y à %H:%M:%S}"
