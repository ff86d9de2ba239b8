"""The journal as its page reads it: some lines at a time, by person, act, reader and day, whatever its length.

Lines are in the order of their moments. A page begins where the last one ended (its last line is in the address), so
that the thousandth page is read as quickly as the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, time, timedelta, tzinfo

from sqlalchemy import ColumnElement, Connection, Row, select, text, tuple_

from loan_reminders.domain.journal import (
    JournalAct,
    JournalAsked,
    JournalEntry,
    JournalLine,
    JournalPage,
    JournalPerson,
)
from loan_reminders.ledger.tables import journal

LINES = 50

# One look into the index for each person, however many lines each has.
_PERSONS = text("""
    WITH RECURSIVE persons AS (
        (SELECT who, entry_id FROM journal WHERE library = :library ORDER BY who, at, entry_id LIMIT 1)
        UNION ALL
        SELECT later.who, later.entry_id FROM persons CROSS JOIN LATERAL (
            SELECT who, entry_id FROM journal WHERE library = :library AND who > persons.who
            ORDER BY who, at, entry_id LIMIT 1
        ) AS later
    )
    SELECT who, entry_id FROM persons
""")
_LINE = text("SELECT who, at FROM journal WHERE library = :library AND entry_id = :entry_id")
_READER = text("SELECT patron_id, name, card FROM readers WHERE library = :library AND reader_number = :number")
_READERS = text("""
    SELECT patron_id, reader_number, name, card FROM readers
    WHERE library = :library AND patron_id = ANY(CAST(:patrons AS text[]))
""")
_LETTERS = text("SELECT delivery_id, reference FROM letters WHERE delivery_id = ANY(CAST(:deliveries AS uuid[]))")


class PostgresJournalPages:
    """The journal of one library, to be read."""

    def __init__(self, transaction: Callable[[], AbstractContextManager[Connection]], *, library: str) -> None:
        self._transaction = transaction
        self._library = library

    def page(self, asked: JournalAsked, *, zone: tzinfo) -> JournalPage:
        """The lines asked for, the newest first, 50 at most; a person, a reader or a line nobody knows gives none."""
        with self._transaction() as connection:
            wanted = self._wanted(connection, asked, zone)
            if wanted is None:
                return JournalPage(lines=(), newer=False, older=False)
            place = tuple_(journal.c.at, journal.c.entry_id)
            query = select(journal).where(journal.c.library == self._library, *wanted).limit(LINES + 1)
            if asked.after:
                query = query.order_by(journal.c.at, journal.c.entry_id)
            else:
                query = query.order_by(journal.c.at.desc(), journal.c.entry_id.desc())
            if asked.before or asked.after:
                known = connection.execute(_LINE, self._of(entry_id=asked.before or asked.after)).first()
                if known is None:
                    return JournalPage(lines=(), newer=False, older=False)
                border = tuple_(known.at, asked.before or asked.after)
                query = query.where(place < border if asked.before else place > border)
            found = connection.execute(query).all()
            more, rows = len(found) > LINES, found[:LINES]
            if asked.after:
                return JournalPage(lines=self._lines(connection, rows[::-1]), newer=more, older=True)
            return JournalPage(lines=self._lines(connection, rows), newer=bool(asked.before), older=more)

    def persons(self) -> Sequence[JournalPerson]:
        """Everybody who is in the journal, by name."""
        with self._transaction() as connection:
            found = connection.execute(_PERSONS, self._of())
            return tuple(JournalPerson(name=row.who, number=row.entry_id) for row in found)

    def reader(self, number: int) -> tuple[str, str] | None:
        """The name and the card of the reader of a number, None when there is none."""
        with self._transaction() as connection:
            row = connection.execute(_READER, self._of(number=number)).first()
            return None if row is None else (row.name, row.card)

    def _wanted(self, connection: Connection, asked: JournalAsked, zone: tzinfo) -> list[ColumnElement[bool]] | None:
        wanted: list[ColumnElement[bool]] = []
        if asked.person:
            person = connection.execute(_LINE, self._of(entry_id=asked.person)).first()
            if person is None:
                return None
            wanted.append(journal.c.who == person.who)
        if asked.act is not None:
            wanted.append(journal.c.act == asked.act.value)
        if asked.reader:
            reader = connection.execute(_READER, self._of(number=asked.reader)).first()
            if reader is None or not reader.patron_id:
                return None
            # The second half lets the index of lines about a reader serve.
            wanted += [journal.c.patron_id == reader.patron_id, journal.c.patron_id != ""]
        if asked.day is not None:
            start = datetime.combine(asked.day, time(), zone)
            wanted += [journal.c.at >= start, journal.c.at < datetime.combine(asked.day + timedelta(1), time(), zone)]
        return wanted

    def _lines(self, connection: Connection, rows: Sequence[Row[tuple[object, ...]]]) -> Sequence[JournalLine]:
        patrons = sorted({row.patron_id for row in rows if row.patron_id})
        readers = {row.patron_id: row for row in self._asked_of(connection, _READERS, patrons=patrons)}
        deliveries = sorted({str(row.delivery_id) for row in rows if row.delivery_id})
        letters = {
            row.delivery_id: row.reference for row in self._asked_of(connection, _LETTERS, deliveries=deliveries)
        }
        return tuple(_line(row, readers.get(row.patron_id), letters.get(row.delivery_id, "")) for row in rows)

    def _asked_of(self, connection: Connection, query: object, **keys: list[str]) -> Iterable[Row[tuple[object, ...]]]:
        [some] = keys.values()
        return connection.execute(query, self._of(**keys)).all() if some else ()  # type: ignore[call-overload]

    def _of(self, **more: object) -> dict[str, object]:
        return {"library": self._library, **more}


def _line(row: Row[tuple[object, ...]], reader: Row[tuple[object, ...]] | None, letter: str) -> JournalLine:
    entry = JournalEntry(
        at=row.at,
        who=row.who,
        act=JournalAct(row.act),
        patron_id=row.patron_id,
        delivery_id=row.delivery_id,
        batch_id=row.batch_id,
        run_id=row.run_id,
        detail=row.detail,
        facts=row.facts,
    )
    if reader is None:
        return JournalLine(entry_id=row.entry_id, entry=entry, letter=letter)
    return JournalLine(
        entry_id=row.entry_id,
        entry=entry,
        reader_number=reader.reader_number,
        reader_name=reader.name,
        reader_card=reader.card,
        letter=letter,
    )
