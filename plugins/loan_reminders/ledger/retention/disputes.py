"""Disputes in the ledger: which loans and readers are kept beyond their time, who said so, until when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, text

from loan_reminders.domain.journal import JournalAct
from loan_reminders.domain.retention.disputes import LONGEST_REASON, DisputeFlag, DisputeRefusal, DisputeRefused
from loan_reminders.ledger import journal
from loan_reminders.ledger.journal import Transaction
from loan_reminders.ledger.json_codecs import storable

IN_FORCE = "closed_at IS NULL AND until >= CAST(:today AS date)"
_READER = text("SELECT reader_number FROM readers WHERE library = :library AND patron_id = :patron_id")
_READER_OF = text("""
    SELECT seen.patron_id FROM (
        SELECT run_id, patron_id FROM loans_seen WHERE library = :library AND loan_id = :loan_id OFFSET 0
    ) AS seen
    ORDER BY seen.run_id DESC LIMIT 1
""")
_LOAN = text("""
    SELECT seen.title FROM (
        SELECT run_id, record ->> 'title' AS title FROM loans_seen
        WHERE library = :library AND loan_id = :loan_id AND patron_id = :patron_id OFFSET 0
    ) AS seen
    ORDER BY seen.run_id DESC LIMIT 1
""")
# One that ended by itself, or that a new one takes the place of, makes room.
_MAKE_ROOM = text("""
    UPDATE disputes SET closed_at = now(), closed_by = CASE WHEN until < CAST(:today AS date) THEN '' ELSE :who END
    WHERE library = :library AND patron_id = :patron_id AND loan_id = :loan_id AND closed_at IS NULL
""")
_NOTE = text("""
    INSERT INTO disputes (library, patron_id, loan_id, title, reason, who, until)
    VALUES (:library, :patron_id, :loan_id, :title, :reason, :who, :until) RETURNING *
""")
_CLOSE = text(f"""
    UPDATE disputes SET closed_at = now(), closed_by = :who
    WHERE library = :library AND dispute_id = :dispute_id AND {IN_FORCE}
    RETURNING *
""")  # noqa: S608 - the condition is this module's own
_OF_READER = text(f"""
    SELECT * FROM disputes WHERE library = :library AND patron_id = :patron_id AND {IN_FORCE} ORDER BY dispute_id DESC
""")  # noqa: S608 - the condition is this module's own
_ALL = text(f"""
    SELECT * FROM disputes WHERE library = :library AND {IN_FORCE} ORDER BY until, dispute_id
""")  # noqa: S608 - the condition is this module's own


class PostgresDisputes:
    """The part of one library's ledger where disputes are kept."""

    def __init__(self, transaction: Transaction, *, library: str) -> None:
        self._transaction = transaction
        self._library = library

    def note(self, *, patron_id: str, loan_id: str, until: date, reason: str, who: str, today: date) -> DisputeFlag:
        """Keep all about one loan of a reader, or with an empty `loan_id` about all, up to and including a day.

        One that is open gives way to the new one. Raises DisputeRefused when the ledger does not know the reader, or
        the loan, any more: nothing is left to keep.
        """
        asked: dict[str, Any] = {
            "library": self._library,
            "patron_id": storable(patron_id),
            "loan_id": storable(loan_id),
            "until": until,
            "reason": storable(reason.strip())[:LONGEST_REASON],
            "who": storable(who),
            "today": today,
        }
        with self._transaction() as connection:
            if connection.execute(_READER, asked).first() is None:
                raise DisputeRefused(DisputeRefusal.UNKNOWN_READER)
            loan = connection.execute(_LOAN, asked).first() if loan_id else None
            if loan_id and loan is None:
                raise DisputeRefused(DisputeRefusal.UNKNOWN_LOAN)
            asked["title"] = "" if loan is None else loan.title or ""
            connection.execute(_MAKE_ROOM, asked)
            noted = _flag(connection.execute(_NOTE, asked).one())
            self._keep(connection, JournalAct.DISPUTE_NOTED, noted, who=who, detail=noted.reason)
        return noted

    def close(self, dispute_id: int, *, who: str, today: date) -> DisputeFlag:
        """End a dispute before its day. Raises DisputeRefused when it is not open (any more)."""
        asked = {"library": self._library, "dispute_id": dispute_id, "who": storable(who), "today": today}
        with self._transaction() as connection:
            row = connection.execute(_CLOSE, asked).first()
            if row is None:
                raise DisputeRefused(DisputeRefusal.NOT_OPEN)
            closed = _flag(row)
            self._keep(connection, JournalAct.DISPUTE_CLOSED, closed, who=who, detail="")
        return closed

    def of_reader(self, patron_id: str, *, today: date) -> Sequence[DisputeFlag]:
        """The disputes with a reader that are open on a day, the newest first."""
        asked = {"library": self._library, "patron_id": storable(patron_id), "today": today}
        with self._transaction() as connection:
            return tuple(_flag(row) for row in connection.execute(_OF_READER, asked))

    def open(self, *, today: date) -> Sequence[DisputeFlag]:
        """All disputes that are open on a day, those that end first first."""
        with self._transaction() as connection:
            rows = connection.execute(_ALL, {"library": self._library, "today": today})
            return tuple(_flag(row) for row in rows)

    def reader_of(self, loan_id: str) -> str:
        """The reader of a loan. Raises DisputeRefused when the ledger does not know the loan, or no more."""
        with self._transaction() as connection:
            found = connection.execute(_READER_OF, {"library": self._library, "loan_id": storable(loan_id)}).scalar()
        if found is None:
            raise DisputeRefused(DisputeRefusal.UNKNOWN_LOAN)
        return str(found)

    def _keep(self, connection: Connection, act: JournalAct, flag: DisputeFlag, *, who: str, detail: str) -> None:
        facts = {"dispute": flag.dispute_id, "loan": flag.loan_id, "until": flag.until.isoformat()}
        journal.keep(connection, self._library, who=who, act=act, patron_id=flag.patron_id, detail=detail, facts=facts)


def _flag(row: Row[Any]) -> DisputeFlag:
    return DisputeFlag(
        dispute_id=row.dispute_id,
        patron_id=row.patron_id,
        loan_id=row.loan_id,
        title=row.title,
        reason=row.reason,
        who=row.who,
        at=row.at,
        until=row.until,
    )
