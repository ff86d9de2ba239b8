"""Why a reader was not written to, in words."""

from __future__ import annotations

from loan_reminders.domain.dispute.loan_file import SkipRecord
from loan_reminders.domain.stages import Slot
from loan_reminders.domain.states import SkipReason
from loan_reminders.french.desk import not_reached_words
from loan_reminders.french.words import (
    SKIPS,
)

_NOTHING = {None: "Rien n'a été envoyé", Slot.WRITTEN: "Ni e-mail ni lettre", Slot.SMS: "Pas de SMS"}
_BECAUSE = {
    SkipReason.ALREADY_SENT: "ce message était déjà parti",
    SkipReason.SUPERSEDED: "une étape suivante avait déjà pris le relais",
    SkipReason.EXPIRED: "il était trop tard pour que le message soit utile",
    SkipReason.NOT_YET_DUE: "le prêt n'en était pas encore à cette étape",
    SkipReason.OPTED_OUT: "le lecteur a demandé de ne plus recevoir de message par cette voie",
    SkipReason.NOT_ELIGIBLE: "ce message n'est pas prévu pour ce lecteur ou pour ce prêt",
    SkipReason.DECLINED: "le lecteur a dit qu'il ne veut pas de SMS",
    SkipReason.NOT_ASKED_FOR: "le lecteur n'a pas demandé de SMS, et il faut qu'il le demande",
    SkipReason.MINOR: "le lecteur est mineur, et la bibliothèque n'écrit pas de SMS aux mineurs",
    SkipReason.NOT_TEXTED: "la bibliothèque n'écrit pas de SMS à ce public",
    SkipReason.CONTROL_GROUP: "le SMS a été retenu, par tirage au sort, pour mesurer l'effet des SMS",
    SkipReason.RETURNED: "le document avait été rendu",
    SkipReason.RENEWED: "le prêt avait été prolongé",
    SkipReason.NOT_TOLD: "le document n'était plus à relancer dans le SIGB (perdu, ou retour déclaré)",
    SkipReason.HELD: "un bibliothécaire avait demandé de ne pas écrire",
    SkipReason.BEFORE_START: "le jour de cette étape est d'avant la mise en service des relances",
    SkipReason.INVALID_ROW: "le SIGB a donné une ligne qui ne peut pas être lue",
    SkipReason.DUPLICATE_ROW: "le SIGB a donné deux fois ce prêt",
}
_OF_CONTACTS = frozenset({SkipReason.NO_RECIPIENT, SkipReason.INVALID_RECIPIENT, SkipReason.DEAD_ADDRESS})


def nothing_words(skip: SkipRecord) -> str:
    """What did not leave: `Pas de SMS`."""
    return _NOTHING[skip.slot]


def skip_pill_words(skip: SkipRecord) -> str:
    """Why nothing left, in a word or two."""
    return SKIPS[skip.reason]


def because(skip: SkipRecord) -> str:
    """Why nothing left, as the end of a sentence."""
    if skip.reason in _OF_CONTACTS:
        return not_reached_words(skip.reason, skip.detail)
    return _BECAUSE.get(skip.reason, SKIPS[skip.reason])
