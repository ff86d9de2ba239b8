"""Check an installation's words before it is used: `make check-settings`.

Reads `library.toml` and every template it uses; says each fault with its key or its file and line, and what is allowed.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from loan_reminders.commands.registry import command_parser
from loan_reminders.domain.errors import ReminderError
from loan_reminders.places import SHIPPED
from loan_reminders.services.runs.check_templates import check_templates
from loan_reminders.settings.library_toml import TEMPLATES, read_settings, settings_path


def main(arguments: Sequence[str] | None = None) -> int:
    """Check, and say what is wrong; 1 when something is."""
    parser = command_parser("check-settings", more="REMINDERS_CONFIG dit où est library.toml.")
    parser.add_argument("--exemple", type=Path, metavar="FICHIER", help="écrire un library.toml à compléter, et finir")
    example: Path | None = parser.parse_args(arguments).exemple
    if example:
        return _write_example(example)
    path = settings_path()
    try:
        ours = read_settings(path)
        check_templates(
            TEMPLATES,
            rules=ours.policy().rules,
            library=ours.identity(),
            layout=ours.letter_layout(),
            text_rules=ours.text_rules(),
            today=datetime.now(ours.zone).date(),
        )
    except ReminderError as wrong:
        sys.stderr.write(f"{wrong}\n")
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
