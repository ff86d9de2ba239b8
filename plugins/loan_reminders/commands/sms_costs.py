"""What SMS cost between two days, both included: a line for each day, stage and category of reader, then the total.

    loan-reminders sms-costs --bibliotheque montclar --depuis 2026-11-01 --jusqu-a 2026-11-30

The environment says where the ledger is: `REMINDERS_LEDGER_URL`, a file named by `REMINDERS_LEDGER_URL_FILE`, or
Airflow's `AIRFLOW_CONN_REMINDERS_LEDGER`. An address without a password may be given as `--url` instead.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from loan_reminders.commands.french_arguments import day
from loan_reminders.commands.registry import command_parser
from loan_reminders.domain.errors import ReminderError
from loan_reminders.french.plurals import many
from loan_reminders.ledger.address import from_command_line
from loan_reminders.ledger.connect import connect


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns 0, or 1 after saying on the error output why the ledger cannot be read."""
    parser = command_parser("sms-costs")
    parser.add_argument("--depuis", type=day, required=True, metavar="AAAA-MM-JJ", help="le premier jour")
    parser.add_argument("--jusqu-a", type=day, required=True, metavar="AAAA-MM-JJ", help="le dernier jour, compris")
    parser.add_argument("--bibliotheque", required=True, metavar="CODE", help="library.code de library.toml")
    parser.add_argument("--fuseau", default="Europe/Paris", help="le fuseau des jours (Europe/Paris)")
    parser.add_argument("--url", help="où est le registre, sans mot de passe ; sinon l'environnement le dit")
    asked = parser.parse_args(arguments)
    try:
        url = from_command_line(asked.url, os.environ)
        with connect(url, library=asked.bibliotheque) as ledger:
            rows = ledger.sms_costs(first=asked.depuis, last=asked.jusqu_a, zone=asked.fuseau)
    except ReminderError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for row in rows:
        words = (
            row.day,
            row.stage,
            row.category,
            f"{row.sms} SMS",
            many(row.segments, "segment", "segments"),
            f"{row.cost:g}",
        )
        sys.stdout.write("  ".join(map(str, words)) + "\n")
    total = sum(row.segments for row in rows), sum(row.cost for row in rows)
    sys.stdout.write(f"Total : {many(total[0], 'segment', 'segments')}, coût {total[1]:g}\n")
    return 0
