"""Everything sent about a loan, as one PDF, for a reader who contests it.

    loan-reminders dispute-file --code-barres 0935000123 --sortie dossier.pdf
    loan-reminders dispute-file --code-barres 0935000123 --sortie - > dossier.pdf

Airflow's connection `reminders_ledger` says where the ledger is, unless `REMINDERS_LEDGER_URL` does; the environment
says where letters are kept (`REMINDERS_STORAGE`) and which library this is (`REMINDERS_CONFIG`). Ends with 1 when
nothing is found, when there is a choice (the loans are listed, to be named with `--pret`), or when the file cannot be
made.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from loan_reminders.commands.reader_rights.output_file import OUTPUT_HELP, HandOver, handed_over
from loan_reminders.commands.registry import command_parser, library_option, whoever
from loan_reminders.domain.dispute.loan_file import LoanSearch
from loan_reminders.domain.errors import ReminderError
from loan_reminders.french.plurals import many
from loan_reminders.french.refusals import sentence


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns 0 with the file written, or 1 after saying on the error output what is wrong."""
    parser = command_parser("dispute-file")
    named_by = parser.add_mutually_exclusive_group(required=True)
    named_by.add_argument("--pret", metavar="ID", help="le numéro du prêt dans le SIGB")
    named_by.add_argument("--code-barres", metavar="X", help="le code-barres du document")
    named_by.add_argument("--reference", metavar="Y", help="la référence d'une lettre")
    named_by.add_argument("--recommande", metavar="N", help="le numéro d'un recommandé")
    parser.add_argument("--sortie", type=Path, required=True, metavar="dossier.pdf", help=OUTPUT_HELP)
    library_option(parser)
    asked = parser.parse_args(arguments)
    search = LoanSearch(
        loan_id=asked.pret or "",
        item_barcode=asked.code_barres or "",
        reference=asked.reference or "",
        tracking_number=asked.recommande or "",
    )
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        with handed_over(asked.sortie) as hand_over:
            return _make(search, hand_over, asked.bibliotheque)
    except ReminderError as error:
        sys.stderr.write(f"{sentence(error)}\n")
        return 1


def _make(search: LoanSearch, hand_over: HandOver, library: str | None) -> int:
    from loan_reminders.hooks.for_commands import ledger_url
    from loan_reminders.hooks.letter_store import letter_store
    from loan_reminders.ledger.connect import connect
    from loan_reminders.services.dispute.loan_file import (
        NOT_FOUND,
        SEVERAL,
        choice_words,
        find_loans,
        make_dispute_file,
    )
    from loan_reminders.settings.libraries import of_library
    from loan_reminders.settings.library_toml import settings

    with of_library(library):
        config = settings()
    with connect(ledger_url(), library=config.library.code) as ledger:
        disputes = ledger.dispute()
        found = find_loans(disputes, search)
        if len(found) > 1:
            sys.stderr.write(f"{SEVERAL}\n")
            for one in found:
                sys.stderr.write(f"  --pret {one.loan_id}  ({choice_words(one)})\n")
            return 1
        made = found and make_dispute_file(
            disputes,
            letter_store(),
            config.identity(),
            found[0].loan_id,
            who=whoever(),
            made_at=datetime.now(config.zone),
            zone=config.zone,
            templates=config.templates,
        )
    if not made:
        sys.stderr.write(f"{NOT_FOUND}\n")
        return 1
    words = f"{many(made.deliveries, 'envoi', 'envois')}, {many(made.pages, 'page', 'pages')}"
    hand_over(made.content, words)
    return 0
