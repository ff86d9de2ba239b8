"""How librarians call what is on paper: batches, registered letters, and what was done to them.

The pages of the desk and the file of a loan (`…_IN_FILE`) say some of it differently: a page says briefly what is to be
done next, the file says to people outside the library what happened.
"""

from __future__ import annotations

from loan_reminders.domain.letters.batches import BatchState, LetterAct, RegisteredState, ReturnReason
from loan_reminders.domain.registered.steps import Life
from loan_reminders.domain.states import Reason
from loan_reminders.french.days import day_words

S = RegisteredState

BATCHES = {
    BatchState.DRAFT: "brouillon à valider",
    BatchState.READY: "à imprimer",
    BatchState.PRINTED: "imprimé",
    BatchState.ABANDONED: "refusé ou remplacé",
}
BATCHES_IN_FILE = {
    BatchState.DRAFT: "épreuve à approuver",
    BatchState.READY: "à imprimer",
    BatchState.PRINTED: "imprimé",
    BatchState.ABANDONED: "abandonné",
}
LEFT_OUT = {
    Reason.RETURNED: "tout a été rendu",
    Reason.RENEWED: "tout a été prolongé",
    Reason.NOT_TOLD: "plus rien n'est relancé (perdu, ou retour déclaré)",
    Reason.TAKEN_OUT: "retirée par un bibliothécaire",
    Reason.HELD: "à ne pas écrire pour le moment",
    Reason.SUPERSEDED: "une étape suivante a pris le relais",
    Reason.DEAD_ADDRESS: "du courrier est revenu de l'adresse (NPAI)",
}
"""Why a letter is not to be posted, on the page of its batch."""

REGISTERED = {
    S.TO_PRINT: "à imprimer",
    S.PRINTED: "imprimé, sans numéro",
    S.NUMBERED: "numéroté, à poster",
    S.POSTED: "posté, avis de réception attendu",
    S.ACKNOWLEDGED: "avis de réception reçu",
    S.RETURNED: "revenu",
}
REGISTERED_IN_FILE = {
    S.TO_PRINT: "à imprimer",
    S.PRINTED: "imprimée",
    S.NUMBERED: "numérotée",
    S.POSTED: "déposée à La Poste",
    S.ACKNOWLEDGED: "avis de réception revenu signé",
    S.RETURNED: "revenue à la bibliothèque",
}
RETURNS = {
    ReturnReason.UNCLAIMED: "non réclamé",
    ReturnReason.RETURNED_UNDELIVERABLE: "NPAI, n'habite pas à l'adresse indiquée",
    ReturnReason.REFUSED_BY_READER: "refusé par le lecteur",
}
RETURNS_IN_FILE = {
    ReturnReason.UNCLAIMED: "pli avisé et non réclamé",
    ReturnReason.RETURNED_UNDELIVERABLE: "destinataire inconnu à l'adresse (NPAI)",
    ReturnReason.REFUSED_BY_READER: "pli refusé par le destinataire",
}
OUTCOMES = {
    "poste": "posté",
    "recu": "avis de réception reçu",
    ReturnReason.UNCLAIMED.value: "revenu : non réclamé",
    ReturnReason.RETURNED_UNDELIVERABLE.value: "revenu : NPAI",
    ReturnReason.REFUSED_BY_READER.value: "revenu : refusé par le lecteur",
}
"""What may be noted of a registered letter by its number, by the value of the form's field."""

ACTS = {
    LetterAct.DRAFTED: "lot préparé, à valider",
    LetterAct.APPROVED: "lot validé",
    LetterAct.NOT_APPROVED: "lot refusé",
    LetterAct.CLOSED: "lot clos",
    LetterAct.TAKEN_OUT: "retirée du lot",
    LetterAct.LEFT_OUT: "retirée du lot avant l'impression",
    LetterAct.PRINTED: "lot imprimé",
    LetterAct.GIVEN_AGAIN: "même fichier donné à nouveau",
    LetterAct.COPIED: "copie faite",
    LetterAct.NUMBERED: "numéro donné",
    LetterAct.POSTED: "dépôt noté",
    LetterAct.ACKNOWLEDGED: "avis de réception noté",
    LetterAct.RETURNED: "retour noté",
    LetterAct.UNDONE: "dernière étape annulée",
}
ACTS_IN_FILE = {
    LetterAct.DRAFTED: "épreuve composée",
    LetterAct.APPROVED: "lot approuvé",
    LetterAct.NOT_APPROVED: "lot non approuvé",
    LetterAct.CLOSED: "lot clos",
    LetterAct.TAKEN_OUT: "retirée du lot",
    LetterAct.LEFT_OUT: "laissée de côté",
    LetterAct.PRINTED: "imprimée",
    LetterAct.GIVEN_AGAIN: "même fichier donné à nouveau",
    LetterAct.COPIED: "copie faite",
    LetterAct.NUMBERED: "numéro de recommandé noté",
    LetterAct.POSTED: "dépôt à La Poste noté",
    LetterAct.ACKNOWLEDGED: "avis de réception noté",
    LetterAct.RETURNED: "retour du pli noté",
    LetterAct.UNDONE: "étape annulée",
}


STAMPS = {BatchState.DRAFT: "À VALIDER", BatchState.READY: "APERÇU"}
"""What is stamped across a PDF that is not for the post yet."""

COPY_STAMP = "COPIE"

TRIAL_STAMP, TRIAL_LINE = "ESSAI", "Essai : ne pas envoyer"
"""What is stamped across a letter that was made while messages were redirected, and at its head."""


def step_detail_words(detail: str) -> str:
    """What the trace keeps with a step: the code of a return, as words; anything else is in words already."""
    return RETURNS[ReturnReason(detail)] if detail in set(ReturnReason) else detail


def life_words(life: Life) -> str:
    """Where a registered letter is, with its day: `posté le 04/12/2026`."""
    if life.state is S.POSTED and life.posted_on is not None:
        return f"posté le {day_words(life.posted_on)}"
    if life.state is S.ACKNOWLEDGED and life.acknowledged_on is not None:
        return f"avis de réception reçu le {day_words(life.acknowledged_on)}"
    if life.state is S.RETURNED and life.returned_on is not None and life.return_reason is not None:
        return f"revenu le {day_words(life.returned_on)} : {RETURNS[life.return_reason]}"
    return REGISTERED[life.state]
