"""Airflow's connections for what is run by hand: found wherever they are kept; what is missing is a sentence."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from loan_reminders.domain.errors import PermanentError
from loan_reminders.french import ledger as sentences

if TYPE_CHECKING:
    from sqlalchemy import URL

LEDGER = "reminders_ledger"
WHERE = "dans l'interface d'Airflow, en AIRFLOW_CONN_…, ou dans secrets/connections.json avec Docker Compose"
"""Where a person gives a connection."""
WHERE_BEFORE_THE_START = "en AIRFLOW_CONN_…, ou dans secrets/connections.json avec Docker Compose"
"""Where it is given as long as Airflow does not run."""


def connection(conn_id: str, *, where: str = WHERE) -> Any:
    """An Airflow connection, wherever it is kept. Raises PermanentError, which says where to give it, and no secret."""
    from airflow.sdk import BaseHook

    try:
        return BaseHook.get_connection(conn_id)
    except Exception as error:
        kind = type(error).__name__
        why = "manque" if kind == "AirflowNotFoundException" else f"ne se lit pas ({kind})"
        raise PermanentError(f"Connexion {conn_id} : {why}. La donner {where}.") from None


def ledger_url(given: str | None = None) -> URL:
    """Where the ledger is: as the command line says, else the environment, else where tasks and pages find it.

    The last is Airflow's connection `reminders_ledger`, in a secrets backend, a variable or Airflow's database. Raises
    PermanentError when nothing says it, and when the command line holds a password.
    """
    from loan_reminders.ledger.address import VARIABLES, from_command_line

    found = from_command_line(given, os.environ)
    if found is not None:
        return found
    try:
        kept = connection(LEDGER)
    except PermanentError as missing:
        raise PermanentError(f"{missing} {sentences.OR_AN_ADDRESS.format(variables=' ou '.join(VARIABLES))}") from None
    from loan_reminders.hooks.ledger import url_of

    return url_of(kept)
