"""Paths of a disk or of an object store, and who may open what is written there."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol, Self

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700
"""For this account alone."""


class StorePath(Protocol):
    """The part of `pathlib.Path` that batches need; Airflow's `ObjectStoragePath` has it for any file system."""

    def __truediv__(self, name: str, /) -> Self: ...

    def exists(self) -> bool:
        """Whether something has this name."""
        ...

    def mkdir(self, mode: int, *, parents: bool, exist_ok: bool) -> None:
        """Make a folder; FileExistsError when it is there and may not be."""
        ...

    def chmod(self, mode: int) -> None:
        """Say who may open it; an object store knows no such thing."""
        ...

    def stat(self) -> Any:
        """What is known of a file, among it `st_mtime`."""
        ...

    def is_dir(self) -> bool:
        """Whether it is a folder."""
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

    def iterdir(self) -> Iterable[Self]:
        """What is in a folder."""
        ...

    @property
    def name(self) -> str:
        """The last part of the path."""
        ...

    @property
    def parent(self) -> Self:
        """The folder it is in."""
        ...


def fresh(folder: StorePath) -> None:
    """See what other machines changed since: a client of an object store remembers what it listed."""
    forget = getattr(getattr(folder, "fs", None), "invalidate_cache", None)
    if forget is not None:
        forget()


def whole(file: StorePath) -> bytes:
    """A small file that others write anew, in one question: FileNotFoundError when there is none.

    A client of an object store opens a file by two questions, and fails when it was written anew between them.
    """
    if isinstance(file, Path):
        return file.read_bytes()
    return bytes(file.fs.cat_file(file.path))  # type: ignore[attr-defined]


def make_private(folder: StorePath, *, exist_ok: bool) -> None:
    """Make a folder, and those above it that are missing, for this account alone."""
    missing = [folder]
    while not missing[-1].parent.exists() and missing[-1].parent.name:
        missing.append(missing[-1].parent)
    for path in reversed(missing[1:]):
        path.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
        keep_private(path, PRIVATE_FOLDER)
    folder.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=exist_ok)
    keep_private(folder, PRIVATE_FOLDER)


def keep_private(path: StorePath, mode: int) -> None:
    """Shut a file or folder of a disk to other accounts, before anything is in it."""
    if isinstance(path, Path):
        path.chmod(mode)
    elif getattr(path, "protocol", "") in ("file", "local"):
        Path(path.path).chmod(mode)  # type: ignore[attr-defined]


def last_written(folder: StorePath) -> float:
    """When anything in a folder was last written, in seconds; of an empty one, when it was made, as far as is known."""
    children = list(folder.iterdir())
    times = [last_written(path) if path.is_dir() else float(path.stat().st_mtime) for path in children]
    return max(times, default=float(getattr(folder.stat(), "st_mtime", 0.0) or 0.0))


def remove_tree(folder: StorePath) -> None:
    """Remove a folder with all that is in it."""
    for path in list(folder.iterdir()):
        if path.is_dir():
            remove_tree(path)
        else:
            path.unlink()
    if folder.exists():  # an object store has no folder without files
        folder.rmdir()
