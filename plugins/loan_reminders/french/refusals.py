"""The sentence of every error that has a code: what is wrong, and what to do about it.

A room below says why by a code and names the facts; the pages, the tasks' log and the commands show `sentence(error)`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from loan_reminders.domain.errors import RETRIED, CodedError, LedgerFault, LedgerRefusal
from loan_reminders.domain.letters.batches import BatchRefusal, RegisteredState, ReturnRefusal
from loan_reminders.domain.readers.resend import ResendRefusal
from loan_reminders.domain.registered.steps import Life, NumbersFileRefusal, StepRefusal
from loan_reminders.domain.registered.tracking_number import TrackingRefusal
from loan_reminders.domain.retention.disputes import DisputeRefusal
from loan_reminders.domain.runs.holds import HoldRefusal
from loan_reminders.domain.runs.reference_date import DayRefusal
from loan_reminders.domain.stages import Channel
from loan_reminders.french.letters import REGISTERED, life_words
from loan_reminders.french.pages.reader_rights import OF_READER_RIGHTS
from loan_reminders.french.words import ONE_CHANNEL

Facts = Mapping[str, object]
Sentence = str | Callable[[Facts], str]

_NUMBERS = "1A 234 567 8901 2 ou RK 123 456 785 FR"
_ID = re.compile("`([^`]+)`")
_LENGTH = f"Un numéro de recommandé a {{length}} signes, par ex. {_NUMBERS} ; celui-ci en a {{signs}}."
_READ_AGAIN = "Relancer « Extraire les prêts »."
_LATER = "Réessayer plus tard (automatique dans Airflow) ; si cela dure, prévenir l'administrateur."
_CALL = "Prévenir l'administrateur."
LEDGER_FAULTS = {
    LedgerFault.CONNECTION_LOST: "la connexion est perdue",
    LedgerFault.READ_ONLY: "la base est en lecture seule",
    LedgerFault.BLOCKED: "une autre transaction bloque celle-ci",
    LedgerFault.DISK_FULL: "le disque est plein",
    LedgerFault.NO_RESOURCES: "le serveur manque de ressources",
    LedgerFault.LOCK_HELD: "un autre processus garde un verrou trop longtemps",
    LedgerFault.STATEMENT_TOO_LONG: "une requête a pris trop de temps",
    LedgerFault.STARTING_OR_STOPPING: "le serveur démarre ou s'arrête",
    LedgerFault.SYSTEM_FAILURE: "panne du système du serveur",
    LedgerFault.ACCOUNT_REFUSED: "le serveur refuse le compte",
    LedgerFault.NO_DATABASE: "la base n'existe pas",
    LedgerFault.NO_RIGHT: "il manque au compte un droit sur une table",
    LedgerFault.NO_TABLE: "il manque une table, lancer `{command}`",
    LedgerFault.NO_COLUMN: "il manque une colonne, lancer `{command}`",
    LedgerFault.NO_FUNCTION: "il manque une fonction, lancer `{command}`",
}
_STEPS_BEFORE = {RegisteredState.PRINTED: "l'impression", RegisteredState.POSTED: "le dépôt à la poste"}
"""The step that led to a state, as the day of the next one is compared with it."""


def _is(state: RegisteredState) -> str:
    return f"Cette lettre est « {REGISTERED[state]} »."


def _noted_already(facts: Facts) -> str:
    life = facts["life"]
    where = life_words(life) if isinstance(life, Life) else ""
    return f"Cette lettre est déjà notée « {where} » : annuler d'abord sa dernière étape si c'est une erreur."


def _unavailable(facts: Facts) -> str:
    return f"Le registre est indisponible : {_fault_words(facts)}. {_LATER}"


def _unusable(facts: Facts) -> str:
    return f"Le registre est inutilisable : {_fault_words(facts)}. {_CALL}"


def _fault_words(facts: Facts) -> str:
    words = LEDGER_FAULTS[LedgerFault(str(facts["fault"]))].format_map(facts)
    return f"{words} (SQLSTATE {facts['sqlstate']})"


def _before_previous_step(facts: Facts) -> str:
    step = _STEPS_BEFORE[RegisteredState(str(facts["previous"]))]
    words = "Le {day:%d/%m/%Y} est avant {step}, le {previous_day:%d/%m/%Y}."
    return words.format_map({**facts, "step": step})


_OF_A_STEP: dict[StepRefusal, Sentence] = {
    StepRefusal.NO_REFERENCE: "Il manque la référence de la lettre.",
    StepRefusal.UNKNOWN_REFERENCE: "Aucun recommandé n'a la référence {reference}.",
    StepRefusal.UNKNOWN_NUMBER: "Aucun recommandé n'a ce numéro.",
    StepRefusal.AMBIGUOUS: "Plusieurs lettres ont cette référence : passer par sa page.",
    StepRefusal.NOT_REGISTERED: "La lettre {reference} est une lettre simple, pas un recommandé.",
    StepRefusal.NONE_IN_BATCH: "Ce lot n'a aucun recommandé.",
    StepRefusal.LEFT_OUT: "Cette lettre a été retirée de son lot : elle n'est pas à poster.",
    StepRefusal.NOT_PRINTED: f"{_is(RegisteredState.TO_PRINT)} Il faut d'abord marquer son lot comme imprimé, sur la"
    " page des lots.",
    StepRefusal.NO_NUMBER: f"{_is(RegisteredState.PRINTED)} Il faut d'abord lui donner son numéro de recommandé.",
    StepRefusal.NOT_POSTED: f"{_is(RegisteredState.NUMBERED)} Il faut d'abord noter son dépôt à la poste.",
    StepRefusal.ALREADY_NUMBERED: "Cette lettre a déjà le numéro {number} : annuler cette étape d'abord si le numéro"
    " est faux.",
    StepRefusal.NUMBER_TAKEN: "Le numéro {number} est déjà celui de la lettre {reference}.",
    StepRefusal.ALREADY_POSTED: _noted_already,
    StepRefusal.ALREADY_ANSWERED: _noted_already,
    StepRefusal.NO_DATE: "Il manque la date, ou ce n'en est pas une.",
    StepRefusal.IN_THE_FUTURE: "Le {day:%d/%m/%Y} est dans l'avenir.",
    StepRefusal.BEFORE_PREVIOUS_STEP: _before_previous_step,
    StepRefusal.NOTHING_TO_UNDO: "Cette lettre n'a aucune étape à annuler.",
    StepRefusal.NOT_THE_LAST: "Seule la dernière étape s'annule, et une autre a été notée ou annulée entre-temps :"
    " relire la page.",
    StepRefusal.PRINTING_STAYS: "Il ne reste que l'impression : elle vaut pour tout le lot, qui ne change plus, et ne"
    " s'annule pas.",
    StepRefusal.NUMBER_BEFORE_LETTER: "Ce numéro n'est encore à aucune lettre : scanner d'abord la référence de la"
    " lettre, puis lui.",
    StepRefusal.NO_OUTCOME: "Choisir ce qui est arrivé à la lettre.",
}
_OF_A_NUMBER: dict[TrackingRefusal, Sentence] = {
    TrackingRefusal.MISSING: f"Il manque le numéro de recommandé, par ex. {_NUMBERS}.",
    TrackingRefusal.TOO_SHORT: _LENGTH,
    TrackingRefusal.TOO_LONG: _LENGTH,
    TrackingRefusal.WRONG_SHAPE: "Ce n'est pas un numéro de recommandé : un chiffre, une lettre et onze chiffres, ou R,"
    f" une lettre, neuf chiffres et deux lettres ({_NUMBERS}).",
    TrackingRefusal.LETTER_FOR_DIGIT: "Une lettre est à la place d'un chiffre (O pour 0, I pour 1…). Relire le numéro"
    " sur l'étiquette.",
    TrackingRefusal.NOT_REGISTERED: "Ce numéro international n'est pas celui d'un recommandé : il doit commencer par R"
    " (RA à RZ).",
    TrackingRefusal.WRONG_CHECK_DIGIT: "La clé de ce numéro est fausse : un chiffre est mal lu ou mal tapé. Relire le"
    " numéro sur l'étiquette.",
}
_FILE_FAULTS = {
    NumbersFileRefusal.TOO_LARGE: "le fichier dépasse {megabytes} Mo",
    NumbersFileRefusal.TOO_MANY_LINES: "il a plus de {lines} lignes",
    NumbersFileRefusal.UNKNOWN_ENCODING: "ce n'est ni de l'UTF-8 ni du Windows-1252 : l'enregistrer en CSV",
    NumbersFileRefusal.NOT_CSV: "la ligne {line} n'est pas du CSV",
    NumbersFileRefusal.NO_HEADER: "sa première ligne doit nommer les colonnes {reference} et {number}",
    NumbersFileRefusal.COLUMN_TWICE: "la colonne {reference} ou {number} y est deux fois",
}
_OF_A_FILE: dict[NumbersFileRefusal, Sentence] = {
    fault: f"Ce fichier ne peut pas être lu : {words}. Rien n'a été changé." for fault, words in _FILE_FAULTS.items()
}
_OF_A_BATCH: dict[BatchRefusal, Sentence] = {
    BatchRefusal.DRAFT: "Ce lot attend d'être validé dans Airflow (« Actions requises ») : il ne s'imprime pas encore.",
    BatchRefusal.PRINTED: "Ce lot est déjà imprimé et ne change plus : seule une copie peut en être tirée.",
    BatchRefusal.ABANDONED: "Ce lot a été refusé ou remplacé : rien n'en est imprimé.",
    BatchRefusal.NOT_PRINTED: "Ce lot n'est pas encore imprimé : il n'y a rien à copier.",
    BatchRefusal.NOTHING_TO_PRINT: "Il ne reste aucune lettre à imprimer dans ce lot.",
    BatchRefusal.NOTHING_LEFT: "Il ne reste aucune lettre dans ce lot.",
    BatchRefusal.NO_REASON: "Un motif est nécessaire pour retirer une lettre.",
    BatchRefusal.NOT_IN_DRAFT: "Cette lettre n'attend plus dans ce brouillon.",
    BatchRefusal.NOT_IN_BATCH: "Cette lettre n'est plus dans le lot, ou il vient d'être imprimé.",
    BatchRefusal.UNKNOWN_BATCH: "Il n'y a pas de lot n° {batch_id}.",
    BatchRefusal.UNKNOWN_FILE: "Ce lot n'a pas ce fichier, ou plus aucune lettre n'y reste.",
    BatchRefusal.UNKNOWN_LETTER: "Cette lettre n'est pas dans ce lot.",
    BatchRefusal.UNKNOWN_PAGE: "Ce lot n'a pas cette page.",
    BatchRefusal.UNKNOWN_SLIP: "Ce lot n'a pas de bordereau de dépôt.",
    BatchRefusal.TRIAL: "Ce lot est un essai : ses lettres ne sont pas à poster, et aucun prestataire ne doit les"
    " recevoir. « Imprimer » en donne les pages, marquées « Essai : ne pas envoyer ».",
    BatchRefusal.ILS_NOT_ASKED: "Le SIGB ne peut pas être interrogé : rien n'a été imprimé, le lot attend. Réessayer"
    " dans quelques minutes ; si cela dure, prévenir l'administrateur. ({why})",
}
_OF_A_RETURN: dict[ReturnRefusal, Sentence] = {
    ReturnRefusal.UNKNOWN_LETTER: "Aucune lettre n'a la référence {reference}.",
    ReturnRefusal.AMBIGUOUS: "Plusieurs lettres ont la référence {reference}.",
    ReturnRefusal.REGISTERED: "La lettre {reference} est un recommandé : noter son retour sur la page « Recommandés ».",
    ReturnRefusal.LEFT_OUT: "La lettre {reference} a été retirée de son lot : elle n'a pas été postée.",
    ReturnRefusal.NOT_PRINTED: "La lettre {reference} n'a pas été imprimée. Il faut d'abord marquer son lot comme"
    " imprimé.",
}
_OF_A_DAY: dict[DayRefusal, Sentence] = {
    DayRefusal.IN_THE_FUTURE: "Jour de référence {day:%d/%m/%Y} (reference_date) : il est dans l'avenir. Une tournée"
    " traite aujourd'hui ({today:%d/%m/%Y}) ou un jour passé ; laisser vide pour le jour prévu.",
    DayRefusal.TOO_OLD: "Jour de référence {day} (reference_date) : il est à plus d'un an. Donner un jour plus récent,"
    " ou laisser vide pour le jour prévu.",
    DayRefusal.NOT_A_DAY: "reference_date = {text!r} : une date de la forme AAAA-MM-JJ est attendue, ou rien",
    DayRefusal.IN_A_BACKFILL: "Rattrapage refusé : « Jour de référence » est rempli, et chaque jour du rattrapage"
    " aurait traité ce même jour. Rien n'a été lu. Refaire le rattrapage en laissant ce champ vide.",
}
_OF_THE_LEDGER: dict[LedgerRefusal, Sentence] = {
    LedgerRefusal.UNKNOWN_RUN: "Le registre de la bibliothèque {library} n'a pas de tournée {run_id}. " + _READ_AGAIN,
    LedgerRefusal.READING_IS_OVER: "La tournée {run_id} de la bibliothèque {library} ne lit plus le SIGB : elle"
    " n'accepte plus de ligne. " + _READ_AGAIN,
    LedgerRefusal.NOT_READ_TO_PLAN: "La tournée {run_id} n'a pas fini de lire le SIGB : elle ne peut pas être préparée."
    " " + _READ_AGAIN,
    LedgerRefusal.NOT_READ_TO_COUNT: "La tournée {run_id} n'a pas fini de lire le SIGB : ses prêts ne sont pas comptés."
    " " + _READ_AGAIN,
    LedgerRefusal.ALREADY_PLANNED: "La tournée {run_id} est déjà préparée.",
    LedgerRefusal.LOAN_LOST: "Le registre a perdu un prêt de l'envoi {delivery_id}. Prévenir l'administrateur.",
    LedgerRefusal.RUN_ERASED: "Des prêts de la tournée {run_id} ont été effacés par une version précédente du"
    " programme : ses comptes restent ce qu'ils étaient et ne se refont plus.",
    LedgerRefusal.LETTER_IN_ANOTHER_BATCH: "Une lettre de ce lot est déjà dans un lot clos. Prévenir l'administrateur.",
    LedgerRefusal.NO_TABLES: "La base du registre n'a pas encore de tables : l'administrateur doit lancer `{command}`.",
    LedgerRefusal.OLDER_TABLES: "Les tables du registre sont à la révision {revision}, il faut {wanted} :"
    " l'administrateur doit lancer `{command}`.",
    LedgerRefusal.NEWER_TABLES: "Les tables du registre sont à la révision {revision}, ce programme connaît {wanted} :"
    " l'administrateur doit installer la nouvelle version du programme.",
    LedgerRefusal.ANOTHER_TASK_PRINTS: f"Une autre tâche imprime déjà les lettres de cette tournée. {RETRIED}",
    LedgerRefusal.ANOTHER_TASK_TEXTS: "Une autre tâche envoie des SMS de la bibliothèque : une seule à la fois le peut."
    f" {RETRIED}",
    LedgerRefusal.CONNECTION_CLOSED: f"La connexion au registre est fermée : l'envoi s'arrête là. {RETRIED}",
    LedgerRefusal.ANOTHER_UPGRADE: "Une autre mise à jour des tables du registre est en cours. Réessayer plus tard.",
    LedgerRefusal.UNAVAILABLE: _unavailable,
    LedgerRefusal.UNUSABLE: _unusable,
    LedgerRefusal.NO_ANSWER: f"La base du registre ne répond pas : « {{words}} ». {_LATER}",
    LedgerRefusal.NO_FREE_CONNECTION: f"Le registre n'a plus de connexion libre dans ce processus. {_LATER}",
    LedgerRefusal.CONNECTION_LOST: f"La connexion au registre est fermée ({{kind}}). {_LATER}",
    LedgerRefusal.CONNECTION_REFUSED: f"Le serveur du registre refuse la connexion : « {{words}} ». {_CALL}",
    LedgerRefusal.VALUE_REFUSED: f"Le pilote du registre refuse une valeur ({{kind}}). {_CALL}",
    LedgerRefusal.STATEMENT_REFUSED: f"Le registre refuse une requête ({{kind}}, SQLSTATE {{sqlstate}}{{place}})."
    f" {_CALL}",
    LedgerRefusal.NOTICES_HELD: "Une autre tournée tient les mêmes avis : un nouvel essai les verra comme envoyés."
    f" {_LATER}",
    LedgerRefusal.RUN_BEING_OPENED: f"Un autre processus ouvre la même tournée. {_LATER}",
    LedgerRefusal.NUMBER_JUST_TAKEN: "Un autre poste vient de donner un de ces numéros : rien n'a été changé."
    f" {_LATER}",
    LedgerRefusal.BATCH_NAME_TAKEN: f"Un lot de lettres de ce nom est déjà dans le registre. {_CALL}",
}
_OF_A_HOLD: dict[HoldRefusal, Sentence] = {
    HoldRefusal.NO_REASON: "Il manque le motif : il sera lu par ceux qui reprendront ce dossier.",
    HoldRefusal.PAST: "Cette date est déjà passée : rien n'a été changé.",
    HoldRefusal.TOO_FAR: "Cette date est à plus d'un an : choisir au plus tard le {last:%d/%m/%Y}.",
    HoldRefusal.UNKNOWN_READER: "Le registre ne connaît pas, ou plus, ce lecteur.",
    HoldRefusal.UNKNOWN_LOAN: "Le registre ne connaît pas ce prêt de ce lecteur.",
    HoldRefusal.NOT_IN_FORCE: "Cette suspension n'est pas, ou plus, en vigueur : rien n'a été changé.",
}
_OF_A_DISPUTE: dict[DisputeRefusal, Sentence] = {
    DisputeRefusal.NO_REASON: "Il manque le motif : il sera lu par ceux qui reprendront ce dossier.",
    DisputeRefusal.PAST: "Cette date est déjà passée : rien n'a été changé.",
    DisputeRefusal.TOO_FAR: "Cette date est à plus de deux ans : choisir au plus tard le {last:%d/%m/%Y}.",
    DisputeRefusal.UNKNOWN_READER: "Le registre ne connaît pas, ou plus, ce lecteur.",
    DisputeRefusal.UNKNOWN_LOAN: "Le registre ne connaît pas, ou plus, ce prêt de ce lecteur.",
    DisputeRefusal.NOT_OPEN: "Ce litige n'est plus ouvert : rien n'a été changé.",
}
_WITH = {Channel.EMAIL: "adresse électronique", Channel.SMS: "numéro de mobile"}
_OF_A_RESEND: dict[ResendRefusal, Sentence] = {
    ResendRefusal.NOTHING_SENT: lambda facts: f"Aucun {_one(facts)} n'est encore parti pour ce lecteur.",
    ResendRefusal.BEING_SENT: "Ce message est en train de partir : attendre un instant, puis recharger la page.",
    ResendRefusal.NOT_ARRIVED: lambda facts: (
        f"Le dernier {_one(facts)} n'est pas arrivé : le renvoyer au même endroit n'y changerait rien."
        f" Corriger d'abord l'{_WITH[Channel.EMAIL]} dans le SIGB ; l'étape suivante le dira, ou une lettre."
        if facts.get("channel") is Channel.EMAIL
        else f"Le dernier {_one(facts)} n'est pas arrivé : corriger d'abord le numéro dans le SIGB."
    ),
    ResendRefusal.ALREADY_TODAY: lambda facts: (
        f"Un {_one(facts)} a déjà été renvoyé aujourd'hui à ce lecteur : pas plus d'un par jour."
    ),
    ResendRefusal.HELD: "Ne pas écrire : une suspension est en vigueur pour ce lecteur ou ces prêts. La lever d'abord.",
    ResendRefusal.NO_RECIPIENT: lambda facts: (
        f"Le SIGB ne donne plus d'{_WITH[Channel.EMAIL]} utilisable pour ce lecteur."
        if facts.get("channel") is Channel.EMAIL
        else f"Le SIGB ne donne plus de {_WITH[Channel.SMS]} utilisable pour ce lecteur."
    ),
    ResendRefusal.SUPPRESSED: lambda facts: (
        "Cette adresse est sur la liste « Désinscriptions » : rien n'y part. Corriger l'adresse, ou lever la ligne."
        if facts.get("channel") is Channel.EMAIL
        else "Ce numéro est sur la liste « Désinscriptions » (STOP ou numéro mort) : aucun SMS n'y part."
    ),
    ResendRefusal.OBJECTED: lambda facts: f"Ce lecteur s'oppose à tout {_one(facts)} : rien n'est parti.",
    ResendRefusal.NO_CONSENT: "Ce lecteur ne reçoit pas de SMS ({why}) : voir « Accords SMS ».",
    ResendRefusal.WINDOW_CLOSED: "Les SMS ne partent pas à cette heure : réessayer à partir du"
    " {opens_at:%d/%m/%Y à %H h %M}.",
    ResendRefusal.NOTHING_LEFT: "Rien n'est parti : le SIGB dit que tout ce que ce message annonçait est rendu ou"
    " prolongé.",
    ResendRefusal.OVER: "Ce message n'est plus vrai aujourd'hui, et aucune étape atteinte depuis n'en a par ce canal.",
    ResendRefusal.LATER: "Le serveur demande d'attendre : rien n'est parti. Réessayer dans quelques minutes.",
}


def _one(facts: Facts) -> str:
    return ONE_CHANNEL[Channel(str(facts["channel"]))]


SENTENCES: Mapping[type[StrEnum], Mapping[Any, Sentence]] = {
    StepRefusal: _OF_A_STEP,
    TrackingRefusal: _OF_A_NUMBER,
    NumbersFileRefusal: _OF_A_FILE,
    BatchRefusal: _OF_A_BATCH,
    ReturnRefusal: _OF_A_RETURN,
    DayRefusal: _OF_A_DAY,
    LedgerRefusal: _OF_THE_LEDGER,
    HoldRefusal: _OF_A_HOLD,
    ResendRefusal: _OF_A_RESEND,
    DisputeRefusal: _OF_A_DISPUTE,
    **OF_READER_RIGHTS,
}
"""The sentences of each closed list: members of two lists may have the same value."""


def sentence(error: BaseException) -> str:
    """What is wrong and what to do about it: by the code of an error that has one, else the error's own message."""
    sentences = SENTENCES.get(type(error.code)) if isinstance(error, CodedError) else None
    if sentences is None or not isinstance(error, CodedError):
        return str(error)
    words = sentences[error.code]
    return words(error.facts) if callable(words) else words.format(**error.facts)


def missing_connection(said: str) -> str:
    """That Airflow gave no connection, by the id in its own sentence; it says the same when what keeps them is down."""
    named = _ID.search(said)
    return f"Airflow ne donne pas la connexion « {named[1]} »" if named else "Il manque une connexion dans Airflow"
