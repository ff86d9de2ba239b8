"""The file of the newest mark, beside the letters: `registre/<library>.json`."""

from __future__ import annotations

import io
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any

from loan_reminders.domain.errors import RETRIED, LetterStoreUnavailable
from loan_reminders.domain.marks.high_water import Mark, read, written
from loan_reminders.gateways.letters.store_paths import PRIVATE_FILE, StorePath, keep_private, make_private, whole

FOLDER = "registre"
OLD_S = 3600.0
"""How old, in seconds, what a killed process left half written must be to be removed."""


class FolderMarkFile:
    """The mark of one library, below the root of the letters. Fulfils `MarkFile`.

    On a disk it is written under a hidden name, flushed, and put in the place of the old one in one step. An object
    store takes a small object whole or not at all.
    """

    def __init__(self, root: StorePath, *, library: str) -> None:
        self._folder = root / FOLDER
        self._library = library

    def read(self) -> Mark | None:
        """What the file says; None when there is none.

        Raises MarkUnreadable when it is none of this library that can be understood, LetterStoreUnavailable when the
        store does not answer.
        """
        try:
            content = whole(self._folder / f"{self._library}.json")
        except FileNotFoundError:
            return None
        except Exception as error:  # an object store's client has its own classes of error
            raise _unavailable("ne rend pas", error) from None
        return read(content, library=self._library)

    def write(self, mark: Mark) -> None:
        """Put a mark in the place of the one there. Raises LetterStoreUnavailable; the old one stays then."""
        content, name = written(mark, library=self._library), f"{self._library}.json"
        try:
            make_private(self._folder, exist_ok=True)
            if not _is_on_a_disk(self._folder):
                with (self._folder / name).open("wb") as file:
                    file.write(content)
                return
            hidden = self._folder / f".{self._library}.{secrets.token_hex(8)}.part"
            try:
                with hidden.open("wb") as file:
                    keep_private(hidden, PRIVATE_FILE)
                    file.write(content)
                    _flush(file)
                hidden.rename(self._folder / name)
            except BaseException:
                with suppress(OSError):
                    hidden.unlink()
                raise
            self._sweep()
        except Exception as error:  # an object store's client has its own classes of error
            raise _unavailable("refuse l'écriture", error) from None

    def _sweep(self) -> None:
        """Remove what killed processes left half written, an hour before the file that was written now."""
        now = float((self._folder / f"{self._library}.json").stat().st_mtime)
        for path in list(self._folder.iterdir()):
            if path.name.startswith(f".{self._library}.") and path.name.endswith(".part"):
                with suppress(OSError):
                    if now - float(path.stat().st_mtime) > OLD_S:
                        path.unlink()


def _is_on_a_disk(path: StorePath) -> bool:
    return isinstance(path, Path) or getattr(path, "protocol", "") in ("file", "local")


def _flush(file: Any) -> None:
    file.flush()
    with suppress(io.UnsupportedOperation, AttributeError):
        os.fsync(file.fileno())


def _unavailable(what: str, error: Exception) -> LetterStoreUnavailable:
    said = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
    return LetterStoreUnavailable(f"Le dossier des lettres {what} (repère des envois) : {said}. {RETRIED}")
