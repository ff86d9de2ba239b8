"""Make all counters of a library again out of the rest of its ledger."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from sqlalchemy import Connection

from loan_reminders.domain.journal import JournalAct
from loan_reminders.ledger import journal
from loan_reminders.ledger.statistics import counting
from loan_reminders.ledger.statistics.loan_ends import count_overdue
from loan_reminders.ledger.statistics.looks import Transaction


class PostgresCounters:
    """The counters of one library."""

    def __init__(self, transaction: Transaction, *, library: str) -> None:
        self._transaction = transaction
        self._library = library

    def rebuild(self, *, who: str) -> Iterator[tuple[int, int]]:
        """Count every run anew, each in a transaction, then the overdue loans; the journal says who asked for it.

        Yields how many runs are done, and of how many. Runs may be closed and receipts may come meanwhile. When loans
        ended is not made again: only the nights on which the ILS was asked know it.
        """
        with self._transaction() as connection:
            runs = counting.all_runs(connection, self._library)
        for done, run_id in enumerate(runs, start=1):
            with self._transaction() as connection:
                counting.count_closed(connection, self._library, run_id)
            yield done, len(runs)
        with self._transaction() as connection:
            count_overdue(connection, self._library, date.min)
            self._keep(connection, who, len(runs))

    def _keep(self, connection: Connection, who: str, runs: int) -> None:
        facts = {"runs": runs}
        journal.keep(connection, self._library, who=who, act=JournalAct.COUNTERS_REBUILT, facts=facts)
