"""How librarians read the DAGs and their tasks in Airflow: each name is said here, once."""

from __future__ import annotations

DAGS = {
    "courtesy_notice": "1. Lettre de courtoisie",
    "overdue_notice": "2. Avis de retard",
    "first_reminder": "3. Première lettre de relance",
    "second_reminder": "4. Deuxième lettre de relance",
    "registered_letter": "5. Lettre recommandée",
    "sms_feedback": "6. Retours des SMS",
    "mail_feedback": "7. Retours des e-mails",
    "watch": "8. Surveillance des tournées",
    "loan_returns": "9. Retours des documents",
}
"""The display name of each DAG, by its id; the numbers keep them in the order of the procedure."""

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
}
"""The display name of each task, by its id."""
