"""Why a stage stopped on its day, and what becomes of it by itself or what to do about it."""

from __future__ import annotations

from collections.abc import Sequence

from loan_reminders.domain.alerts import FailureCause
from loan_reminders.domain.runs.day_state import DayState, StageDay
from loan_reminders.french.task_names import TASKS

S, C = DayState, FailureCause

CAUSES = {
    C.ILS_SILENT: "le SIGB ne répond pas",
    C.ILS_REFUSES: "le SIGB refuse le compte ou la requête",
    C.MAIL_SILENT: "le serveur de messagerie ne répond pas",
    C.MAIL_REFUSES: "le serveur de messagerie refuse la connexion",
    C.SENT_LATER: "des envois sont remis à plus tard par ceux qui les portent",
    C.SMS_SILENT: "le prestataire de SMS ne répond pas",
    C.SMS_REFUSES: "le prestataire de SMS refuse le compte",
    C.SMS_BUDGET: "les SMS dépassent le crédit ou le plafond",
    C.SMS_WINDOW: "des SMS attendent leur heure",
    C.MAILBOX_SILENT: "la boîte des retours d'e-mails ne répond pas",
    C.MAILBOX_REFUSES: "la boîte des retours d'e-mails refuse la connexion",
    C.STORE_SILENT: "le dossier des lettres ne peut pas être écrit",
    C.LEDGER_SILENT: "le registre ne répondait pas",
    C.LEDGER_REFUSES: "le registre a refusé la demande",
    C.LEDGER_GAP: "le registre ne sait peut-être pas tout ce qui est parti",
    C.SETTINGS: "un réglage ou une connexion manque ou est faux",
    C.TEMPLATES: "un modèle de message a une erreur",
    C.LETTERS: "des lettres ne peuvent pas être mises en page",
    C.BOOKS: "les comptes ne sont pas justes",
    C.OTHER_TASK: "une autre tâche n'a pas abouti",
    C.STOPPED_HERE: "un refus, ou une réponse ou une étape qui manque",
    C.TOO_LONG: "la tâche a dépassé le temps permis",
    C.UNEXPECTED: "erreur inattendue du programme",
}
"""Each cause as a card says it, behind « arrêtée : »."""


def cause_words(day: StageDay) -> str:
    """Why the task to look at failed; empty where nothing says, as of a task whose process was killed."""
    return "" if day.failed is None or day.failed.cause is None else CAUSES[day.failed.cause]


def task_words(tasks: Sequence[str]) -> str:
    """`« Envoyer les e-mails » et « Envoyer les SMS »`; a task that no list names is left out."""
    return " et ".join(f"« {TASKS[task]} »" for task in tasks if task in TASKS)


def advice_words(day: StageDay) -> str:
    """What becomes of a stage by itself, or what to do about it; empty when its state says all."""
    words = _advice_words(day)
    if day.paused and day.state is not S.PAUSED:
        words = f"{words} En pause dans Airflow : rien ne partira demain.".strip()
    return words


def _advice_words(day: StageDay) -> str:
    why = cause_words(day)
    match day.state:
        case S.LATE:
            return "Airflow la lance d'ordinaire dans la minute : attendre un peu."
        case S.QUEUED:
            return "La tournée d'un jour précédent n'est pas finie : elle passe d'abord."
        case S.RUNNING:
            return f"En ce moment : {task_words(day.tasks)}." if day.tasks else ""
        case S.WAITS_FOR_WINDOW:
            return "Les SMS ne partent qu'aux heures permises. Rien à faire."
        case S.WAITS_FOR_VOLUME:
            return "Envois, ou lecture du SIGB, inhabituels : rien ne part avant une réponse."
        case S.WAITS_FOR_APPROVAL:
            return "Rien ne s'imprime avant votre accord."
        case S.RETRYING:
            said = f" : {why}" if why else ""
            return f"{task_words(day.tasks)} n'a pas abouti{said}. Airflow recommence tout seul : rien à faire."
        case S.STOPPED if day.closes_right:
            return f"{_failed(day)}Les comptes sont justes ; lire le journal de la tâche, réparer, puis l'effacer."
        case S.STOPPED:
            more = "Lire le journal de la tâche, réparer, puis l'effacer dans Airflow : elle reprend où elle était."
            return f"{_failed(day)}{more}"
        case S.NOT_BALANCED:
            return "Lire le journal de « Clore et vérifier » dans Airflow, réparer, puis effacer les tâches rouges."
        case S.NEVER_CLOSED:
            return "Airflow n'a plus cette tournée : rattraper ce jour ; ce qui est parti ne repart pas."
        case S.WITHOUT_BOOKS:
            return "Quelqu'un l'a marquée réussie à la main : rattraper ce jour ; ce qui est parti ne repart pas."
        case S.PAUSED:
            return "Rien ne part tant qu'elle n'est pas remise en marche, dans Airflow."
        case S.MISSED:
            return "Rattraper ce jour : ce qui est encore vrai partira."
        case S.BROKEN:
            return "Ses réglages ou ses modèles ont une erreur : la page d'accueil d'Airflow dit laquelle."
        case S.REFUSED:
            return "Volume refusé, ou pas de réponse en un jour : rien n'est parti."
    return ""


def _failed(day: StageDay) -> str:
    """Which task failed, where the state says why and not which."""
    return f"{task_words(day.tasks)} n'a pas abouti. " if cause_words(day) and task_words(day.tasks) else ""
