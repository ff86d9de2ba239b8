"""What is said of a reader's rights: why something is refused, what goes and what stays, what his data are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Any

from loan_reminders.domain.reader_rights.erasure import Erasure, ErasureRefusal, Stays, StaysBecause
from loan_reminders.domain.readers.amendments import AmendedField, AmendmentEnd, AmendmentRefusal
from loan_reminders.domain.stages import Channel, Policy
from loan_reminders.domain.states import Refusal
from loan_reminders.domain.statistics.loan_ends import LoanEnd
from loan_reminders.domain.suppressions.objections import ObjectionRefusal
from loan_reminders.french.days import day_words
from loan_reminders.french.plurals import many
from loan_reminders.french.retention import removed_words
from loan_reminders.french.words import REFUSALS

_OF_AN_OBJECTION: dict[ObjectionRefusal, str] = {
    ObjectionRefusal.NO_REASON: "Il manque le motif : il sera lu par ceux qui reprendront ce dossier.",
    ObjectionRefusal.LETTER: "On ne s'oppose pas aux lettres : c'est par elles que la bibliothèque réclame ses"
    " documents.",
    ObjectionRefusal.REGISTERED_LETTER: "On ne s'oppose pas au recommandé : c'est la mise en demeure, dont la"
    " bibliothèque doit garder la preuve.",
    ObjectionRefusal.UNKNOWN_CHANNEL: "Choisir l'e-mail ou le SMS.",
    ObjectionRefusal.UNKNOWN_READER: "Le registre ne connaît pas, ou plus, ce lecteur.",
    ObjectionRefusal.ALREADY: "Cette opposition est déjà notée : rien n'a été changé.",
    ObjectionRefusal.NOT_IN_FORCE: "Cette opposition n'est pas, ou plus, en vigueur : rien n'a été changé.",
}
_OF_AN_AMENDMENT: dict[AmendmentRefusal, str | Callable[[Mapping[str, object]], str]] = {
    AmendmentRefusal.NO_REASON: "Il manque le motif : il sera lu par ceux qui reprendront ce dossier.",
    AmendmentRefusal.NO_VALUE: "Il manque ce qui doit être écrit à la place.",
    AmendmentRefusal.UNKNOWN_FIELD: "Choisir ce qui est à rectifier : nom, e-mail, mobile ou adresse.",
    AmendmentRefusal.UNUSABLE: lambda facts: (
        f"Cette valeur ne peut pas servir ({REFUSALS[Refusal(str(facts['contact']))]}) : rien n'a été changé."
    ),
    AmendmentRefusal.SAME: "Le SIGB dit déjà cela : rien n'est à rectifier.",
    AmendmentRefusal.NOT_DESCRIBED: "Le registre n'a plus aucun prêt de ce lecteur : rien ne peut être rectifié.",
    AmendmentRefusal.UNKNOWN_READER: "Le registre ne connaît pas, ou plus, ce lecteur.",
    AmendmentRefusal.NOT_IN_FORCE: "Cette rectification n'est pas, ou plus, en vigueur : rien n'a été changé.",
}
_OF_AN_ERASURE: dict[ErasureRefusal, str] = {
    ErasureRefusal.UNKNOWN_READER: "Le registre ne connaît pas, ou plus, ce lecteur : il n'y a rien à effacer.",
}

OF_READER_RIGHTS: Mapping[type[StrEnum], Mapping[Any, str | Callable[[Mapping[str, object]], str]]] = {
    ObjectionRefusal: _OF_AN_OBJECTION,
    AmendmentRefusal: _OF_AN_AMENDMENT,
    ErasureRefusal: _OF_AN_ERASURE,
}
"""The sentences of each closed list."""

REFUSED_CHANNELS = {Channel.EMAIL: "aucun e-mail", Channel.SMS: "aucun SMS"}
"""What a reader who objects gets none of."""

FIELDS = {
    AmendedField.NAME: "nom",
    AmendedField.EMAIL: "e-mail",
    AmendedField.MOBILE: "mobile",
    AmendedField.ADDRESS: "adresse postale",
}
"""What can be put right."""

ENDS = {
    AmendmentEnd.AGREED: "le SIGB dit maintenant la même chose",
    AmendmentEnd.CHANGED: "le SIGB dit maintenant autre chose, et c'est lui qui est cru",
    AmendmentEnd.LIFTED: "terminée par un bibliothécaire",
    AmendmentEnd.REPLACED: "remplacée par une autre",
}
"""How an amendment ended."""

_STAYS = {
    StaysBecause.OPEN_LOAN: (
        "{number}, dont le retour n'est pas encore connu : la bibliothèque doit pouvoir réclamer ses documents. À"
        " effacer une fois rendus."
    ),
    StaysBecause.DISPUTE: "{number} en litige, conservés jusqu'à la fin de ce litige{until}.",
    StaysBecause.HOLD: (
        "{number} « Ne pas écrire » en vigueur{until} : effacer le lecteur l'effacerait aussi. La lever d'abord, si le"
        " lecteur ne la veut plus."
    ),
    StaysBecause.RUN_UNDER_WAY: "{number} d'une tournée encore en cours : recommencer quand elle sera finie.",
    StaysBecause.LETTER_NOT_PRINTED: (
        "{number} dont une lettre attend dans un lot non imprimé : retirer la lettre ou imprimer le lot, puis"
        " recommencer."
    ),
    StaysBecause.REGISTERED_UNDER_WAY: (
        "{number} dont un recommandé n'est pas encore revenu ni acquitté : sa preuve doit rester jusque-là."
    ),
    StaysBecause.PRINTED_FILE: (
        "Les pages de ses lettres dans {number} : un fichier est le même pour beaucoup de lecteurs et ne change plus ;"
        " elles n'en sortent plus, ni imprimées, ni copiées, et il s'efface avec la dernière de ses lettres."
    ),
    StaysBecause.CYCLE_HASH: (
        "Une empreinte de chaque prêt effacé, sans lecteur ni titre : pour qu'il ne soit jamais relancé à nouveau ; et,"
        " un an, de son numéro s'il a reçu un SMS."
    ),
    StaysBecause.STOP_HASH: "{number} : un STOP ou une adresse morte reste respecté, sous forme d'empreinte.",
    StaysBecause.SHARED_CONTACT: (
        "{number} de la liste « Désinscriptions » : un autre lecteur a cette même coordonnée, à qui l'on ne doit pas"
        " écrire non plus."
    ),
    StaysBecause.OBJECTION_HASH: "{number} : son opposition reste respectée s'il revient, sous forme d'empreinte.",
    StaysBecause.SMS_NO_HASH: "Son « non » aux SMS reste respecté s'il revient, sous forme d'empreinte.",
    StaysBecause.UNSETTLED_ANSWER: (
        "{number} par SMS ou par e-mail, venue de ses coordonnées et pas encore traitée : recommencer après le prochain"
        " relevé, ou attendre 4 mois, son terme."
    ),
    StaysBecause.COUNTERS: "Les statistiques et les comptes des tournées : des nombres, où il n'est pas nommé.",
    StaysBecause.JOURNAL: ("Le journal : qui a fait quoi et quand, sans dire pour quel lecteur ni avec quels mots."),
    StaysBecause.BACKUPS: (
        "Les sauvegardes faites avant : elles s'effacent à leur terme ; après une restauration, effacer à nouveau."
    ),
}
_COUNTED = {
    StaysBecause.OPEN_LOAN: ("prêt", "prêts"),
    StaysBecause.DISPUTE: ("prêt ou lecteur", "prêts"),
    StaysBecause.HOLD: ("suspension", "suspensions"),
    StaysBecause.RUN_UNDER_WAY: ("prêt", "prêts"),
    StaysBecause.LETTER_NOT_PRINTED: ("prêt", "prêts"),
    StaysBecause.REGISTERED_UNDER_WAY: ("prêt", "prêts"),
    StaysBecause.PRINTED_FILE: ("lot de lettres", "lots de lettres"),
    StaysBecause.STOP_HASH: ("coordonnée", "coordonnées"),
    StaysBecause.SHARED_CONTACT: ("ligne", "lignes"),
    StaysBecause.OBJECTION_HASH: ("opposition", "oppositions"),
    StaysBecause.UNSETTLED_ANSWER: ("réponse", "réponses"),
}


def stays_words(stays: Stays) -> str:
    """What stays, and why, in a sentence or two."""
    number = many(stays.number, *_COUNTED[stays.why]) if stays.why in _COUNTED else ""
    until = f", jusqu'au {day_words(stays.until)}" if stays.until else ""
    return _STAYS[stays.why].format(number=number, until=until)


def erasure_lines(erasure: Erasure, *, done: bool) -> Iterator[str]:
    """What an erasure removes (`done`: removed) and what stays, a sentence a line, for a terminal."""
    yield f"{'Effacé' if done else 'Serait effacé'} : {removed_words(erasure.removed)}."
    yield complete_words(erasure, done=done)
    yield from (f"Reste : {stays_words(one)}" for one in erasure.stays)


def complete_words(erasure: Erasure, *, done: bool) -> str:
    """Whether the reader himself goes."""
    if erasure.complete:
        return "Le registre ne connaît plus ce lecteur." if done else "Le registre ne connaîtrait plus ce lecteur."
    return "Le lecteur reste connu, avec ce qui ne peut pas encore être effacé."


TABLES = {
    "readers": "Qui est le lecteur, tel que le SIGB l'a décrit en dernier",
    "loans_seen": "Prêts, tels que le SIGB les a donnés à chaque tournée",
    "loan_ends": "Jusqu'à quand chaque prêt a été suivi",
    "notices": "Avis préparés",
    "deliveries": "Messages : un par avis et par canal",
    "delivery_loans": "Prêts que cite chaque message",
    "sent_words": "Mots des messages",
    "receipts": "Réponses des serveurs, du prestataire SMS et de l'imprimeur",
    "letters": "Lettres dans leurs lots",
    "letter_events": "Étapes des lettres",
    "registered_letters": "Lettres recommandées",
    "desk_settlements": "Messages non arrivés, réglés au bureau",
    "resends": "Messages renvoyés à la main",
    "skips": "Jours où rien n'est parti, et pourquoi",
    "sms_acks": "Accusés de réception des SMS",
    "sms_replies": "Réponses par SMS",
    "mail_bounces": "E-mails revenus",
    "suppressions": "Désinscriptions et coordonnées écartées",
    "sms_choices": "Ce qu'il a dit des SMS",
    "corrections": "Coordonnées qui échouent",
    "holds": "Ne pas écrire",
    "disputes": "Litiges",
    "objections": "Oppositions",
    "amendments": "Rectifications",
    "put_aside": "Retours mis de côté",
    "journal": "Ce qui a été fait à son sujet",
}
"""What each table holds, for the reader himself."""

LOAN_ENDS = {
    LoanEnd.RETURNED: "n'est plus en prêt",
    LoanEnd.RENEWED: "prolongé",
    LoanEnd.GIVEN_UP: "n'est plus suivi",
}
"""How a loan ended."""


def information(*, erased_after: tuple[int, int] | None, policy: Policy, email: str) -> tuple[tuple[str, str], ...]:
    """What must be told with the data (GDPR, article 15, paragraph 1), as label and sentence.

    `erased_after`: the months that loans and readers are kept; None where the library has nothing erased by itself.
    `policy` says what decides who is written to.
    """
    compared = ", avec et sans SMS" if policy.sends_sms else ""
    return (
        ("Pourquoi", "Rappeler aux lecteurs les documents à rendre, et réclamer ceux qui ne le sont pas. Et compter si"
         f" ces rappels servent : combien de prêts reviennent après un message{compared} ; il n'en reste que des"
         " nombres."),
        ("D'où", "Du système de gestion de la bibliothèque (SIGB), que la bibliothèque lit sans rien y écrire ; des"
         " réponses des serveurs de messagerie, du prestataire SMS et de La Poste ; de ce que le lecteur a répondu ou"
         " demandé."),
        ("À qui", "Au serveur de messagerie de l'établissement, au prestataire SMS de la bibliothèque pour le numéro et"
         " le texte des SMS, s'il en part, à La Poste pour les adresses des lettres. À personne d'autre ; hors de"
         " l'établissement et de ces prestataires, rien n'est transmis."),
        ("Combien de temps", _how_long(erased_after)),
        ("Décisions", _what_decides(policy)),
        ("Droits", "Accès, rectification, effacement, limitation, opposition à l'e-mail ou au SMS : s'adresser à la"
         f" bibliothèque{f' ({email})' if email else ''}. En cas de désaccord : la CNIL, www.cnil.fr."),
        ("Agents", "Les noms des agents de la bibliothèque ne sont pas dans ce document : dates et gestes y sont."),
    )  # fmt: skip


def _how_long(erased_after: tuple[int, int] | None) -> str:
    if erased_after is None:
        return (
            "Aucun effacement n'est programmé : ces données restent jusqu'à ce que la bibliothèque les efface, ou que"
            " le lecteur le demande."
        )
    loan, reader = (many(months, "mois", "mois") for months in erased_after)
    return (
        f"{loan} après le retour pour un prêt et les messages à son sujet, {reader} après la dernière tournée qui l'a"
        " vu pour le lecteur ; plus longtemps en cas de litige."
    )


def _what_decides(policy: Policy) -> str:
    """What decides about a message: chance, too, while SMS are held back so that their effect can be measured."""
    said = (
        "La date d'échéance décide du jour d'un message, les coordonnées et les oppositions du lecteur, de la façon de"
        " lui écrire."
    )
    if policy.sends_sms:
        age = "" if policy.sms.minors is None else ", et de son âge (mineur ou non)"
        said += f" Recevoir des SMS dépend aussi de sa catégorie, de ce qu'il a dit des SMS{age}."
    if trial := policy.holdback:
        said += (
            f" Du {day_words(trial.first)} au {day_words(trial.last)}, un tirage au sort retient les SMS de"
            f" {round(100 * trial.share)} % des lecteurs qui ont un e-mail, pour mesurer si les SMS servent ; leur"
            " e-mail part. Qui ne veut pas en être le dit à la bibliothèque."
        )
    return f"{said} Aucun profil n'est fait du lecteur."
