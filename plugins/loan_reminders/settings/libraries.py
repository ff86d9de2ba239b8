"""The libraries of this installation, and which of them is current.

`REMINDERS_CONFIG` names a file: that library is the only one, and always current. Or it names a folder: each
`<code>.toml` in it is a library, and a task, a page or a command says which one it works for (`of_library`). The name
of a file is the code of its library, so that two can never have the same.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from loan_reminders.domain.errors import SettingsError
from loan_reminders.settings.files import may_be_a_file
from loan_reminders.settings.values import ROOT

CODE = r"^[a-z0-9][a-z0-9_-]{0,31}$"
"""A library's code: it is in DAG ids, addresses and file names."""

SUFFIX = ".toml"

_current: ContextVar[str | None] = ContextVar("library", default=None)


def settings_path() -> Path:
    """What `REMINDERS_CONFIG` names: a library's file, or the folder of several."""
    return Path(os.environ.get("REMINDERS_CONFIG") or ROOT / "library.toml")


def several() -> bool:
    """Whether the libraries are the files of a folder, be it of one alone: then DAG ids and addresses name them."""
    return settings_path().is_dir()


def library_files() -> tuple[Path, ...]:
    """The files of all libraries, by name, also those whose name is no code; hidden files are none."""
    path = settings_path()
    if not path.is_dir():
        return (path,)
    found = (one for one in path.iterdir() if one.suffix == SUFFIX and not one.name.startswith("."))
    return tuple(sorted(one for one in found if may_be_a_file(one)))


def codes() -> tuple[str, ...]:
    """The codes of the libraries of a folder, by name, whatever is in their files; none where one file is named."""
    return tuple(file.stem for file in library_files() if re.match(CODE, file.stem)) if several() else ()


@contextmanager
def of_library(code: str | None) -> Iterator[None]:
    """What is done inside is done for this library; None changes nothing.

    It holds for this thread or asyncio task, and for those begun with a copy of its context: `asyncio` and Starlette's
    thread pool copy it, a plain `threading.Thread` and a `ThreadPoolExecutor` do not (`contextvars.copy_context`).
    """
    if code is None:
        yield
        return
    token = _current.set(code)
    try:
        yield
    finally:
        _current.reset(token)


def current_library() -> str | None:
    """The code that was said by `of_library`; None when nobody said one."""
    return _current.get()


def current_file() -> Path:
    """The file of the current library. Raises SettingsError when several might be meant, or when there is none."""
    path, code = settings_path(), current_library()
    if not path.is_dir():
        return path
    if code is None:
        known = codes()
        if len(known) != 1:
            raise SettingsError(f"{path} : {_which(known)}")
        code = known[0]
    file = path / f"{code}{SUFFIX}"
    if not re.match(CODE, code) or not may_be_a_file(file):
        raise SettingsError(f"{path} : pas de bibliothèque « {code} ». {_those(codes())}")
    return file


def _which(known: tuple[str, ...]) -> str:
    if not known:
        return EMPTY
    return f"plusieurs bibliothèques, et rien ne dit laquelle. {_those(known)}"


def _those(known: tuple[str, ...]) -> str:
    return f"Celles de ce dossier : {', '.join(known)}." if known else EMPTY


EMPTY = (
    "ce dossier n'a aucun fichier de bibliothèque. Y mettre un fichier <code>.toml par bibliothèque, par exemple"
    " montclar.toml, ou faire nommer un seul fichier par REMINDERS_CONFIG."
)
