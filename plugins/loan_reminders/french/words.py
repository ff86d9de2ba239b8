"""How librarians call the closed lists that all trades share.

A list has several names where librarians speak of its members in several ways: in the plural when they are counted, in
the singular of one message, in the feminine of one letter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from loan_reminders.domain.email.feedback import BounceKind
from loan_reminders.domain.loans import SmsChoice
from loan_reminders.domain.stages import Channel, PatronCategory, Slot, Stage
from loan_reminders.domain.states import DeliveryState, Reason, Refusal, SkipReason
from loan_reminders.domain.suppressions.suppression import SuppressionReason, SuppressionSource


class _Names(dict[Stage, str]):
    """The stages of the procedure, and how the library calls its other notices.

    `title_of` asks its settings, which are not this room's to read; None when they do not say.
    """

    def __init__(self, names: Mapping[Stage, str]) -> None:
        super().__init__(names)
        self.title_of: Callable[[str], str | None] = lambda _: None

    def __missing__(self, stage: Stage) -> str:
        return self.title_of(str(stage)) or f"avis « {str(stage).replace('_', ' ')} »"


STAGES = _Names({
    Stage.COURTESY_NOTICE: "lettre de courtoisie",
    Stage.OVERDUE_NOTICE: "avis de retard",
    Stage.FIRST_REMINDER: "1re lettre de relance",
    Stage.SECOND_REMINDER: "2e lettre de relance",
    Stage.REGISTERED_LETTER: "lettre recommandée",
})  # fmt: skip
"""A stage within a sentence. Every other form of a stage's name is made of this one."""

CHANNELS = {
    Channel.EMAIL: "e-mails",
    Channel.SMS: "SMS",
    Channel.LETTER: "lettres",
    Channel.REGISTERED_LETTER: "lettres recommandées",
}
"""Many messages of a channel."""

ONE_CHANNEL = {
    Channel.EMAIL: "e-mail",
    Channel.SMS: "SMS",
    Channel.LETTER: "lettre",
    Channel.REGISTERED_LETTER: "recommandé",
}
"""One message of a channel."""

CHANNELS_IN_FILE = {
    Channel.EMAIL: "e-mail",
    Channel.SMS: "SMS",
    Channel.LETTER: "courrier",
    Channel.REGISTERED_LETTER: "lettre recommandée",
}
"""How a message was sent, in the file of a loan, which people outside the library read."""

CONTACTS = {
    Channel.EMAIL: "e-mail",
    Channel.SMS: "mobile",
    Channel.LETTER: "adresse postale",
    Channel.REGISTERED_LETTER: "adresse postale",
}
"""What a channel needs of a reader."""

SLOTS = {Slot.WRITTEN: "e-mail ou lettre", Slot.SMS: "SMS"}
CATEGORIES = {
    PatronCategory.STUDENT: "étudiant",
    PatronCategory.STAFF: "personnel",
    PatronCategory.EXTERNAL: "extérieur",
    PatronCategory.OTHER: "autre",
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
"""Many messages in a state."""

ONE_STATE = {
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
"""One message in a state."""

ONE_LETTER_STATE = ONE_STATE | {
    DeliveryState.ACCEPTED: "mise en lot pour l'impression",
    DeliveryState.DELIVERED: "reçue",
    DeliveryState.CANCELLED: "annulée",
    DeliveryState.REFUSED: "refusée",
    DeliveryState.BOUNCED: "revenue",
}
"""One letter in a state."""

REASONS = {
    Reason.DRY_RUN: "essai à blanc",
    Reason.RETURNED: "document rendu entre-temps",
    Reason.RENEWED: "prêt prolongé entre-temps",
    Reason.NOT_TOLD: "document qui n'est plus relancé (perdu, ou retour déclaré)",
    Reason.SUPERSEDED: "relève d'une étape suivante",
    Reason.EXPIRED: "trop tard pour être utile",
    Reason.NOT_APPROVED: "envoi non approuvé par la bibliothèque",
    Reason.SAME_NUMBER_TODAY: "un SMS était déjà parti ce jour vers ce numéro",
    Reason.OPTED_OUT: "lecteur désinscrit",
    Reason.DEAD_NUMBER: "numéro qui ne répond plus",
    Reason.DEAD_ADDRESS: "adresse d'où tout revient",
    Reason.TAKEN_OUT: "retirée du lot par un bibliothécaire",
    Reason.HELD: "à ne pas écrire pour le moment",
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
    Reason.LEDGER_INCOMPLETE: "arrêté par la bibliothèque, le registre étant peut-être incomplet",
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
    SkipReason.DECLINED: "ne veut pas de SMS",
    SkipReason.NOT_ASKED_FOR: "n'a pas demandé de SMS",
    SkipReason.MINOR: "mineur, sans SMS",
    SkipReason.NOT_TEXTED: "pas de SMS pour ce public",
    SkipReason.CONTROL_GROUP: "témoin : SMS retenu pour mesurer l'effet",
    SkipReason.RETURNED: "rendu depuis",
    SkipReason.RENEWED: "prolongé depuis",
    SkipReason.NOT_TOLD: "plus relancé (perdu, ou retour déclaré)",
    SkipReason.HELD: "à ne pas écrire pour le moment",
    SkipReason.BEFORE_START: "d'avant la mise en service",
    SkipReason.INVALID_ROW: "ligne du SIGB illisible",
    SkipReason.DUPLICATE_ROW: "ligne en double",
}
REFUSALS = {
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
"""What is wrong with a reader's contact, after `CONTACTS`."""

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

SMS_CHOICES = {SmsChoice.YES: "oui aux SMS", SmsChoice.NO: "non aux SMS"}
"""What a reader said about SMS."""

BOUNCES = {
    BounceKind.HARD: "refus définitif",
    BounceKind.SOFT: "refus temporaire",
    BounceKind.DELAYED: "remise retardée",
}


def the_stage(stage: Stage) -> str:
    """A stage with its article: `la 1re lettre de relance`, `l'avis de retard`."""
    return f"l'{STAGES[stage]}" if _begins_with_a_vowel(stage) else f"la {STAGES[stage]}"


def no_stage(stage: Stage) -> str:
    """A stage that there was not, behind « pas »: `de 1re lettre de relance`, `d'avis de retard`."""
    return f"d'{STAGES[stage]}" if _begins_with_a_vowel(stage) else f"de {STAGES[stage]}"


def stage_title(stage: Stage) -> str:
    """A stage as a title: `Avis de retard`."""
    return STAGES[stage][0].upper() + STAGES[stage][1:]


def _begins_with_a_vowel(stage: Stage) -> bool:
    return STAGES[stage][0] in "aeiou"


def failed_in_a_row(failures: int) -> str:
    """Why a number is on the list of suppressions, kept with it: `3 échecs définitifs de suite`."""
    return f"{failures} échecs définitifs de suite"


def skip_words(reason: str) -> str:
    """A reason with its code: `coordonnées absentes (no_recipient)`."""
    return f"{SKIPS[SkipReason(reason)]} ({reason})"
