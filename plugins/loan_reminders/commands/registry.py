"""The one command `loan-reminders`, and the list of what it can do.

    loan-reminders --help
    loan-reminders check-settings

A new command is a module of this folder with a function `main(arguments) -> int`, and one line in `COMMANDS`. Its
parser comes from `command_parser`, so that all its words are French. It returns the status of the process: 0 all is
well, 1 something is wrong and was said on the error output; 2 is argparse's for a line that cannot be understood. A
command may give 1 and 2 a meaning of its own and say so in its help.
"""

from __future__ import annotations

import getpass
import os
import sys
from argparse import ArgumentTypeError
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, cast

from loan_reminders.commands.french_arguments import FrenchParser
from loan_reminders.places import COMMAND

if TYPE_CHECKING:
    from loan_reminders.ledger.repository import PostgresLedger

DISTRIBUTION = "loan-reminders"
CODE_HELP = "library.code de library.toml"

Main = Callable[[Sequence[str]], int]


@dataclass(frozen=True, slots=True)
class Command:
    """A module below `loan_reminders.commands`, imported only when it is asked for, and one sentence of help."""

    module: str
    summary: str

    def main(self) -> Main:
        """Its function."""
        return cast("Main", import_module(f"loan_reminders.commands.{self.module}").main)


COMMANDS: Mapping[str, Command] = {
    "check-settings": Command("check_settings", "Vérifie library.toml et les modèles des messages."),
    "check-ils": Command("check_ils", "Vérifie que les prêts du SIGB peuvent être lus."),
    "doctor": Command("doctor", "Vérifie toute l'installation, et dit quoi faire de ce qui ne va pas."),
    "migrate": Command("migrate", "Crée ou met à jour les tables du registre."),
    "dags": Command("dags", "Écrit les DAG dans le dossier où Airflow les lit."),
    "preview": Command("previews", "Écrit chaque message, dans chaque langue, pour le regarder."),
    "dispute-file": Command("dispute_file", "Réunit en un PDF tout ce qui a été envoyé au sujet d'un prêt."),
    "sms-costs": Command("sms_costs", "Dit ce que coûtent les SMS entre deux jours."),
    "dispute-flag": Command("dispute_flag", "Note un litige : ce qui le concerne est conservé jusqu'à une date."),
    "reader-data": Command(
        "reader_rights.reader_data", "Réunit tout ce qui est gardé d'un lecteur, en PDF ou en JSON."
    ),
    "reader-correct": Command("reader_rights.reader_correct", "Rectifie ce que le SIGB dit d'un lecteur."),
    "reader-object": Command("reader_rights.reader_object", "Note qu'un lecteur ne veut plus d'e-mail ou plus de SMS."),
    "reader-hold": Command("reader_rights.reader_hold", "Note de ne pas écrire à un lecteur jusqu'à une date."),
    "reader-erase": Command(
        "reader_rights.reader_erase", "Efface un lecteur à sa demande ; sans --remove, dit ce qui partirait."
    ),
    "purge": Command("purge", "Efface ce qui a été conservé assez longtemps ; sans --remove, le compte seulement."),
    "roles": Command("roles", "Crée les rôles des relances dans Airflow (comptes FAB)."),
    "prepare": Command("prepare", "Prépare une installation : tables, rôles, premier administrateur."),
    "effect": Command("statistics.effect", "Refait la page « Effet des SMS » et dit ce qui peut en être conclu."),
    "rebuild-counters": Command("rebuild_counters", "Refait les chiffres de la page « Statistiques »."),
}
"""Every command, in the order of its help."""


def command_parser(name: str, *, more: str = "") -> FrenchParser:
    """The parser of one command: its name and its sentence, then what `more` says."""
    return FrenchParser(
        prog=f"{COMMAND} {name}", description="\n\n".join(part for part in (COMMANDS[name].summary, more) if part)
    )


def library_option(parser: FrenchParser) -> None:
    """Let a person say, as `bibliotheque`, for which of several libraries; `of_library` makes it the current one."""
    words = "pour laquelle, quand il y en a plusieurs"
    parser.add_argument("--bibliotheque", type=library_code, metavar="CODE", help=words)


def library_code(text: str) -> str:
    """The code of a library of this installation; where its settings cannot be read, the command itself says why."""
    if wrong := _not_here(text):
        raise ArgumentTypeError(wrong)
    return text


def refuse_unknown_library(parser: FrenchParser, ledger: PostgresLedger) -> None:
    """End the command unless its ledger's library has settings here, or had them when it last ran: its figures stay.

    Raises LedgerUnavailable or LedgerRefused.
    """
    from loan_reminders.ledger.installation.inspection import LedgerInspection

    wrong = _not_here(ledger.library)
    if wrong and not LedgerInspection(ledger.engine, library=ledger.library).any_run():
        parser.error(f"argument --bibliotheque : {wrong}")


def _not_here(code: str) -> str:
    """Why a code is of no library of this installation; empty when it is of one, or nobody can say."""
    from loan_reminders.domain.errors import SettingsError
    from loan_reminders.settings.libraries import codes, several
    from loan_reminders.settings.library_toml import settings

    try:
        known = codes() if several() else (settings().library.code,)
    except SettingsError:
        return ""
    return f"pas de bibliothèque « {code} » ici ; connues : {', '.join(known)}" if known and code not in known else ""


def whoever(given: str = "") -> str:
    """Who types the command, for the journal: as he says himself, else the account of the terminal."""
    try:
        return given or getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number that has no account
        return "un compte sans nom"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line: runs the command that is named and returns its status."""
    asked = list(sys.argv[1:] if arguments is None else arguments)
    parser = FrenchParser(prog=COMMAND, description="Relances : ce qui se lance à la main.", epilog=_list_of_commands())
    parser.add_argument("--version", action="version", version=_version(), help="afficher la version")
    parser.add_argument("command", metavar="commande", choices=COMMANDS, help="une commande de la liste ci-dessous")
    parser.add_argument("arguments", nargs="...", metavar="…", help="ses arguments (commande --help les dit)")
    if not asked:
        parser.print_help(sys.stderr)
        return 2
    found = parser.parse_args(asked)
    # The connections kept in Airflow's own database are read as its servers read them, since no task runs here.
    os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")
    try:
        return COMMANDS[found.command].main()(found.arguments)
    except KeyboardInterrupt:
        return 130


def _list_of_commands() -> str:
    width = max(map(len, COMMANDS))
    return "commandes :\n" + "\n".join(f"  {name:{width}}  {command.summary}" for name, command in COMMANDS.items())


def _version() -> str:
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return "sources, non installées"
