"""The e-mail about a run that failed or is late: what is said, and what to do about it."""

from __future__ import annotations

from loan_reminders.domain.alerts import LONGEST, Alert, AlertKind

SILENT = (
    "La tâche s'est arrêtée sans rien dire : son processus a été tué, ou la machine a redémarré. Lire son journal,"
    " puis l'« Effacer » : ce qui est parti ne repart pas."
)
TOO_LONG = (
    "La tâche a dépassé le temps qui lui est accordé. Voir si le serveur qu'elle interroge répond, puis l'« Effacer »."
)
RUN_ENDED = (
    "La tournée a échoué sans qu'une tâche dise pourquoi : elle a duré trop longtemps, ou quelqu'un a marqué une de ses"
    " tâches en échec."
    " Ouvrir la tournée dans Airflow, puis « Déclencher » avec ce jour de référence : ce qui est parti ne repart pas."
)
LATE = (
    "La tournée n'est pas terminée. Ouvrir la tournée dans Airflow : une tâche attend peut-être une réponse (« Actions"
    " requises », ou la page « À faire » des Relances), ou réessaie un serveur qui ne répond pas."
)
_ENDS = (
    "Une même cause n'est annoncée qu'une fois par jour et par tournée ; une seule fois pour toutes les tournées quand"
    " c'est un serveur qui ne répond pas.\n"
    "Ce message est envoyé par le programme des relances ; il ne contient aucune donnée de lecteur."
)


def subject(alert: Alert, library: str) -> str:
    """What stands in the list of messages."""
    what = "en retard" if alert.kind is AlertKind.LATE else "en échec"
    return f"[Relances] {library} : {alert.dag_name}, {what}"


def body(alert: Alert, library: str) -> str:
    """The whole message, as plain text."""
    said = alert.sentence[:LONGEST]
    where = f"« {alert.dag_name} »" + (f", tâche « {alert.task} »" if alert.task else "")
    late = f" (commencée il y a plus de {alert.hours} h)" if alert.kind is AlertKind.LATE else ""
    lines = [f"{library}", f"Étape : {where}{late}", f"Tournée : {alert.run_id}", "", said, ""]
    if alert.link:
        lines += [f"Dans Airflow : {alert.link}", ""]
    return "\n".join([*lines, _ENDS, ""])
