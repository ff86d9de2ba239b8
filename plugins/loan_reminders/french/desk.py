"""What the to-do page says: why a reader was not reached, what became of a message, what came back unreadable."""

from __future__ import annotations

from loan_reminders.domain.desk import AsideKind, StuckDelivery
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState, Reason, Refusal, SkipReason
from loan_reminders.french.words import CONTACTS, ONE_STATE, REFUSALS, SKIPS

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
}
"""The same, where the reason says more than the state."""

_OTHERS = {
    "suppressed": "tout en revient, ou le lecteur n'en veut plus",
    "refused_before": "a déjà refusé ce message",
}
_ABSENT = {Channel.EMAIL: "absent", Channel.SMS: "absent"}
"""« Absente » agrees with an address; an e-mail and a mobile are masculine."""


def not_reached_words(reason: SkipReason, detail: str) -> str:
    """Why a reader could not be reached: `coordonnées inutilisables (adresse postale : sans domicile fixe)`.

    `detail` is what planning kept, `letter:homeless` or several of these with commas; a code nobody knows is shown as
    it is.
    """
    parts = dict.fromkeys(_contact_words(part) for part in detail.split(",") if part)
    words = SKIPS[reason] if reason in _ABOUT_CONTACTS else reason.value
    return f"{words} ({' ; '.join(parts)})" if parts else words


_ABOUT_CONTACTS = (SkipReason.NO_RECIPIENT, SkipReason.INVALID_RECIPIENT, SkipReason.DEAD_ADDRESS)


def _contact_words(part: str) -> str:
    name, _, code = part.partition(":")
    if name not in set(Channel):
        return f"{name} : {code}" if code else name
    channel = Channel(name)
    if code in set(Refusal):
        why = REFUSALS[Refusal(code)]
        if code == Refusal.MISSING:
            why = _ABSENT.get(channel, why)
    else:
        why = _OTHERS.get(code, code)
    return f"{CONTACTS[channel]} : {why}" if why else CONTACTS[channel]


def stuck_words(delivery: StuckDelivery) -> str:
    """What became of a message that did not arrive: `destinataire refusé`."""
    if delivery.reason is not None and (delivery.state, delivery.reason) in STUCK_BECAUSE:
        return STUCK_BECAUSE[delivery.state, delivery.reason]
    return STUCK[delivery.state]
