"""Erasure at a reader's request: all of him that need not stay goes, in one transaction, as the nights remove it.

What is erased is what a night would remove in the end, now: cycles of loans that ended with all that was said about
them, then the reader himself once nothing of him is left to settle. A rehearsal does the same and undoes it, so that
what it says is what would be.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection

from loan_reminders.domain.journal import JournalAct
from loan_reminders.domain.notices import LoanKey
from loan_reminders.domain.reader_rights.erasure import (
    GOES_LATER,
    Erasure,
    ErasureRefusal,
    ErasureRefused,
    Stays,
    StaysBecause,
)
from loan_reminders.domain.retention.terms import Removed
from loan_reminders.ledger import journal
from loan_reminders.ledger.journal import Transaction
from loan_reminders.ledger.json_codecs import storable
from loan_reminders.ledger.reader_rights import erasure_sql as sql
from loan_reminders.ledger.reader_rights.everything import Traces, traces
from loan_reminders.ledger.removal.choices import forget_choices
from loan_reminders.ledger.removal.forgetting import forget_readers
from loan_reminders.ledger.removal.kept_books import keep_rows
from loan_reminders.ledger.removal.loans import LOANS_IN_A_STATEMENT, remove_cycles
from loan_reminders.ledger.removal.readers import hide_lines
from loan_reminders.ledger.removal.removal import alone
from loan_reminders.ledger.retention.fingerprints import hidden, make_fingerprints
from loan_reminders.ledger.suppressions.suppression_list import lock

W = StaysBecause


@dataclass(frozen=True, slots=True, kw_only=True)
class _Left:
    """The cycles of a reader: those that may go, and how many stay for which reason, with the last day of a dispute."""

    going: Sequence[LoanKey]
    stays: Sequence[Stays]


class PostgresErasure:
    """Erasure at a reader's request, in one library's ledger. Fulfils `ReaderErasure`."""

    def __init__(self, transaction: Transaction, *, library: str) -> None:
        self._transaction = transaction
        self._library = library

    def erase(self, patron_id: str, *, today: date, who: str, rehearse: bool) -> Erasure:
        """Erase what need not stay, or with `rehearse` only find out. Raises ErasureRefused for an unknown reader."""
        asked: dict[str, Any] = {"library": self._library, "patron_id": storable(patron_id), "today": today}
        with self._transaction() as connection:
            alone(connection, self._library)
            lock(connection, self._library)
            row = connection.execute(sql.READER, asked).first()
            if row is None:
                raise ErasureRefused(ErasureRefusal.UNKNOWN_READER)
            make_fingerprints(connection, self._library)
            undone = connection.begin_nested()
            erasure = self._erase(connection, asked, traces(connection, self._library, row))
            if rehearse:
                undone.rollback()
                return erasure
            undone.commit()
            journal.keep(
                connection,
                self._library,
                who=who,
                act=JournalAct.READER_ERASED,
                patron_id="" if erasure.complete else asked["patron_id"],
                facts={name: number for name, number in erasure.removed.counts().items() if number},
            )
        return erasure

    def _erase(self, connection: Connection, asked: dict[str, Any], found: Traces) -> Erasure:
        asked |= {"loans": list(found.loans), "deliveries": list(found.deliveries)}
        left = self._cycles(connection, asked)
        in_files = connection.execute(sql.IN_FILES, asked).scalar_one()
        removed = Removed()
        for start in range(0, len(left.going), LOANS_IN_A_STATEMENT):
            some = left.going[start : start + LOANS_IN_A_STATEMENT]
            removed += remove_cycles(connection, self._library, some, today=asked["today"])
        unread = connection.execute(sql.UNREAD, asked).all()
        keep_rows(connection, self._library, unread)
        loose = len(unread) + sum(connection.execute(one, asked).rowcount for one in sql.REHEARSED)
        removed += Removed(others=loose)
        known = {one.why for one in left.stays}
        more = [one for one in self._of_reader(connection, asked) if one.why not in known]
        if known.intersection(GOES_LATER):
            more = [one for one in more if one.why is not W.RUN_UNDER_WAY]  # what is left is told of already
        stays = [*left.stays, *more]
        files = in_files - connection.execute(sql.IN_FILES, asked).scalar_one()
        if not any(one.why in GOES_LATER for one in stays):
            himself, kept = self._reader(connection, asked, found)
            removed, stays = removed + himself, [*stays, *kept]
        return Erasure(removed=removed, stays=(*stays, *_lasting(removed, files=files)))

    def _cycles(self, connection: Connection, asked: dict[str, Any]) -> _Left:
        going: list[LoanKey] = []
        kept: dict[StaysBecause, list[date | None]] = {}
        for row in connection.execute(sql.CYCLES, asked):
            if row.kept is None:
                going.append(LoanKey(loan_id=row.loan_id, due_date=row.due_date))
            else:
                kept.setdefault(W(row.kept), []).append(row.until)
        being_read = connection.execute(sql.BEING_READ, asked).scalar_one()
        if being_read:
            kept.setdefault(W.RUN_UNDER_WAY, []).extend([None] * being_read)
        stays = tuple(
            Stays(why=why, number=len(days), until=max((day for day in days if day is not None), default=None))
            for why, days in kept.items()
        )
        return _Left(going=going, stays=stays)

    def _of_reader(self, connection: Connection, asked: dict[str, Any]) -> Iterator[Stays]:
        """What keeps the reader himself, besides his loans; a dispute about a loan that is gone keeps nothing."""
        for why, statement in ((W.HOLD, sql.HOLDS), (W.DISPUTE, sql.DISPUTES)):
            row = connection.execute(statement, asked).one()
            if row.number:
                yield Stays(why=why, number=row.number, until=row.until)
        left = connection.execute(sql.LEFT, asked).scalar_one()
        if left:
            yield Stays(why=W.RUN_UNDER_WAY, number=left)

    def _reader(self, connection: Connection, asked: dict[str, Any], found: Traces) -> tuple[Removed, Sequence[Stays]]:
        """Remove the reader, of whom nothing is left to settle; what stays of him is a hash, or another reader's."""
        contacts = {
            **asked,
            "channels": [channel for channel, _ in found.contacts],
            "recipients": [recipient for _, recipient in found.contacts],
        }
        shared = {(row.channel, row.recipient) for row in connection.execute(sql.OTHERS_HAVE, contacts)}
        own = [one for one in found.contacts if one not in shared]
        alone_his = {
            **asked,
            "numbers": [recipient for channel, recipient in own if channel == "sms"],
            "emails": [recipient for channel, recipient in own if channel == "email"],
            "contacts": [recipient for _, recipient in own],
        }
        others = sum(connection.execute(statement, alone_his).rowcount for statement in sql.STRANGERS)
        refusing = forget_readers(connection, self._library, [asked["patron_id"]])
        refusing_sms = forget_choices(connection, self._library, [asked["patron_id"]])
        unsettled = connection.execute(sql.UNSETTLED, alone_his).scalar_one()
        connection.execute(sql.REMOVE, asked)
        listed = connection.execute(sql.LISTED, contacts).all()
        hashes = hidden(connection, self._library, found.contacts)
        places = {"channels": [channel for channel, _ in hashes.values()], "recipients": list(hashes)}
        hashed = connection.execute(sql.LISTED, {**asked, **places}).all() if hashes else []
        his = [row for row in listed if (row.channel, row.recipient) not in shared]
        if his:
            connection.execute(sql.HIDES, asked)
            hide_lines(connection, self._library, his)
        removed = Removed(readers=1, contacts=len(his), others=others)
        stays = (
            Stays(why=W.STOP_HASH, number=len(his) + len(hashed)),
            Stays(why=W.SHARED_CONTACT, number=len(listed) - len(his)),
            Stays(why=W.OBJECTION_HASH, number=refusing),
            Stays(why=W.SMS_NO_HASH, number=refusing_sms),
            Stays(why=W.UNSETTLED_ANSWER, number=unsettled),
        )
        return removed, tuple(one for one in stays if one.number)


def _lasting(removed: Removed, *, files: int) -> Iterator[Stays]:
    """What always stays of what goes."""
    if files > 0:
        yield Stays(why=W.PRINTED_FILE, number=files)
    if removed.loans:
        yield Stays(why=W.CYCLE_HASH, number=removed.loans)
    yield from (Stays(why=why) for why in (W.COUNTERS, W.JOURNAL, W.BACKUPS))
