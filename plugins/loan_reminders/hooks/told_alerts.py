"""Where it is kept which alerts were told: beside the letters, at `REMINDERS_STORAGE`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from loan_reminders.settings.library_toml import ROOT

if TYPE_CHECKING:
    from loan_reminders.gateways.alerts.told_alerts import StoredToldAlerts


def told_alerts() -> StoredToldAlerts:
    """The folder or bucket of `hooks.letter_store`; where nothing serves its URL, each question of it says so."""
    from loan_reminders.gateways.alerts.told_alerts import StoredToldAlerts

    place = os.environ.get("REMINDERS_STORAGE", "").strip()
    if "://" in place:
        from airflow.sdk import ObjectStoragePath

        try:
            return StoredToldAlerts(ObjectStoragePath(place))
        except (ValueError, ImportError):
            return StoredToldAlerts(None)
    return StoredToldAlerts(Path(place) if place else ROOT / "var" / "letters")
