"""The readers of one library, by their neutral number or the ILS's own."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import Connection, Row, text

from loan_reminders.domain.readers.reader import Reader
from loan_reminders.ledger.json_codecs import storable

_NUMBER = text("SELECT reader_number FROM readers WHERE library = :library AND patron_id = :patron_id")
_READER = text("SELECT * FROM readers WHERE library = :library AND reader_number = :number")

LARGEST_NUMBER = 2**63 - 1


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

    def patron_of(self, number: int) -> str | None:
        """The ILS's own number of a reader, None when the neutral number is nobody's."""
        reader = self.reader(number)
        return None if reader is None else reader.patron_id

    def reader(self, number: int) -> Reader | None:
        """The reader who has a neutral number, None when nobody has."""
        if not 0 < number <= LARGEST_NUMBER:
            return None
        with self._transaction() as connection:
            row = connection.execute(_READER, {"library": self._library, "number": number}).first()
            return None if row is None else read_reader(row)


def read_reader(row: Row[Any]) -> Reader:
    """The reader of a row of `readers`."""
    return Reader(
        number=row.reader_number,
        patron_id=row.patron_id,
        card=row.card,
        name=row.name,
        email=row.email,
        mobile=row.mobile,
        category=row.category,
        branch=row.branch,
        last_seen_on=row.last_seen_on,
    )
