"""All that is held of a reader, for him: a PDF/A to read, or JSON for programs.

    loan-reminders reader-data --lecteur 4711 --sortie donnees.pdf
    loan-reminders reader-data --lecteur 4711 --sortie donnees.json
    loan-reminders reader-data --lecteur 4711 --sortie - --forme pdf > donnees.pdf

Airflow's connection `reminders_ledger` says where the ledger is, unless `REMINDERS_LEDGER_URL` does; the environment
says where letters are kept (`REMINDERS_STORAGE`) and which library this is (`REMINDERS_CONFIG`). The journal says who
did it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from loan_reminders.commands.reader_rights.for_a_reader import opened, reader_option, who_option
from loan_reminders.commands.reader_rights.output_file import OUTPUT_HELP, STANDARD_OUTPUT, HandOver, handed_over
from loan_reminders.commands.registry import command_parser, whoever
from loan_reminders.domain.errors import ReminderError
from loan_reminders.french.pages.reader_rights import information
from loan_reminders.french.plurals import many
from loan_reminders.french.refusals import sentence

if TYPE_CHECKING:
    from loan_reminders.services.reader_rights.give_data import DataForm


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns 0, or 1 after saying on the error output what is wrong."""
    from loan_reminders.services.reader_rights.give_data import DataForm

    parser = command_parser("reader-data", more="La fin du nom du fichier dit la forme : .pdf ou .json.")
    reader_option(parser, required=True)
    parser.add_argument("--sortie", metavar="FICHIER", type=Path, required=True, help=OUTPUT_HELP)
    parser.add_argument("--forme", choices=[*DataForm], help="la forme, si le nom ne la dit pas")
    who_option(parser)
    asked = parser.parse_args(arguments)
    form = asked.forme or asked.sortie.suffix.lower().lstrip(".")
    if asked.sortie == STANDARD_OUTPUT and not form:
        parser.error("--sortie - : dire la forme, --forme pdf ou --forme json")
    if form not in set(DataForm):
        parser.error("--sortie : le nom du fichier doit finir par .pdf ou .json")
    try:
        with handed_over(asked.sortie) as hand_over:
            return _give(asked.lecteur, DataForm(form), hand_over, asked.bibliotheque, who=whoever(asked.qui))
    except ReminderError as error:
        sys.stderr.write(f"{sentence(error)}\n")
        return 1


def _give(patron_id: str, form: DataForm, hand_over: HandOver, library: str | None, *, who: str) -> int:
    from loan_reminders.hooks.letter_store import letter_store
    from loan_reminders.ledger.reader_rights.everything import PostgresReaderData
    from loan_reminders.services.reader_rights.give_data import NOT_KNOWN, give_data

    with opened(library) as (ledger, config):
        made = give_data(
            ledger.part(PostgresReaderData),
            letter_store(),
            config.identity(),
            patron_id,
            form=form,
            told=information(
                erased_after=config.retention.months(), policy=config.policy(), email=config.identity().email
            ),
            who=who,
            made_at=datetime.now(config.zone),
            zone=config.zone,
            templates=config.templates,
        )
    if made is None:
        sys.stderr.write(f"{NOT_KNOWN}\n")
        return 1
    hand_over(made.content, many(made.rows, "ligne du registre", "lignes du registre"))
    return 0
