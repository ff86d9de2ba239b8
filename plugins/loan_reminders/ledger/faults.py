"""Errors of the database, turned into the project's own errors, in French and without personal data.

PostgreSQL's own messages quote values (a key, a line of a bulk load); these never leave this module. Kept are the
class of the error, its SQLSTATE (PostgreSQL manual, appendix A) and, for a lost or refused connection, libpq's
words: they name a server, never a reader nor a password.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import exc

from loan_reminders.domain.errors import LedgerUnavailable, PermanentError, ReminderError, RowRefused
from loan_reminders.ledger.schema import UPGRADE_COMMAND

_TEMPORARY = {
    "08": "la connexion est perdue",
    "25006": "la base est en lecture seule",
    "40": "une autre transaction bloque celle-ci",
    "53100": "le disque est plein",
    "53": "le serveur manque de ressources",
    "55P03": "un autre processus garde un verrou trop longtemps",
    "57014": "une requête a pris trop de temps",
    "57": "le serveur démarre ou s'arrête",
    "58": "panne du système du serveur",
}
_PERMANENT = {
    "28": "le serveur refuse le compte",
    "3D": "la base n'existe pas",
    "42501": "il manque au compte un droit sur une table",
    "42P01": f"il manque une table, lancer `{UPGRADE_COMMAND}`",
    "42703": f"il manque une colonne, lancer `{UPGRADE_COMMAND}`",
    "42883": f"il manque une fonction, lancer `{UPGRADE_COMMAND}`",
}
_OF_A_VALUE = ("21", "22", "23", "54")
"""Classes of errors that are about what a row holds, not about the ledger itself."""
_LATER = "Réessayer plus tard (automatique dans Airflow) ; si cela dure, prévenir l'administrateur."
_CALL = "Prévenir l'administrateur."
_REFUSED_AT_THE_DOOR = (
    "password authentication failed",
    "authentification par mot de passe",
    "no password supplied",
    "no pg_hba.conf entry",
    "does not exist",
    "n'existe pas",
)
_CONFLICTS = {
    "one_live_claim": LedgerUnavailable(
        f"Une autre tournée tient les mêmes avis : un nouvel essai les verra comme envoyés. {_LATER}"
    ),
    "one_attempt": LedgerUnavailable(f"Un autre processus ouvre la même tournée. {_LATER}"),
    "one_letter_a_number": LedgerUnavailable(
        f"Un autre poste vient de donner un de ces numéros : rien n'a été changé. {_LATER}"
    ),
    "one_batch_of_a_name": PermanentError(f"Un lot de lettres de ce nom est déjà dans le registre. {_CALL}"),
}


def _said(sqlstate: str, words: dict[str, str]) -> str | None:
    return words.get(sqlstate) or words.get(sqlstate[:2])


def _translated(error: BaseException) -> ReminderError:
    sqlstate = getattr(error, "sqlstate", None)
    kind = type(error).__name__
    if sqlstate is None:
        if not isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)):
            return RowRefused(f"Le pilote du registre refuse une valeur ({kind}). {_CALL}")
        words = " ".join(str(error).split())
        if any(phrase in words for phrase in _REFUSED_AT_THE_DOOR):
            return PermanentError(f"Le serveur du registre refuse la connexion : « {words} ». {_CALL}")
        return LedgerUnavailable(f"La base du registre ne répond pas : « {words} ». {_LATER}")
    constraint = getattr(getattr(error, "diag", None), "constraint_name", None)
    conflict = _CONFLICTS.get(constraint or "")
    if conflict is not None:
        return type(conflict)(*conflict.args)
    if said := _said(sqlstate, _PERMANENT):
        return PermanentError(f"Le registre est inutilisable : {said} (SQLSTATE {sqlstate}). {_CALL}")
    if said := _said(sqlstate, _TEMPORARY):
        return LedgerUnavailable(f"Le registre est indisponible : {said} (SQLSTATE {sqlstate}). {_LATER}")
    place = f", {constraint}" if constraint else ""
    refusal = RowRefused if sqlstate.startswith(_OF_A_VALUE) else PermanentError
    return refusal(f"Le registre refuse une requête ({kind}, SQLSTATE {sqlstate}{place}). {_CALL}")


@contextmanager
def ledger_errors() -> Iterator[None]:
    """Turn the driver's errors into LedgerUnavailable (a later try may succeed) or PermanentError.

    The driver's error is not chained: a traceback would print the statement's values.
    """
    try:
        yield
    except exc.DBAPIError as error:
        raise _translated(error.orig or error) from None
    except psycopg.Error as error:
        raise _translated(error) from None
    except exc.TimeoutError:
        raise LedgerUnavailable(f"Le registre n'a plus de connexion libre dans ce processus. {_LATER}") from None
    except (exc.PendingRollbackError, exc.ResourceClosedError) as error:
        raise LedgerUnavailable(f"La connexion au registre est fermée ({type(error).__name__}). {_LATER}") from None
