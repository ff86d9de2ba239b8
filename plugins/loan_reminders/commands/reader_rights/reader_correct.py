"""Put right what the library system (ILS) tells of a reader, as long as it goes on telling it; end that; list it.

    echo "camille@exemple.fr" | loan-reminders reader-correct --lecteur 4711 --quoi email --motif "demandé au guichet"
    loan-reminders reader-correct --terminer 3
    loan-reminders reader-correct --lecteur 4711

What is to be written instead is read from the standard input: an argument would stand in the list of processes.
Airflow's connection `reminders_ledger` says where the ledger is, unless `REMINDERS_LEDGER_URL` does, and
`REMINDERS_CONFIG` which library this is. The journal says who did it, and never what was written.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from loan_reminders.commands.reader_rights.for_a_reader import opened, reader_option, say, who_option
from loan_reminders.commands.registry import command_parser, whoever
from loan_reminders.domain.errors import ReminderError
from loan_reminders.domain.readers.amendments import AmendedField, read_value
from loan_reminders.french.pages.reader_rights import FIELDS
from loan_reminders.french.refusals import sentence


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns 0, or 1 after saying on the error output what is wrong."""
    parser = command_parser(
        "reader-correct",
        more="Ce qu'il faut écrire à la place est lu sur l'entrée standard, une adresse ligne par ligne sans le nom."
        " --lecteur seul donne ses rectifications en vigueur.",
    )
    what = parser.add_mutually_exclusive_group(required=True)
    reader_option(what)
    what.add_argument("--terminer", metavar="N", type=int, help="croire de nouveau le SIGB, par le numéro")
    parser.add_argument("--quoi", default="", help=f"ce qui est à rectifier : {', '.join(AmendedField)}")
    parser.add_argument("--motif", default="", help="pourquoi")
    who_option(parser)
    asked = parser.parse_args(arguments)
    if asked.terminer is None and asked.motif and not asked.quoi:
        parser.error("--quoi manque : rien n'est noté")
    try:
        _act(asked)
    except ReminderError as error:
        sys.stderr.write(f"{sentence(error)}\n")
        return 1
    return 0


def _act(asked: argparse.Namespace) -> None:
    from loan_reminders.ledger.readers.amendments import PostgresAmendments
    from loan_reminders.ledger.readers.readers import PostgresReaders
    from loan_reminders.settings.rules import own_addresses

    with opened(asked.bibliotheque) as (ledger, config):
        amendments = ledger.part(PostgresAmendments)
        if asked.terminer is not None:
            amendments.end(asked.terminer, who=whoever(asked.qui))
            say(f"Terminée : rectification {asked.terminer}")
        elif asked.quoi:
            name = ledger.part(PostgresReaders).name_of(asked.lecteur)
            countries, own = frozenset(config.sms.countries), tuple(own_addresses(config.library))
            field, value = read_value(asked.quoi, sys.stdin.read(10_000), name=name, countries=countries, own=own)
            noted = amendments.note(
                patron_id=asked.lecteur, field=field, value=value, reason=asked.motif, who=whoever(asked.qui)
            )
            say(f"Notée : rectification {noted.amendment_id}, {FIELDS[field]}")
        else:
            in_force = [one for one in amendments.of_reader(asked.lecteur) if one.in_force]
            for one in in_force:
                say(f"En vigueur : rectification {one.amendment_id}, {FIELDS[one.field]}")
            if not in_force:
                say("Aucune rectification n'est en vigueur.")
