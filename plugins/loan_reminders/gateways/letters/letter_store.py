"""The folder or bucket where batches of letters wait for the printer."""

from __future__ import annotations

import io
import os
import secrets
import shutil
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO

from loan_reminders.domain.errors import RETRIED, LetterStoreUnavailable
from loan_reminders.gateways.letters.store_paths import (
    PRIVATE_FILE,
    StorePath,
    fresh,
    keep_private,
    last_written,
    make_private,
    remove_tree,
)

PIECE = 1024 * 1024
"""How many bytes of a file are held at once."""


class FolderLetterStore:
    """Batches of letters, a folder each, below one root on a disk or in an object store.

    A file is written under a hidden name, flushed to the disk, and only then given its own name: whoever lists the
    folder never sees half a file. A rename within a folder is one step on a disk; an object store copies the whole
    object under its name and removes the first. A batch's name is used twice only to replace an interrupted try.

    On a disk nobody but this account may open what is written (0600, folders 0700), the root when it is made here.
    """

    def __init__(self, root: StorePath) -> None:
        self._root = root

    def store(self, name: str, files: Iterable[tuple[str, bytes | Path]], *, replace: bool = False) -> Sequence[str]:
        """Write the files of one batch, each given as its bytes or as a local file to copy.

        A name that is taken becomes `name-2`, `name-3`…; with `replace` the files take the place of those there, and
        what an interrupted try left besides, hidden files included, is removed.

        `name` may have folders (`essai-a-blanc/premier`). Returns the locations, relative to the root:
        `<name>/<file>`. Raises LetterStoreUnavailable; nothing of the batch is then left, an interrupted try's files
        neither, as far as the store lets them be removed.
        """
        _refuse_strange(name)
        written: list[StorePath] = []
        folder, location = self._folder(name) if replace else self._new_folder(name)
        locations = []
        try:
            for file_name, content in files:
                _refuse_strange(file_name)
                self._write(folder, file_name, content, written)
                locations.append(f"{location}/{file_name}")
            if replace:
                _sweep(folder, {path.name for path in written})
        except BaseException:
            _remove(folder, [*written, *(_children(folder) if replace else ())])
            raise
        return tuple(locations)

    def remove(self, name: str) -> None:
        """Remove a batch and all its files; nothing happens when there is none.

        Raises LetterStoreUnavailable when the store does not let them be removed.
        """
        _refuse_strange(name)
        folder = self._root / name
        try:
            fresh(folder)
            if folder.exists():
                _sweep(folder, frozenset())
                if folder.exists():  # an object store has no folder without files
                    folder.rmdir()
        except FileNotFoundError:
            return  # another process may have removed it
        except Exception as error:  # an object store's client has its own classes of error
            raise _unavailable(name, error) from None

    def remove_older(self, name: str, *, before: datetime) -> int:
        """Remove the folders right below `name` in which nothing was written since a moment; returns how many.

        Raises LetterStoreUnavailable when the store does not let them be removed.
        """
        _refuse_strange(name)
        root, removed = self._root / name, 0
        try:
            fresh(root)
            for folder in list(root.iterdir()) if root.exists() else ():
                if folder.is_dir() and last_written(folder) < before.timestamp():
                    remove_tree(folder)
                    removed += 1
        except FileNotFoundError:
            return removed  # another process removes them as well
        except Exception as error:  # an object store's client has its own classes of error
            raise _unavailable(name, error) from None
        return removed

    def folders(self, name: str = "") -> Sequence[str]:
        """The folders right below `name`, the root when it is empty, in the order of their names; hidden ones not.

        Raises LetterStoreUnavailable when the store does not let them be listed.
        """
        if name:
            _refuse_strange(name)
        root = self._root / name if name else self._root
        try:
            found = [path for path in root.iterdir() if path.is_dir()] if root.exists() else []
        except Exception as error:  # an object store's client has its own classes of error
            raise _unavailable(name or "/", error) from None
        return sorted(path.name for path in found if not path.name.startswith("."))

    def read(self, location: str) -> Iterator[bytes]:
        """One stored file, in pieces of a megabyte at most; `location` is what `store` returned.

        Raises LetterStoreUnavailable when the first piece is asked for, or a later one. Fulfils `LetterArchive`.
        """
        _refuse_strange(location)
        try:
            fresh(self._root)
            with (self._root / location).open("rb") as file:
                while piece := file.read(PIECE):
                    yield piece
        except Exception as error:  # an object store's client has its own classes of error
            raise LetterStoreUnavailable(
                f"Le dossier des lettres ne rend pas {location} : {_said(error)}. {RETRIED}"
            ) from None

    def _folder(self, name: str) -> tuple[StorePath, str]:
        """The folder of this name, whether or not an interrupted try made it."""
        folder = self._root / name
        try:
            fresh(folder)
            make_private(folder, exist_ok=True)
        except Exception as error:  # an object store's client has its own classes of error
            raise _unavailable(name, error) from None
        return folder, name

    def _new_folder(self, name: str) -> tuple[StorePath, str]:
        """A folder that did not exist, and its name; making it reserves the name on a disk."""
        location, number = name, 1
        while True:
            folder = self._root / location
            try:
                fresh(folder)
                if not folder.exists():
                    make_private(folder, exist_ok=False)
                    return folder, location
            except FileExistsError as error:
                if not _made_meanwhile(folder):
                    raise _unavailable(location, error) from None
            except Exception as error:  # an object store's client has its own classes of error
                raise _unavailable(location, error) from None
            number += 1
            location = f"{name}-{number}"

    @staticmethod
    def _write(folder: StorePath, name: str, content: bytes | Path, written: list[StorePath]) -> None:
        hidden = folder / f".{secrets.token_hex(8)}.part"
        target = folder / name
        written.append(hidden)
        try:
            with hidden.open("wb") as file:
                keep_private(hidden, PRIVATE_FILE)
                if isinstance(content, bytes):
                    file.write(content)
                else:
                    with content.open("rb") as source:
                        shutil.copyfileobj(source, file, PIECE)
                _flush(file)
            hidden.rename(target)
        except Exception as error:  # an object store's client has its own classes of error
            raise _unavailable(name, error) from None
        written[-1] = target


