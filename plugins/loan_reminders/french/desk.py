"""What the to-do page says: why a reader was not reached, what became of a message, what came back unreadable."""

from __future__ import annotations

from loan_reminders.domain.desk import AsideKind, StuckDelivery
from loan_reminders.domain.runs.reading.cells import RowFault
from loan_reminders.domain.runs.routing import OBJECTION
from loan_reminders.domain.sms.feedback import AckStatus, SmsAck
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState, Reason, Refusal, SkipReason
from loan_reminders.french.words import CHANNELS, CONTACTS, ONE_STATE, REFUSALS, SKIPS

ASIDE = {
    AsideKind.RECEIPT: "accusé d'un SMS",
    AsideKind.REPLY: "réponse à un SMS",
    AsideKind.BLACKLIST: "numéro de la liste noire",
    AsideKind.BOUNCE: "e-mail revenu",
}
STUCK = ONE_STATE | {
    DeliveryState.PLANNED: "préparé, jamais parti : relancer sa tournée",
    DeliveryState.CLAIMED: "commencé par une tâche qui n'a pas repris",
    DeliveryState.IN_DOUBT: "réponse jamais venue",
}
"""A message that did not arrive, by its state."""

STUCK_BECAUSE = {
    (DeliveryState.REFUSED, Reason.RECIPIENT_REFUSED): "destinataire refusé",
    (DeliveryState.REFUSED, Reason.MESSAGE_REFUSED): "message refusé",
    (DeliveryState.REFUSED, Reason.INVALID_RECIPIENT): "coordonnées refusées",
    (DeliveryState.REFUSED, Reason.NOT_RENDERED): "n'a pas pu être composé",
    (DeliveryState.REFUSED, Reason.TEXT_TOO_LONG): "trop long",
    (DeliveryState.BOUNCED, Reason.DEAD_ADDRESS): "revenu : adresse morte",
    (DeliveryState.CANCELLED, Reason.DEAD_ADDRESS): "annulé : adresse d'où tout revient",
    (DeliveryState.IN_DOUBT, Reason.INTERRUPTED): "tâche interrompue pendant l'envoi",
    (DeliveryState.IN_DOUBT, Reason.OPTED_OUT): "sans réponse certaine, puis arrêté : le lecteur s'y oppose",
    (DeliveryState.IN_DOUBT, Reason.LEDGER_INCOMPLETE): "interrompu, puis arrêté : registre peut-être incomplet",
}
"""The same, where the reason says more than the state."""

RECEIPTS = {
    AckStatus.DELIVERED: "reçu",
    AckStatus.NOT_DELIVERED: "non reçu",
    AckStatus.ON_ITS_WAY: "en route",
    AckStatus.REFUSED: "refusé",
    AckStatus.REJECTED: "rejeté",
    AckStatus.UNKNOWN: "état inconnu",
}
"""What a receipt says of an SMS."""

NOT_UNDERSTOOD = "le programme n'a pas su le lire"
"""Why something was put aside, when no sentence of ours says it."""

LOST_REPLIES = "Des réponses de lecteurs se sont peut-être perdues : les lire dans la console d'allmysms."
LOST_BECAUSE = "la réponse d'allmysms n'est pas arrivée, et il ne donne chaque réponse de lecteur qu'une fois"
"""What the desk is told of replies that nobody can ask for any more, and why."""

ROW_FAULTS = {
    RowFault.MISSING: "une valeur manque",
    RowFault.NOT_A_DATE: "une date n'en est pas une",
    RowFault.NOT_A_NUMBER: "un nombre n'en est pas un",
    RowFault.NOT_A_TEXT: "un texte n'en est pas un",
    RowFault.TOO_LONG: "une valeur est trop longue",
}
"""Why a row of the ILS could not be read."""

_OTHERS = {
    "suppressed": "tout en revient, ou le lecteur n'en veut plus",
    "refused_before": "a déjà refusé ce message",
}
_ABSENT = {Channel.EMAIL: "absent", Channel.SMS: "absent"}
"""« Absente » agrees with an address; an e-mail and a mobile are masculine."""


def not_reached_words(reason: SkipReason, detail: str) -> str:
    """Why a reader could not be reached: `coordonnées inutilisables (adresse postale : sans domicile fixe)`.

    `detail` is what planning or reading kept: `letter:homeless`, several of these with commas, `objection:email` or
    `not_a_date:due_date`; a code nobody knows says nothing.
    """
    parts = dict.fromkeys(filter(None, (_detail_words(reason, part) for part in detail.split(","))))
    return f"{SKIPS[reason]} ({' ; '.join(parts)})" if parts else SKIPS[reason]


def _detail_words(reason: SkipReason, part: str) -> str:
    name, _, code = part.partition(":")
    if reason is SkipReason.INVALID_ROW:
        return ROW_FAULTS[RowFault(name)] if name in set(RowFault) else ""
    if name == OBJECTION and code in set(Channel):
        return f"le lecteur s'oppose aux {CHANNELS[Channel(code)]}"
    if name not in set(Channel):
        return ""
    channel = Channel(name)
    if code in set(Refusal):
        why = REFUSALS[Refusal(code)]
        if code == Refusal.MISSING:
            why = _ABSENT.get(channel, why)
    else:
        why = _OTHERS.get(code, "")
    return f"{CONTACTS[channel]} : {why}" if why else ""


def receipt_words(receipt: SmsAck) -> str:
    """All that a receipt says: `non reçu : absent subscriber (SMS 12, campagne C7)`."""
    said = " : ".join(filter(None, (RECEIPTS[receipt.status], receipt.comment)))
    of = [f"{name} {what}" for name, what in (("SMS", receipt.sms_id), ("campagne", receipt.campaign_id)) if what]
    return f"{said} ({', '.join(of)})" if of else said


def stuck_words(delivery: StuckDelivery) -> str:
    """What became of a message that did not arrive: `destinataire refusé`."""
    if delivery.reason is not None and (delivery.state, delivery.reason) in STUCK_BECAUSE:
        return STUCK_BECAUSE[delivery.state, delivery.reason]
    return STUCK[delivery.state]
