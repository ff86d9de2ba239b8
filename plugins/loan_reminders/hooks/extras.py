"""The extra fields of a connection: JSON from Airflow's form, text where the connection is given as a URI."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loan_reminders.domain.errors import SettingsError


def flag(value: object) -> bool:
    """A flag; False when it is absent or anything but a yes."""
    return str(value).strip().lower() in {"true", "1", "yes", "on"}


def seconds(conn_id: str, extra: Mapping[str, Any], name: str, usual: float) -> float:
    """A time in seconds, the usual one when it is absent or empty. Raises SettingsError when it is no time."""
    told = extra.get(name)
    if told is None or told == "":
        return usual
    try:
        found = float(told)
    except (TypeError, ValueError):
        found = 0.0
    if not 0 < found <= 86_400:
        raise SettingsError(
            f"Connexion Airflow {conn_id} : extra {name} = « {told} » : un nombre de secondes est attendu."
            " Le corriger, puis relancer la tâche."
        )
    return found