def _flush(file: IO[bytes]) -> None:
    """To the disk itself; an object store has no file number and keeps the object when the file is closed."""
    file.flush()
    try:
        number = file.fileno()
    except (io.UnsupportedOperation, AttributeError):
        return
    os.fsync(number)


def _sweep(folder: StorePath, keep: Collection[str]) -> None:
    """Remove what is in a folder but the files named in `keep`."""
    for path in list(folder.iterdir()):
        if path.name not in keep:
            path.unlink()


def _children(folder: StorePath) -> list[StorePath]:
    """What is in a folder, as far as the store says it."""
    try:
        return list(folder.iterdir())
    except Exception:
        return []


def _made_meanwhile(folder: StorePath) -> bool:
    """Whether another process made the folder, rather than a file standing where a folder of its path should be."""
    try:
        return folder.exists()
    except OSError:
        return False


def _remove(folder: StorePath, written: Iterable[StorePath]) -> None:
    """Take back a batch that failed. What cannot be removed either stays, hidden names and all, for the retention."""
    for step in (*(path.unlink for path in written), folder.rmdir):
        try:
            step()
        except Exception:  # noqa: S112 (the error that stopped the batch is the one to tell)
            continue


def _refuse_strange(name: str) -> None:
    """Names come from this program: one that would leave the root or hide is a mistake of ours, not of the disk."""
    if not name or any(part in {"", ".", ".."} or part.startswith(".") for part in name.split("/")) or "\\" in name:
        raise ValueError("a batch or file name has only visible parts below the root")


def _unavailable(name: str, error: Exception) -> LetterStoreUnavailable:
    """What the store said, without the path of this machine."""
    return LetterStoreUnavailable(f"Le dossier des lettres refuse l'écriture ({name}) : {_said(error)}. {RETRIED}")


def _said(error: Exception) -> str:
    return error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
