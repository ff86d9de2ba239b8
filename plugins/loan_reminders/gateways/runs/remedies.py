"""What to ask whom when PostgreSQL or MariaDB refuses, and an error of the ILS said with it."""

from __future__ import annotations

from loan_reminders.domain.errors import RETRIED, TO_MEND, IlsRejected, IlsUnavailable

_DBA = "demander à l'administrateur de la base"
SERVER = f"{_DBA} si le serveur tourne, à quelle adresse et sur quel port, et à celui du réseau d'y ouvrir le passage"
ACCOUNT = f"{_DBA} l'état, le mot de passe et les droits du compte de lecture (scripts grants de sql/)"
TIME = f"{_DBA} le plan de la requête (make check-ils), ou allonger ils.call_timeout_seconds"
STATEMENT = "corriger la requête du SIGB (dossier sql/), ou ce que les réglages [ils] de library.toml disent du site"


def said(words: str, *, temporary: bool, remedy: str) -> IlsUnavailable | IlsRejected:
    """The error: what happened, what becomes of the run, and the remedy."""
    if temporary:
        return IlsUnavailable(f"{words}. {RETRIED} Remède : {remedy}.", cause=words, remedy=remedy)
    return IlsRejected(f"{words}. {TO_MEND} Remède : {remedy}.", cause=words, remedy=remedy)
