"""How librarians read the DAGs and their tasks in Airflow: each name is said here, once; those of stages in `words`."""

from __future__ import annotations

from loan_reminders.domain.stages import Stage
from loan_reminders.french.words import stage_title

_IN_FULL = {"1re": "Première", "2e": "Deuxième"}
"""Behind the number of the menu, the number of a letter is a word: `3. Première lettre de relance`."""

BESIDE_THE_STAGES = {
    "sms_feedback": "Retours des SMS",
    "mail_feedback": "Retours des e-mails",
    "watch": "Surveillance des tournées",
    "loan_returns": "Retours des documents",
    "retention": "Effacement",
}


def _in_full(title: str) -> str:
    first, _, others = title.partition(" ")
    return f"{_IN_FULL.get(first, first)} {others}"


_TITLES = {stage.value: _in_full(stage_title(stage)) for stage in Stage} | BESIDE_THE_STAGES

DAGS = {dag_id: f"{place}. {title}" for place, (dag_id, title) in enumerate(_TITLES.items(), start=1)}
"""The display name of each DAG, by its id; the numbers keep them in the order of the procedure."""


def dag_title(name: str) -> str:
    """The display name of a DAG; that of a notice which is not about loans has no number."""
    try:
        return DAGS.get(name) or stage_title(Stage(name))
    except ValueError:  # no DAG of ours
        return name


TASKS = {
    "extract_loans": "Extraire les prêts",
    "plan_notices": "Préparer les avis",
    "confirm_volume": "Vérifier le volume",
    "send_emails": "Envoyer les e-mails",
    "send_sms": "Envoyer les SMS",
    "print_letters": "Imprimer les lettres",
    "prepare_letters": "Préparer les lettres",
    "approve_letters": "Valider les lettres recommandées",
    "print_registered_letters": "Imprimer les lettres recommandées",
    "close_run": "Clore et vérifier",
    "read_receipts": "Lire les accusés de réception",
    "read_replies": "Lire les réponses",
    "read_blacklist": "Lire la liste noire",
    "read_credit": "Lire le crédit",
    "read_bounces": "Lire les retours d'e-mails",
    "watch_runs": "Surveiller les tournées",
    "look_at_loans": "Regarder les retours",
    "measure_effect": "Mesurer l'effet des SMS",
    "erase_expired": "Effacer ce qui a été conservé assez longtemps",
}
"""The display name of each task, by its id."""

SHARE_NAME = "lot {{ task.share['number'] }} sur {{ task.share['of'] }}"
"""The name of one of several tasks that send the e-mails of a run: a template of Airflow's."""
