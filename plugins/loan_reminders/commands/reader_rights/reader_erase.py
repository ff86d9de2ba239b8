"""Erase a reader at his request; without `--remove` only say what would go and what stays, with why.

    loan-reminders reader-erase --lecteur 4711
    loan-reminders reader-erase --lecteur 4711 --remove

Airflow's connection `reminders_ledger` says where the ledger is, unless `REMINDERS_LEDGER_URL` does, and
`REMINDERS_CONFIG` which library this is. The journal says who did it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime

from loan_reminders.commands.reader_rights.for_a_reader import opened, reader_option, say, who_option
from loan_reminders.commands.registry import command_parser, whoever
from loan_reminders.domain.errors import ReminderError
from loan_reminders.french.pages.reader_rights import erasure_lines
from loan_reminders.french.refusals import sentence


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns 0, or 1 after saying on the error output what is wrong."""
    parser = command_parser("reader-erase")
    reader_option(parser, required=True)
    parser.add_argument("--remove", action="store_true", help="effacer pour de bon")
    who_option(parser)
    asked = parser.parse_args(arguments)
    try:
        _erase(asked.lecteur, asked.bibliotheque, remove=asked.remove, who=whoever(asked.qui))
    except ReminderError as error:
        sys.stderr.write(f"{sentence(error)}\n")
        return 1
    return 0


def _erase(patron_id: str, library: str | None, *, remove: bool, who: str) -> None:
    from loan_reminders.ledger.reader_rights.erasure import PostgresErasure
    from loan_reminders.services.reader_rights.erase_reader import erase_reader

    with opened(library) as (ledger, config):
        erasure = erase_reader(
            ledger.part(PostgresErasure),
            ledger.loan_ends(),
            patron_id,
            today=datetime.now(config.zone).date(),
            who=who,
            rehearse=not remove,
        )
    for line in erasure_lines(erasure, done=remove):
        say(line)
