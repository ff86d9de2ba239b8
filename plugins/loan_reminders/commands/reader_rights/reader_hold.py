"""« Limitation » : write nothing to a reader, or about one loan of his, until a day; lift that; list it.

    loan-reminders reader-hold --lecteur 4711 --jusqu-a 2027-03-31 --motif "demande à l'examen" --conserver
    loan-reminders reader-hold --lever 12 --motif "examinée"
    loan-reminders reader-hold --lecteur 4711

With `--conserver` nothing of it is erased before that day either. Airflow's connection `reminders_ledger` says where
the ledger is, unless `REMINDERS_LEDGER_URL` does, and `REMINDERS_CONFIG` which library this is. The journal says who
did it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import datetime

from loan_reminders.commands.french_arguments import day
from loan_reminders.commands.reader_rights.for_a_reader import opened, reader_option, say, who_option
from loan_reminders.commands.registry import command_parser, whoever
from loan_reminders.domain.errors import ReminderError
from loan_reminders.domain.retention.disputes import check_dispute
from loan_reminders.domain.runs.holds import Hold, HoldRefusal, HoldRefused, check_hold
from loan_reminders.french.days import day_words
from loan_reminders.french.refusals import sentence


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns 0, or 1 after saying on the error output what is wrong."""
    parser = command_parser("reader-hold", more="--lecteur seul donne ce qui est en vigueur.")
    what = parser.add_mutually_exclusive_group(required=True)
    reader_option(what)
    what.add_argument("--lever", metavar="N", type=int, help="permettre d'écrire de nouveau, par le numéro")
    parser.add_argument("--pret", metavar="ID", default="", help="un seul de ses prêts, par son numéro dans le SIGB")
    parser.add_argument("--jusqu-a", metavar="AAAA-MM-JJ", type=day, help="jusqu'à ce jour compris")
    parser.add_argument("--motif", default="", help="pourquoi")
    parser.add_argument("--conserver", action="store_true", help="et n'en rien effacer d'ici là")
    who_option(parser)
    asked = parser.parse_args(arguments)
    if asked.lever is None and asked.jusqu_a is None and (asked.motif or asked.conserver):
        parser.error("--jusqu-a manque : rien n'est noté")
    try:
        _act(asked)
    except ReminderError as error:
        sys.stderr.write(f"{sentence(error)}\n")
        return 1
    return 0


def _act(asked: argparse.Namespace) -> None:
    from loan_reminders.ledger.readers.holds import PostgresHolds
    from loan_reminders.ledger.retention.disputes import PostgresDisputes

    with opened(asked.bibliotheque) as (ledger, config):
        holds, today, who = ledger.part(PostgresHolds), datetime.now(config.zone).date(), whoever(asked.qui)
        if asked.lever is not None:
            if not asked.motif.strip():
                raise HoldRefused(HoldRefusal.NO_REASON)
            _say("Levée", [holds.lift(asked.lever, reason=asked.motif, who=who, today=today)])
        elif asked.jusqu_a is not None:
            said = {"until": asked.jusqu_a, "reason": asked.motif, "today": today}
            check_hold(**said)
            placed = holds.place(patron_id=asked.lecteur, loan_id=asked.pret, who=who, **said)
            _say("Notée", [placed])
            if asked.conserver:
                check_dispute(**said)
                ledger.part(PostgresDisputes).note(patron_id=asked.lecteur, loan_id=asked.pret, who=who, **said)
                say("Noté : rien n'en est effacé d'ici là")
        else:
            _say("En vigueur", [one for one in holds.of_reader(asked.lecteur) if one.in_force(today)])


def _say(word: str, some: Sequence[Hold]) -> None:
    for one in some:
        about = f"prêt {one.loan_id}" if one.loan_id else f"lecteur {one.patron_id}"
        say(f"{word} : suspension {one.hold_id}, {about}, jusqu'au {day_words(one.until)}")
    if not some:
        say("Aucune suspension n'est en vigueur.")
