"""Which alerts were told, as empty files beside the letters: every worker sees them, even when the ledger is down."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Any

from loan_reminders.domain.errors import LetterStoreUnavailable

FOLDER = "alertes"


class StoredToldAlerts:
    """Fulfils `ToldAlerts` in a folder of a disk or of an object store (`pathlib.Path` or Airflow's equal).

    A name is the digest of its key: it tells nothing. On a disk two workers at once cannot both be the first; in an
    object store they can, within a fraction of a second: an alert is then told twice.
    """

    def __init__(self, root: Any) -> None:
        """`root` None: there is no such place, and each question says so."""
        self._root = root

    @property
    def _folder(self) -> Any:
        if self._root is None:
            raise LetterStoreUnavailable("REMINDERS_STORAGE : rien ici ne sait écrire à cette adresse.")
        return self._root / FOLDER

    def first(self, key: str) -> bool:
        """Remember a key; whether nobody did before. Raises LetterStoreUnavailable."""
        folder, path = self._folder, self._path(key)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if path.exists():
                return False
            with path.open("xb" if isinstance(path, Path) else "wb"):
                return True
        except FileExistsError:
            return False
        except Exception as error:  # an object store's client has its own classes of error
            raise _unavailable(error) from None

    def forget(self, key: str) -> None:
        """Forget a key. Raises LetterStoreUnavailable."""
        path = self._path(key)
        try:
            path.unlink()
        except FileNotFoundError:
            return
        except Exception as error:
            raise _unavailable(error) from None

    def sweep(self, *, before: datetime) -> None:
        """Forget what was remembered before a moment. Raises LetterStoreUnavailable."""
        folder = self._folder
        try:
            for path in list(folder.iterdir()) if folder.exists() else ():
                if float(path.stat().st_mtime) < before.timestamp():
                    path.unlink()
        except FileNotFoundError:
            return  # another worker sweeps as well
        except Exception as error:
            raise _unavailable(error) from None

    def _path(self, key: str) -> Any:
        return self._folder / hashlib.sha256(key.encode()).hexdigest()


def _unavailable(error: Exception) -> LetterStoreUnavailable:
    said = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
    return LetterStoreUnavailable(f"Le dossier des lettres ne garde pas les alertes envoyées : {said}.")
