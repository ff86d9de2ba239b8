"""The files of a library on the disk: where its own templates are, and whether its settings changed."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from functools import lru_cache, wraps
from pathlib import Path
from time import time_ns
from typing import TypeVar

from loan_reminders.domain.errors import SettingsError

Made = TypeVar("Made")

JUST_NOW_NS = 2_000_000_000
"""A file written so lately may change again without looking changed: it is read each time."""


def own_templates(path: Path) -> Path | None:
    """The folder of a library's own templates, beside its file: `montclar/templates` for `montclar.toml`.

    Raises OSError when there is one that this account may not read, at any depth. `Path.is_dir` says no to that since
    Python 3.14.
    """
    folder = path.with_suffix("") / "templates"
    return folder if list(os.walk(folder, onerror=_unless_missing)) else None


def _unless_missing(error: OSError) -> None:
    """A folder that may not be entered is an error: its library would send the common words instead of its own."""
    if not isinstance(error, (FileNotFoundError, NotADirectoryError)):
        raise error


def may_be_a_file(path: Path) -> bool:
    """Whether there is a file. One that cannot even be looked at counts: whoever reads it is told why."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True


def kept_while_unchanged(read: Callable[[Path], Made]) -> Callable[[Path], Made]:
    """Read a file once, in this process and in those it forks, until it changes; what cannot be read is read again.

    What is read raises SettingsError when the file, or one that belongs to it, cannot be looked at: a library whose
    folder this account may not enter is wrong, and the others are not.
    """

    @lru_cache(maxsize=512)
    def kept(path: Path, _state: tuple[object, ...]) -> Made:
        return read(path)

    @wraps(read)
    def made(path: Path) -> Made:
        try:
            found = path.stat()
        except OSError:
            return read(path)
        try:
            if time_ns() - found.st_mtime_ns < JUST_NOW_NS:
                return read(path)
            return kept(path, (found.st_mtime_ns, found.st_size, found.st_ino, own_templates(path)))
        except OSError as error:
            raise SettingsError(f"{path} : {error.filename} est illisible ({error.strerror})") from None

    return made
