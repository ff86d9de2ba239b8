"""Note that a reader wants no e-mail or no SMS any more; lift that; list what he refuses.

    loan-reminders reader-object --lecteur 4711 --canal sms --motif "demandé au guichet"
    loan-reminders reader-object --lever 12 --motif "il les veut de nouveau"
    loan-reminders reader-object --lecteur 4711

Airflow's connection `reminders_ledger` says where the ledger is, unless `REMINDERS_LEDGER_URL` does, and
`REMINDERS_CONFIG` which library this is. The journal says who did it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from loan_reminders.commands.reader_rights.for_a_reader import opened, reader_option, say, who_option
from loan_reminders.commands.registry import command_parser, whoever
from loan_reminders.domain.errors import ReminderError
from loan_reminders.domain.suppressions.objections import Objection, channel_to_refuse
from loan_reminders.french.pages.reader_rights import REFUSED_CHANNELS
from loan_reminders.french.refusals import sentence


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns 0, or 1 after saying on the error output what is wrong."""
    parser = command_parser("reader-object", more="--lecteur seul donne ses oppositions en vigueur.")
    what = parser.add_mutually_exclusive_group(required=True)
    reader_option(what)
    what.add_argument("--lever", metavar="N", type=int, help="lever une opposition, par son numéro")
    parser.add_argument("--canal", default="", help="email ou sms")
    parser.add_argument("--motif", default="", help="pourquoi")
    who_option(parser)
    asked = parser.parse_args(arguments)
    if asked.lever is None and asked.motif and not asked.canal:
        parser.error("--canal manque : rien n'est noté")
    try:
        _act(asked)
    except ReminderError as error:
        sys.stderr.write(f"{sentence(error)}\n")
        return 1
    return 0


def _act(asked: argparse.Namespace) -> None:
    from loan_reminders.ledger.suppressions.objections import PostgresObjections

    with opened(asked.bibliotheque) as (ledger, _):
        objections = ledger.part(PostgresObjections)
        if asked.lever is not None:
            _say("Levée", [objections.lift(asked.lever, reason=asked.motif, who=whoever(asked.qui))])
        elif asked.canal:
            channel = channel_to_refuse(asked.canal)
            who = whoever(asked.qui)
            noted = objections.note(patron_id=asked.lecteur, channel=channel, reason=asked.motif, who=who)
            _say("Notée", [noted])
        else:
            _say("En vigueur", [one for one in objections.of_reader(asked.lecteur) if one.in_force])


def _say(word: str, some: Sequence[Objection]) -> None:
    for one in some:
        say(f"{word} : opposition {one.objection_id}, {REFUSED_CHANNELS[one.channel]}")
    if not some:
        say("Aucune opposition n'est en vigueur.")
