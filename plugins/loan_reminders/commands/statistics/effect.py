"""Work out anew what the page « Effet des SMS » says, as the DAG `loan_returns` does each night, and say it.

    loan-reminders effect

After another day was written at `[statistics] compare_from`, it need not wait for the night. Airflow's connection
`reminders_ledger` says where the ledger is, unless `REMINDERS_LEDGER_URL` does, and `REMINDERS_CONFIG` which library
this is. Ends with 1 when it cannot go on.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime

from loan_reminders.commands.registry import command_parser, library_option
from loan_reminders.domain.errors import ReminderError
from loan_reminders.french.pages.effect import sentences
from loan_reminders.french.refusals import sentence


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns 0, or 1 after saying on the error output what is wrong."""
    parser = command_parser("effect", more="La nuit, le DAG « Retours des documents » fait de même.")
    library_option(parser)
    asked = parser.parse_args(arguments)
    try:
        return _measure(asked.bibliotheque)
    except ReminderError as error:
        sys.stderr.write(f"{sentence(error)}\n")
        return 1


def _measure(library: str | None) -> int:
    from loan_reminders.hooks.effect import effect_counts, statistics
    from loan_reminders.hooks.for_commands import ledger_url
    from loan_reminders.ledger.connect import connect
    from loan_reminders.services.statistics.measure_effect import measure_effect
    from loan_reminders.settings.libraries import of_library
    from loan_reminders.settings.library_toml import settings

    with of_library(library):
        config = settings()
    with connect(ledger_url(), library=config.library.code) as ledger:
        findings = measure_effect(
            effect_counts(ledger),
            statistics(),
            today=datetime.now(config.zone).date(),
            zone=config.library.time_zone,
            compare_from=config.statistics.compare_from,
            current=config.sms.held_back(),
        )
    sys.stdout.write("".join(f"{words}\n" for words in sentences(findings)))
    return 0
