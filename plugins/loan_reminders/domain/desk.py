"""What the desk has to do: readers whom nothing reached, addresses that are bad, messages nobody can answer for."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from loan_reminders.domain.recipients import PostalAddress
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState, Reason, Refusal, SkipReason

_BY = {
    Channel.EMAIL: "e-mail",
    Channel.SMS: "mobile",
    Channel.LETTER: "adresse postale",
    Channel.REGISTERED_LETTER: "adresse postale",
}
_REFUSALS = {
    Refusal.MISSING: "absente",
    Refusal.NOT_A_NUMBER: "pas un numéro",
    Refusal.NOT_MOBILE: "pas un mobile",
    Refusal.INVALID_NUMBER: "numéro impossible",
    Refusal.DUMMY: "factice, mise à la place d'une vraie",
    Refusal.COUNTRY_NOT_ALLOWED: "pays non desservi ou inconnu",
    Refusal.COUNTRY_UNSURE: "semble à l'étranger, pays absent ou douteux",
    Refusal.NOT_AN_ADDRESS: "mal écrite",
    Refusal.TOO_FEW_LINES: "sans rue ou sans ville",
    Refusal.NO_POSTCODE: "sans code postal",
    Refusal.LINE_TOO_LONG: "une ligne dépasse 38 caractères",
    Refusal.TOO_MANY_LINES: "plus de 6 lignes",
    Refusal.HOMELESS: "sans domicile fixe",
    Refusal.OWN_ADDRESS: "celle de la bibliothèque",
}
_OTHERS = {
    "suppressed": "tout en revient, ou le lecteur n'en veut plus",
    "refused_before": "a déjà refusé ce message",
}
_REASONS = {
    SkipReason.NO_RECIPIENT: "coordonnées absentes",
    SkipReason.INVALID_RECIPIENT: "coordonnées inutilisables",
    SkipReason.DEAD_ADDRESS: "adresse d'où tout revient",
}

_STATES = {
    DeliveryState.PLANNED: "préparé, jamais parti : relancer sa tournée",
    DeliveryState.CLAIMED: "commencé par une tâche qui n'a pas repris",
    DeliveryState.ACCEPTED: "accepté",
    DeliveryState.DELIVERED: "reçu",
    DeliveryState.CANCELLED: "annulé",
    DeliveryState.REFUSED: "refusé",
    DeliveryState.BOUNCED: "revenu en erreur",
    DeliveryState.IN_DOUBT: "réponse jamais venue",
    DeliveryState.FAILED: "abandonné après plusieurs essais",
}
_ENDINGS = {
    (DeliveryState.REFUSED, Reason.RECIPIENT_REFUSED): "destinataire refusé",
    (DeliveryState.REFUSED, Reason.MESSAGE_REFUSED): "message refusé",
    (DeliveryState.REFUSED, Reason.INVALID_RECIPIENT): "coordonnées refusées",
    (DeliveryState.REFUSED, Reason.NOT_RENDERED): "n'a pas pu être composé",
    (DeliveryState.REFUSED, Reason.TEXT_TOO_LONG): "trop long",
    (DeliveryState.BOUNCED, Reason.DEAD_ADDRESS): "revenu : adresse morte",
    (DeliveryState.CANCELLED, Reason.DEAD_ADDRESS): "annulé : adresse d'où tout revient",
    (DeliveryState.IN_DOUBT, Reason.INTERRUPTED): "tâche interrompue pendant l'envoi",
}


def explained(reason: SkipReason, detail: str) -> str:
    """Why a reader could not be reached: `coordonnées inutilisables (adresse postale : sans domicile fixe)`.

    `detail` is what planning kept, `letter:homeless` or several of these with commas; a code nobody knows is shown as
    it is.
    """
    words = _REASONS.get(reason, reason.value)
    parts: list[str] = []
    for part in filter(None, detail.split(",")):
        channel, _, code = part.partition(":")
        by = _BY[Channel(channel)] if channel in set(Channel) else channel
        why = _REFUSALS[Refusal(code)] if code in set(Refusal) else _OTHERS.get(code, code)
        if (by == _BY[Channel.SMS] and code == Refusal.MISSING) or (
            by == _BY[Channel.EMAIL] and code == Refusal.MISSING
        ):
            why = "absent"
        line = f"{by} : {why}" if why else by
        if line not in parts:
            parts.append(line)
    return f"{words} ({' ; '.join(parts)})" if parts else words


@dataclass(frozen=True, slots=True, kw_only=True)
class NotReached:
    """A reader whom nothing reached, by the newest run that tried. The name is empty when it is not known any more."""

    patron_id: str
    patron_name: str
    patron_barcode: str
    stage: Stage
    day: date
    reason: SkipReason
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BadAddress:
    """A postal address from which a letter came back. `detail` names the letter."""

    suppression_id: int
    address: PostalAddress
    since: datetime
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StuckDelivery:
    """A delivery that did not arrive, or of which nobody knows whether it left."""

    delivery_id: uuid.UUID
    patron_id: str
    patron_name: str
    patron_barcode: str
    stage: Stage
    channel: Channel
    state: DeliveryState
    reason: Reason | None
    day: date
    at: datetime | None

    @property
    def what_happened(self) -> str:
        """In French, for the desk: `refusé par le serveur du destinataire`."""
        if self.reason is not None and (self.state, self.reason) in _ENDINGS:
            return _ENDINGS[self.state, self.reason]
        return _STATES[self.state]


class AsideKind(StrEnum):
    """What of the things that come back could not be kept or settled."""

    RECEIPT = "receipt"
    REPLY = "reply"
    BLACKLIST = "blacklist"
    BOUNCE = "bounce"


ASIDE = {
    AsideKind.RECEIPT: "accusé d'un SMS",
    AsideKind.REPLY: "réponse à un SMS",
    AsideKind.BLACKLIST: "numéro de la liste noire",
    AsideKind.BOUNCE: "e-mail revenu",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PutAside:
    """Something that came back and that the program could make nothing of. `about` is a number or an address."""

    kind: AsideKind
    about: str
    said: str
    why: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskWork:
    """The desk's lists, the newest line first."""

    not_reached: Sequence[NotReached]
    bad_addresses: Sequence[BadAddress]
    in_doubt: Sequence[StuckDelivery]
    not_rendered: Sequence[StuckDelivery]
    not_arrived: Sequence[StuckDelivery]
    put_aside: Sequence[PutAside] = ()
