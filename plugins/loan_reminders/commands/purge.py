"""Remove what has been kept long enough, as the DAG `retention` does each night; without `--remove` only count it.

    loan-reminders purge
    loan-reminders purge --remove

Whoever writes `--remove` need not have `[retention] erase` in library.toml: that is for the nights. Airflow's
connection `reminders_ledger` says where the ledger is, unless `REMINDERS_LEDGER_URL` does; the environment says where
letters are kept (`REMINDERS_STORAGE`) and which library this is (`REMINDERS_CONFIG`). Ends with 1 when it cannot go on;
what was removed by then stays removed, and the same command goes on.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from datetime import datetime

from loan_reminders.commands.registry import command_parser, library_option, whoever
from loan_reminders.domain.errors import ReminderError
from loan_reminders.french.refusals import sentence
from loan_reminders.french.retention import ERASED, WOULD_BE_ERASED, removed_words


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns 0, or 1 after saying on the error output what is wrong."""
    parser = command_parser("purge", more="Les durées sont dans la partie [retention] de library.toml.")
    parser.add_argument("--remove", action="store_true", help="effacer pour de bon")
    parser.add_argument("--qui", default="", help="qui le demande, pour le journal ; sinon le compte de ce terminal")
    library_option(parser)
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        return _purge(asked.bibliotheque, remove=asked.remove, who=whoever(asked.qui))
    except ReminderError as error:
        sys.stderr.write(f"{sentence(error)}\n")
        return 1


def _purge(library: str | None, *, remove: bool, who: str) -> int:
    from loan_reminders.hooks.for_commands import ledger_url
    from loan_reminders.hooks.letter_store import letter_store
    from loan_reminders.hooks.retention import retention
    from loan_reminders.ledger.connect import connect
    from loan_reminders.services.retention.erase import erase_expired
    from loan_reminders.settings.libraries import of_library
    from loan_reminders.settings.library_toml import settings

    with of_library(library):
        config = settings()
    now = datetime.now(config.zone)
    terms = config.retention.terms(now.date())
    with connect(ledger_url(), library=config.library.code) as ledger:
        removed = erase_expired(
            retention(ledger), ledger.loan_ends(), letter_store(), terms=terms, now=now, rehearse=not remove, who=who
        )
    sys.stdout.write(f"{ERASED if remove else WOULD_BE_ERASED}{removed_words(removed)}\n")
    return 0
