"""From `REMINDERS_STORAGE` to the folder or bucket where letters are kept."""

from __future__ import annotations

import os
from pathlib import Path

from loan_reminders.domain.errors import SettingsError
from loan_reminders.gateways.letters.letter_store import FolderLetterStore
from loan_reminders.gateways.letters.store_paths import StorePath
from loan_reminders.settings.library_toml import ROOT


def letter_store() -> FolderLetterStore:
    """The store of letters at `REMINDERS_STORAGE`. Raises SettingsError like `storage`."""
    return FolderLetterStore(storage())


def storage() -> StorePath:
    """What `REMINDERS_STORAGE` names: a folder, or a URL (`s3://conn_id@bucket/letters`, `file:///srv/letters`).

    A URL goes through Airflow's `ObjectStoragePath`, so its connection and provider are Airflow's. Without the
    variable: `var/letters` in the site's folder. Raises SettingsError for a URL that no provider installed serves.
    """
    place = os.environ.get("REMINDERS_STORAGE", "").strip()
    if "://" in place:
        from airflow.sdk import ObjectStoragePath

        try:
            return ObjectStoragePath(place)
        except (ValueError, ImportError):
            scheme = place.partition("://")[0]
            raise SettingsError(
                f"REMINDERS_STORAGE : rien ici ne sait écrire à une adresse {scheme}:// (fournisseur Airflow absent ?)"
            ) from None
    return Path(place) if place else ROOT / "var" / "letters"
