"""The folder or bucket where batches of letters wait for the printer."""

from __future__ import annotations

import io
import os
import secrets
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Any, Protocol, Self

from loan_reminders.domain.errors import RETRIED, LetterStoreUnavailable


class StorePath(Protocol):
    """The part of `pathlib.Path` that batches need; Airflow's `ObjectStoragePath` has it for any file system."""

    def __truediv__(self, name: str, /) -> Self: ...

    def exists(self) -> bool:
        """Whether something has this name."""
        ...

    def mkdir(self, *, parents: bool, exist_ok: bool) -> None:
        """Make a folder; FileExistsError when it is there and may not be."""
        ...

    def open(self, mode: str) -> Any:
        """A file to write bytes to."""
        ...

    def rename(self, target: Self, /) -> Any:
        """Give the file another name in the same folder."""
        ...

    def unlink(self) -> None:
        """Remove a file."""
        ...

    def rmdir(self) -> None:
        """Remove an empty folder."""
        ...


class FolderLetterStore:
    """Batches of letters, a folder each, below one root on a disk or in an object store.

    A file is written under a hidden name, flushed to the disk, and only then given its own name: whoever lists the
    folder never sees half a file. A rename within a folder is one step on a disk; an object store copies the whole
    object under its name and removes the first. A batch's name is used twice only to replace an interrupted try.
    """

    def __init__(self, root: StorePath) -> None:
        self._root = root

    def store(self, name: str, files: Iterable[tuple[str, bytes | Path]], *, replace: bool = False) -> Sequence[str]:
        """Write the files of one batch, each given as its bytes or as a local file to copy.

        A name that is taken becomes `name-2`, `name-3`…; with `replace` the files take the place of those there.

        `name` may have folders (`essai-a-blanc/premier`). Returns the locations, relative to the root:
        `<name>/<file>`. Raises LetterStoreUnavailable; nothing of the batch is then left, as far as the store lets it
        be removed.
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
        except BaseException:
            _remove(folder, written)
            raise
        return tuple(locations)

    def _folder(self, name: str) -> tuple[StorePath, str]:
        """The folder of this name, whether or not an interrupted try made it."""
        folder = self._root / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except Exception as error:  # an object store's client has its own classes of error
            raise _unavailable(name, error) from error
        return folder, name

    def _new_folder(self, name: str) -> tuple[StorePath, str]:
        """A folder that did not exist, and its name; making it reserves the name on a disk."""
        location, number = name, 1
        while True:
            folder = self._root / location
            try:
                if not folder.exists():
                    folder.mkdir(parents=True, exist_ok=False)
                    return folder, location
            except FileExistsError as error:
                if not _made_meanwhile(folder):
                    raise _unavailable(location, error) from error
            except Exception as error:  # an object store's client has its own classes of error
                raise _unavailable(location, error) from error
            number += 1
            location = f"{name}-{number}"

    @staticmethod
    def _write(folder: StorePath, name: str, content: bytes | Path, written: list[StorePath]) -> None:
        hidden = folder / f".{secrets.token_hex(8)}.part"
        target = folder / name
        written.append(hidden)
        try:
            with hidden.open("wb") as file:
                if isinstance(content, bytes):
                    file.write(content)
                else:
                    with content.open("rb") as source:
                        shutil.copyfileobj(source, file, 1024 * 1024)
                _flush(file)
            hidden.rename(target)
        except Exception as error:  # an object store's client has its own classes of error
            raise _unavailable(name, error) from error
        written[-1] = target


def _flush(file: IO[bytes]) -> None:
    """To the disk itself; an object store has no file number and keeps the object when the file is closed."""
    file.flush()
    try:
        number = file.fileno()
    except (io.UnsupportedOperation, AttributeError):
        return
    os.fsync(number)


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
    said = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
    return LetterStoreUnavailable(f"Le dossier des lettres refuse l'écriture ({name}) : {said}. {RETRIED}")
