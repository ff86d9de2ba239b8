"""Check an installation's words before it is used: `make check-settings`.

Reads `library.toml`, or each file of a folder of libraries, and every template it uses; says each fault with its key or
its file and line, and what is allowed.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from loan_reminders.commands.registry import command_parser, library_option
from loan_reminders.domain.errors import ReminderError, SettingsError
from loan_reminders.places import SHIPPED
from loan_reminders.services.runs.check_templates import check_templates
from loan_reminders.settings.all_libraries import all_settings
from loan_reminders.settings.libraries import current_file, of_library, several
from loan_reminders.settings.library_toml import Settings, settings

_MORE = "REMINDERS_CONFIG dit où est library.toml, ou le dossier de plusieurs bibliothèques."


def main(arguments: Sequence[str] | None = None) -> int:
    """Check, and say what is wrong; 1 when something is."""
    parser = command_parser("check-settings", more=_MORE)
    parser.add_argument("--exemple", type=Path, metavar="FICHIER", help="écrire un library.toml à compléter, et finir")
    library_option(parser)
    asked = parser.parse_args(arguments)
    example: Path | None = asked.exemple
    if example:
        return _write_example(example)
    with of_library(asked.bibliotheque):
        return _check(asked.bibliotheque)


def _check(library: str | None) -> int:
    """Check the file, or each file of the folder; 1 when something is wrong in one."""
    try:
        found = list(all_settings()) if library is None else [(current_file(), settings())]
    except ReminderError as wrong:
        sys.stderr.write(f"{wrong}\n")
        return 1
    return max(_check_one(path, ours) for path, ours in found)


def _check_one(path: Path, ours: Settings | SettingsError) -> int:
    try:
        if isinstance(ours, SettingsError):
            raise ours
        check_templates(
            ours.templates,
            rules=ours.policy().all_rules,
            library=ours.identity(),
            layout=ours.letter_layout(),
            text_rules=ours.text_rules(),
            today=datetime.now(ours.zone).date(),
        )
    except ReminderError as wrong:
        of = f"{path} : " if several() and wrong is not ours else ""
        sys.stderr.write(f"{of}{wrong}\n")
        return 1
    sys.stdout.write(f"{path} et les modèles : valides\n")
    return 0


def _write_example(path: Path) -> int:
    """The settings of a fictional library, each one explained; never over a file."""
    try:
        with path.open("xb") as file:
            file.write((SHIPPED / "library.toml").read_bytes())
    except FileExistsError:
        sys.stderr.write(f"{path} existe déjà : il n'est pas touché\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"{path} : écriture impossible ({error.strerror})\n")
        return 1
    sys.stdout.write(f"{path} : à compléter, puis à vérifier par check-settings\n")
    return 0
