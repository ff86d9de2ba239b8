"""What the commands about one reader share: who is meant, who does it, and the ledger of the library."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from loan_reminders.commands.french_arguments import FrenchParser
from loan_reminders.commands.registry import library_option

if TYPE_CHECKING:
    from loan_reminders.ledger.repository import PostgresLedger
    from loan_reminders.settings.library_toml import Settings


def who_option(parser: FrenchParser) -> None:
    """Let a person say who does it, and of which library."""
    words = "l'agent qui le fait, pour le journal, jamais le lecteur ; sinon le compte de ce terminal"
    parser.add_argument("--qui", default="", help=words)
    library_option(parser)


def reader_option(parser: FrenchParser | argparse._MutuallyExclusiveGroup, *, required: bool = False) -> None:
    """Let a person name a reader by the number of the library system (ILS)."""
    parser.add_argument("--lecteur", metavar="ID", required=required, help="le numéro du lecteur dans le SIGB")


@contextmanager
def opened(library: str | None) -> Iterator[tuple[PostgresLedger, Settings]]:
    """The ledger of a library and its settings. Raises ReminderError."""
    from loan_reminders.hooks.for_commands import ledger_url
    from loan_reminders.ledger.connect import connect
    from loan_reminders.settings.libraries import of_library
    from loan_reminders.settings.library_toml import settings

    with of_library(library):
        config = settings()
    with connect(ledger_url(), library=config.library.code) as ledger:
        yield ledger, config


def say(words: str) -> None:
    """A line of the answer."""
    sys.stdout.write(f"{words}\n")
