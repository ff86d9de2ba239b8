"""All libraries of this installation at once: what is wrong in which file, and who shares a connection with whom."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from loan_reminders.domain.errors import SettingsError
from loan_reminders.settings.libraries import EMPTY, codes, library_files, settings_path, several
from loan_reminders.settings.library_toml import Settings, read_library_once, read_once, read_settings, settings


def all_settings() -> Iterator[tuple[Path, Settings | SettingsError]]:
    """Each library's file, with its settings or with what is wrong with them; a folder without any is wrong itself."""
    read = read_library_once if several() else read_once
    files = library_files()
    if not files:
        yield settings_path(), SettingsError(f"{settings_path()} : {EMPTY}")
    for file in files:
        try:
            yield file, read(file)
        except SettingsError as error:
            yield file, error


def read_beforehand() -> None:
    """Read every file now, for the processes that this one will fork: they look whether one changed, and no more."""
    for file in library_files():
        with suppress(SettingsError):
            read_settings(file)


def others_with(what: Callable[[Settings], object]) -> tuple[Settings, ...]:
    """The other libraries that share something with the current one, such as a connection.

    Those whose file is wrong are not known to: `others_unread`. Raises SettingsError.
    """
    ours = settings()
    others = (one for _, one in all_settings() if isinstance(one, Settings) and one.library.code != ours.library.code)
    return tuple(one for one in others if what(one) == what(ours)) if several() else ()


def others_unread() -> tuple[str, ...]:
    """The codes of the other libraries whose file is wrong: what they share with the current one, nobody knows.

    What is read for them meanwhile is given only once. Raises SettingsError.
    """
    known, ours = codes(), settings().library.code
    wrong = (file.stem for file, one in all_settings() if isinstance(one, SettingsError))
    return tuple(code for code in wrong if code in known and code != ours)
