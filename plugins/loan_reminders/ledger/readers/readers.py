"""The readers of one library: by their neutral number or the ILS's own, found by a search, and their loans."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager

from sqlalchemy import Connection, text

from loan_reminders.domain.readers.reader import Reader, ReaderLoan
from loan_reminders.domain.readers.search import LastMessage, ReaderSearch, ReadersFound
from loan_reminders.ledger.json_codecs import storable
from loan_reminders.ledger.readers.search import find, last_messages, read_reader

LARGEST_NUMBER = 2**63 - 1

_NUMBER = text("SELECT reader_number FROM readers WHERE library = :library AND patron_id = :patron_id")
_NAME = text("SELECT name FROM readers WHERE library = :library AND patron_id = :patron_id")
_READER = text("SELECT * FROM readers WHERE library = :library AND reader_number = :number")
_LOANS = text("""
    WITH known AS (
        SELECT loan_id, notice.due_date, run_id FROM notices notice JOIN runs run USING (run_id)
        CROSS JOIN unnest(notice.loan_ids) AS loan_id
        WHERE notice.library = :library AND notice.patron_id = :patron_id AND NOT run.dry_run
        UNION ALL
        SELECT loan_id, skip.due_date, run_id FROM skips skip JOIN runs run USING (run_id)
        WHERE skip.library = :library AND skip.patron_id = :patron_id AND NOT run.dry_run
    )
    SELECT newest.loan_id, newest.due_date, seen.record ->> 'title' AS title FROM (
        SELECT DISTINCT ON (loan_id) loan_id, due_date, run_id FROM known WHERE loan_id <> ''
        ORDER BY loan_id, due_date DESC NULLS LAST, run_id DESC
    ) AS newest
    LEFT JOIN loans_seen seen
      ON seen.run_id = newest.run_id AND seen.loan_id = newest.loan_id AND seen.due_date = newest.due_date
    ORDER BY newest.due_date DESC NULLS LAST, newest.run_id DESC, newest.loan_id
""")


class PostgresReaders:
    """The part of the ledger that knows the readers, as the ILS last described them."""

    def __init__(self, transaction: Callable[[], AbstractContextManager[Connection]], *, library: str) -> None:
        self._transaction = transaction
        self._library = library

    def number_of(self, patron_id: str) -> int | None:
        """The neutral number of a reader, None when no run saw a loan of theirs or they were erased."""
        asked = {"library": self._library, "patron_id": storable(patron_id)}
        with self._transaction() as connection:
            number: int | None = connection.execute(_NUMBER, asked).scalar()
            return number

    def name_of(self, patron_id: str) -> str:
        """The name of a reader, empty for one without a name or whom the ledger does not know."""
        asked = {"library": self._library, "patron_id": storable(patron_id)}
        with self._transaction() as connection:
            return connection.execute(_NAME, asked).scalar() or ""

    def reader(self, number: int) -> Reader | None:
        """The reader who has a neutral number, None when nobody has."""
        if not 0 < number <= LARGEST_NUMBER:
            return None
        with self._transaction() as connection:
            row = connection.execute(_READER, {"library": self._library, "number": number}).first()
            return None if row is None else read_reader(row)

    def find(self, search: ReaderSearch, *, limit: int) -> ReadersFound:
        """The readers whom a search names, `limit` at most."""
        with self._transaction() as connection:
            return find(connection, self._library, search, limit=limit)

    def last_messages(self, patron_ids: Sequence[str]) -> Mapping[str, LastMessage]:
        """The last message to each of these readers; whoever got none is left out."""
        with self._transaction() as connection:
            return last_messages(connection, self._library, patron_ids)

    def loans_of(self, patron_id: str) -> Sequence[ReaderLoan]:
        """All loans about which a reader was to be written to, the one due last first.

        Of several due on one day, the one about which something was done last comes first.
        """
        asked = {"library": self._library, "patron_id": storable(patron_id)}
        with self._transaction() as connection:
            return tuple(
                ReaderLoan(loan_id=row.loan_id, due_date=row.due_date, title=row.title)
                for row in connection.execute(_LOANS, asked)
            )
