"""How librarians call the closed lists; the code follows in brackets wherever it helps to search."""

from __future__ import annotations

from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState, SkipReason
from loan_reminders.domain.suppressions.suppression import SuppressionReason, SuppressionSource

STAGES = {
    Stage.COURTESY_NOTICE: "lettre de courtoisie",
    Stage.OVERDUE_NOTICE: "avis de retard",
    Stage.FIRST_REMINDER: "1re lettre de relance",
    Stage.SECOND_REMINDER: "2e lettre de relance",
    Stage.REGISTERED_LETTER: "lettre recommandée",
}
CHANNELS = {
    Channel.EMAIL: "e-mails",
    Channel.SMS: "SMS",
    Channel.LETTER: "lettres",
    Channel.REGISTERED_LETTER: "lettres recommandées",
}
STATES = {
    DeliveryState.PLANNED: "en attente",
    DeliveryState.CLAIMED: "en cours d'envoi",
    DeliveryState.ACCEPTED: "acceptés",
    DeliveryState.DELIVERED: "reçus",
    DeliveryState.CANCELLED: "annulés",
    DeliveryState.REFUSED: "refusés",
    DeliveryState.BOUNCED: "revenus en erreur",
    DeliveryState.IN_DOUBT: "en doute",
    DeliveryState.FAILED: "abandonnés après plusieurs essais",
}
SKIPS = {
    SkipReason.ALREADY_SENT: "déjà envoyé",
    SkipReason.SUPERSEDED: "relève d'une étape suivante",
    SkipReason.EXPIRED: "échéance passée",
    SkipReason.NOT_YET_DUE: "pas encore à cette étape",
    SkipReason.OPTED_OUT: "désinscrit",
    SkipReason.DEAD_NUMBER: "numéro qui ne répond plus",
    SkipReason.DEAD_ADDRESS: "adresse d'où tout revient",
    SkipReason.INVALID_RECIPIENT: "coordonnées inutilisables",
    SkipReason.NO_RECIPIENT: "coordonnées absentes",
    SkipReason.NOT_ELIGIBLE: "conditions non remplies",
    SkipReason.RETURNED: "rendu depuis",
    SkipReason.RENEWED: "prolongé depuis",
    SkipReason.INVALID_ROW: "ligne du SIGB illisible",
    SkipReason.DUPLICATE_ROW: "ligne en double",
}
SUPPRESSIONS = {
    SuppressionReason.STOP: "a répondu STOP",
    SuppressionReason.BLACKLIST: "liste noire du prestataire",
    SuppressionReason.DEAD_NUMBER: "numéro qui ne répond plus",
    SuppressionReason.BY_LIBRARIAN: "à la demande du lecteur, au guichet",
    SuppressionReason.HARD_BOUNCE: "adresse électronique morte",
    SuppressionReason.RETURNED_UNDELIVERABLE: "NPAI : n'habite pas à l'adresse indiquée",
}
SOURCES = {
    SuppressionSource.REPLY: "réponse du lecteur",
    SuppressionSource.PROVIDER: "prestataire SMS",
    SuppressionSource.RECEIPTS: "accusés de réception",
    SuppressionSource.LIBRARIAN: "bibliothécaire",
    SuppressionSource.BOUNCES: "messages revenus en erreur",
}


def skip_words(reason: str) -> str:
    """A reason with its code: `coordonnées absentes (no_recipient)`."""
    return f"{SKIPS[SkipReason(reason)]} ({reason})"
