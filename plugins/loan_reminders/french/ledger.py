"""What the ledger tells in a log: the sentences here, what happened in the code that tells it."""

from __future__ import annotations

from loan_reminders.domain.runs.books import BooksProblem
from loan_reminders.french.runs import imbalance_words

CROWDED_DOMAINS = (
    "Adresses de mêmes domaines d'où tout revient à la fois : %d. La faute est sans doute de notre côté,"
    " aucune n'est tenue pour morte"
)
REFUSED_AT_ONCE = (
    "Trop d'adresses refusées à la fois chez %s : aucune n'est tenue pour morte."
    " Vérifier que ce n'est pas une panne de leur côté ou une erreur du nôtre."
)
LEFT_BY_A_RUN = "Envois laissés en doute par une tournée interrompue : %s"
LEFT_BY_A_SENDER = "Tournée %s (%s), envois laissés en doute par un processus interrompu : %s"
NOT_UNDERSTOOD = "Un retour n'a pas été compris, il est mis de côté (%s)"
TOO_LATE = "Tournée %s, réponses trop tardives, gardées pour mémoire : %s"

OR_AN_ADDRESS = "Ou dire où est le registre par {variables}."
ARGUMENTS_ARE_READ = (
    "Un mot de passe donné en argument se lit dans la liste des processus : le donner par la variable"
    " REMINDERS_LEDGER_URL, ou dans un fichier nommé par {file_variable}, et changer celui-ci."
)
UNREADABLE_FILE = "Le fichier nommé par {file_variable} est illisible : {path}."
UNREADABLE_ADDRESS = "L'adresse du registre est illisible : la corriger."
NO_CONNECTION = "La connexion du registre n'est pas le JSON d'une connexion Airflow : la corriger."


def imbalance_of_a_run(run_id: int, problem: BooksProblem) -> str:
    """One thing that is wrong in a run's books."""
    return f"Tournée {run_id} : {imbalance_words(problem)}"
