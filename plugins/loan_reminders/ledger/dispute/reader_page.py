"""All that a reader's page asks, in one transaction: to begin one for each question takes as long as the answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

from sqlalchemy import Connection

from loan_reminders.ledger.dispute.loan_file import PostgresLoanFiles
from loan_reminders.ledger.journal import PostgresJournal
from loan_reminders.ledger.readers.amendments import PostgresAmendments
from loan_reminders.ledger.readers.holds import PostgresHolds
from loan_reminders.ledger.readers.readers import PostgresReaders
from loan_reminders.ledger.retention.disputes import PostgresDisputes
from loan_reminders.ledger.runs.resends import PostgresResends
from loan_reminders.ledger.suppressions.objections import PostgresObjections


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderPageParts:
    """The parts of the ledger that a reader's page is made of; they share one transaction."""

    readers: PostgresReaders
    journal: PostgresJournal
    files: PostgresLoanFiles
    holds: PostgresHolds
    resends: PostgresResends
    disputes: PostgresDisputes
    objections: PostgresObjections
    amendments: PostgresAmendments


class PostgresReaderPages:
    """What the pages of one library's readers are made of."""

    def __init__(self, transaction: Callable[[], AbstractContextManager[Connection]], *, library: str) -> None:
        self._transaction = transaction
        self._library = library

    @contextmanager
    def opened(self) -> Iterator[ReaderPageParts]:
        """Ask and keep within one transaction, committed at the end of the block: a look that fails is none."""
        with self._transaction() as connection:

            def same() -> AbstractContextManager[Connection]:
                return nullcontext(connection)

            yield ReaderPageParts(
                readers=PostgresReaders(same, library=self._library),
                journal=PostgresJournal(same, library=self._library),
                files=PostgresLoanFiles(same, library=self._library),
                holds=PostgresHolds(same, library=self._library),
                resends=PostgresResends(same, library=self._library),
                disputes=PostgresDisputes(same, library=self._library),
                objections=PostgresObjections(same, library=self._library),
                amendments=PostgresAmendments(same, library=self._library),
            )
