"""Make the figures of the page « Statistiques » again, out of what the ledger holds.

    loan-reminders rebuild-counters --bibliotheque montclar

The figures are kept by every run as it closes; this is for a doubt about them, and may be done while runs go on. The
journal says who did it. Airflow's connection `reminders_ledger` says where the ledger is, unless `REMINDERS_LEDGER_URL`
does or a file named by `REMINDERS_LEDGER_URL_FILE`. An address without a password may be given as `--url` instead.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from loan_reminders.commands.registry import CODE_HELP, command_parser, refuse_unknown_library, whoever
from loan_reminders.domain.errors import ReminderError
from loan_reminders.french.plurals import many
from loan_reminders.french.refusals import sentence
from loan_reminders.hooks.for_commands import ledger_url
from loan_reminders.ledger.connect import connect
from loan_reminders.ledger.statistics.rebuilding import PostgresCounters

_EVERY = 100


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns 0, or 1 after saying on the error output why the ledger cannot be read."""
    parser = command_parser("rebuild-counters")
    parser.add_argument("--bibliotheque", required=True, metavar="CODE", help=CODE_HELP)
    parser.add_argument("--qui", default="", help="qui le demande, pour le journal ; sinon le compte de ce terminal")
    parser.add_argument("--url", help="où est le registre, sans mot de passe ; sinon, la connexion d'Airflow")
    asked = parser.parse_args(arguments)
    counted = 0
    try:
        url = ledger_url(asked.url)
        with connect(url, library=asked.bibliotheque) as ledger:
            refuse_unknown_library(parser, ledger)
            for counted, all_of_them in ledger.part(PostgresCounters).rebuild(who=whoever(asked.qui)):
                if counted % _EVERY == 0:
                    sys.stdout.write(f"Tournées comptées : {counted} sur {all_of_them}\n")
    except ReminderError as error:
        sys.stderr.write(f"{sentence(error)}\n")
        return 1
    sys.stdout.write(f"{many(counted, 'tournée comptée', 'tournées comptées')} à nouveau\n")
    return 0
