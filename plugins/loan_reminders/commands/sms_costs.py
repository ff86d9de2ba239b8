"""What SMS cost between two days, both included: a line for each day, stage and category of reader, then the total.

    loan-reminders sms-costs --bibliotheque montclar --depuis 2026-11-01 --jusqu-a 2026-11-30

In euros: those that the provider told, and `segment_price` of `library.toml` for the segments of which it told none.

Airflow's connection `reminders_ledger` says where the ledger is, unless `REMINDERS_LEDGER_URL` does or a file named by
`REMINDERS_LEDGER_URL_FILE`. An address without a password may be given as `--url` instead.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress

from loan_reminders.commands.french_arguments import day, zone
from loan_reminders.commands.registry import CODE_HELP, command_parser, refuse_unknown_library
from loan_reminders.domain.errors import ReminderError, SettingsError
from loan_reminders.domain.sms.price import SmsPrice
from loan_reminders.french.money import sms_cost_words
from loan_reminders.french.plurals import many
from loan_reminders.french.refusals import sentence
from loan_reminders.hooks.for_commands import ledger_url
from loan_reminders.ledger.connect import connect
from loan_reminders.settings.libraries import of_library
from loan_reminders.settings.library_toml import settings


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns 0, or 1 after saying on the error output why the ledger cannot be read."""
    parser = command_parser("sms-costs")
    parser.add_argument("--depuis", type=day, required=True, metavar="AAAA-MM-JJ", help="le premier jour")
    parser.add_argument("--jusqu-a", type=day, required=True, metavar="AAAA-MM-JJ", help="le dernier jour, compris")
    parser.add_argument("--bibliotheque", required=True, metavar="CODE", help=CODE_HELP)
    parser.add_argument("--fuseau", type=zone, default="Europe/Paris", help="le fuseau des jours (Europe/Paris)")
    parser.add_argument("--url", help="où est le registre, sans mot de passe ; sinon, la connexion d'Airflow")
    asked = parser.parse_args(arguments)
    if asked.depuis > asked.jusqu_a:
        parser.error(f"--depuis {asked.depuis} est après --jusqu-a {asked.jusqu_a}")
    try:
        url = ledger_url(asked.url)
        with connect(url, library=asked.bibliotheque) as ledger:
            refuse_unknown_library(parser, ledger)
            rows = ledger.sms_costs(first=asked.depuis, last=asked.jusqu_a, zone=asked.fuseau)
    except ReminderError as error:
        sys.stderr.write(f"{sentence(error)}\n")
        return 1
    price = _price(asked.bibliotheque)
    for row in rows:
        words = (
            row.day,
            row.stage,
            row.category,
            f"{row.sms} SMS",
            many(row.segments, "segment", "segments"),
            sms_cost_words(price, told=row.cost, unpriced=row.unpriced),
        )
        sys.stdout.write("  ".join(map(str, words)) + "\n")
    segments = many(sum(row.segments for row in rows), "segment", "segments")
    told, unpriced = sum(row.cost for row in rows), sum(row.unpriced for row in rows)
    sys.stdout.write(f"Total : {segments}, coût : {sms_cost_words(price, told=told, unpriced=unpriced)}\n")
    if price.of_sent(told=told, unpriced=unpriced) is None:
        sys.stdout.write("Le prix d'un segment n'est pas connu : [sms] segment_price dans library.toml\n")
    return 0


def _price(library: str) -> SmsPrice:
    """The price of a segment in the library's contract; not known where its settings cannot be read or are gone."""
    with suppress(SettingsError), of_library(library):
        return settings().sms_price()
    return SmsPrice()
