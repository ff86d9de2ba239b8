"""Keep all about a loan, or a reader, beyond its time because the reader contests; close that; list what is open.

    loan-reminders dispute-flag --pret 123 --jusqu-a 2027-06-30 --motif "conteste la perte"
    loan-reminders dispute-flag --clore 7
    loan-reminders dispute-flag

Airflow's connection `reminders_ledger` says where the ledger is, unless `REMINDERS_LEDGER_URL` does, and
`REMINDERS_CONFIG` which library this is. The journal says who did it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import datetime

from loan_reminders.commands.french_arguments import day
from loan_reminders.commands.registry import command_parser, library_option, whoever
from loan_reminders.domain.errors import ReminderError
from loan_reminders.domain.retention.disputes import DisputeFlag, check_dispute
from loan_reminders.french.days import day_words
from loan_reminders.french.refusals import sentence


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns 0, or 1 after saying on the error output what is wrong."""
    parser = command_parser("dispute-flag", more="Sans option, donne les litiges ouverts.")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--pret", metavar="ID", help="le numéro du prêt dans le SIGB")
    what.add_argument("--lecteur", metavar="ID", help="le numéro du lecteur dans le SIGB : tous ses prêts")
    what.add_argument("--clore", metavar="N", type=int, help="clore un litige, par son numéro")
    parser.add_argument("--jusqu-a", metavar="AAAA-MM-JJ", type=day, help="jusqu'à ce jour compris")
    parser.add_argument("--motif", default="", help="pourquoi")
    parser.add_argument("--qui", default="", help="qui le demande, pour le journal ; sinon le compte de ce terminal")
    library_option(parser)
    asked = parser.parse_args(arguments)
    if (asked.pret or asked.lecteur) and asked.jusqu_a is None:
        parser.error("--pret et --lecteur demandent --jusqu-a")
    try:
        _act(asked)
    except ReminderError as error:
        sys.stderr.write(f"{sentence(error)}\n")
        return 1
    return 0


def _act(asked: argparse.Namespace) -> None:
    from loan_reminders.hooks.for_commands import ledger_url
    from loan_reminders.ledger.connect import connect
    from loan_reminders.ledger.retention.disputes import PostgresDisputes
    from loan_reminders.settings.libraries import of_library
    from loan_reminders.settings.library_toml import settings

    with of_library(asked.bibliotheque):
        config = settings()
    today = datetime.now(config.zone).date()
    who = whoever(asked.qui)
    with connect(ledger_url(), library=config.library.code) as ledger:
        disputes = ledger.part(PostgresDisputes)
        if asked.clore is not None:
            _say("Clos", [disputes.close(asked.clore, who=who, today=today)])
        elif asked.pret or asked.lecteur:
            check_dispute(until=asked.jusqu_a, reason=asked.motif, today=today)
            noted = disputes.note(
                patron_id=asked.lecteur or disputes.reader_of(asked.pret),
                loan_id=asked.pret or "",
                until=asked.jusqu_a,
                reason=asked.motif,
                who=who,
                today=today,
            )
            _say("Noté", [noted])
        else:
            _say("Ouvert", disputes.open(today=today))


def _say(word: str, flags: Sequence[DisputeFlag]) -> None:
    """Which loans, by their numbers: neither names nor titles are written to a terminal."""
    for flag in flags:
        about = f"prêt {flag.loan_id}" if flag.loan_id else f"lecteur {flag.patron_id}"
        sys.stdout.write(f"{word} : litige {flag.dispute_id}, {about}, jusqu'au {day_words(flag.until)}\n")
    if not flags:
        sys.stdout.write("Aucun litige n'est ouvert.\n")
