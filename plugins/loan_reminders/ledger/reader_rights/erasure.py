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

from sqlalchemy import Connection, text

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
from loan_reminders.ledger.reader_rights.everything import Traces, traces
from loan_reminders.ledger.removal.forgetting import forget_readers
from loan_reminders.ledger.removal.loans import DISPUTED, LOANS_IN_A_STATEMENT, remove_cycles
from loan_reminders.ledger.removal.readers import hide_lines
from loan_reminders.ledger.removal.removal import alone
from loan_reminders.ledger.retention.fingerprints import make_fingerprints
from loan_reminders.ledger.statistics.counting import freeze
from loan_reminders.ledger.suppressions.suppression_list import lock

W = StaysBecause
_READER = text("SELECT * FROM readers WHERE library = :library AND patron_id = :patron_id FOR UPDATE")
# Each cycle with what keeps it, the first of these that applies. A registered letter is proof until it came back.
_CYCLES = text(f"""
    SELECT ended.loan_id, ended.due_date, CASE
        WHEN dispute.until IS NOT NULL THEN 'dispute'
        WHEN ended.ended_on IS NULL THEN 'open_loan'
        WHEN EXISTS (
            SELECT FROM loans_seen seen JOIN runs run USING (run_id)
            WHERE seen.library = :library AND seen.loan_id = ended.loan_id AND seen.due_date = ended.due_date
              AND run.state <> 'closed' AND run.started_at > now() - interval '31 days' OFFSET 0
        ) THEN 'run_under_way'
        WHEN EXISTS (
            SELECT FROM delivery_loans claim JOIN letters letter USING (delivery_id)
            JOIN letter_batches batch ON batch.batch_id = letter.batch_id
            WHERE claim.delivery_id = ANY(CAST(:deliveries AS uuid[])) AND claim.loan_id = ended.loan_id
              AND claim.due_date = ended.due_date AND letter.left_out IS NULL
              AND batch.state IN ('draft', 'ready') OFFSET 0
        ) THEN 'letter_not_printed'
        WHEN EXISTS (
            SELECT FROM delivery_loans claim JOIN registered_letters letter USING (delivery_id)
            WHERE claim.delivery_id = ANY(CAST(:deliveries AS uuid[])) AND claim.loan_id = ended.loan_id
              AND claim.due_date = ended.due_date AND letter.state IN ('printed', 'numbered', 'posted') OFFSET 0
        ) THEN 'registered_under_way'
    END AS kept, dispute.until
    FROM loan_ends ended
    LEFT JOIN LATERAL (
        SELECT max(dispute.until) AS until FROM disputes dispute
        WHERE dispute.library = :library AND dispute.patron_id = :patron_id AND {DISPUTED}
          AND dispute.loan_id IN ('', ended.loan_id)
    ) AS dispute ON true
    WHERE ended.library = :library AND ended.loan_id = ANY(CAST(:loans AS text[])) AND NOT EXISTS (
        SELECT FROM loans_seen seen
        WHERE seen.library = :library AND seen.loan_id = ended.loan_id AND seen.due_date = ended.due_date
          AND seen.patron_id <> :patron_id OFFSET 0
    )
    ORDER BY ended.due_date, ended.loan_id
""")  # noqa: S608 - the condition is a module's own
# A loan that a run has read and not yet planned is in no cycle that is followed.
_BEING_READ = text("""
    SELECT count(*) FROM loans_seen seen JOIN runs run USING (run_id)
    WHERE seen.library = :library AND seen.loan_id = ANY(CAST(:loans AS text[])) AND seen.patron_id = :patron_id
      AND NOT run.dry_run AND run.state <> 'closed' AND run.started_at > now() - interval '31 days'
      AND NOT EXISTS (
          SELECT FROM loan_ends ended WHERE ended.library = :library AND ended.loan_id = seen.loan_id
            AND ended.due_date = seen.due_date OFFSET 0
      )
""")
_DISPUTES = text(f"""
    SELECT count(*) AS number, max(until) AS until FROM disputes dispute
    WHERE dispute.library = :library AND dispute.patron_id = :patron_id AND {DISPUTED}
""")  # noqa: S608 - the condition is a module's own
_HOLDS = text("""
    SELECT count(*) AS number, max(until) AS until FROM holds
    WHERE library = :library AND patron_id = :patron_id AND lifted_at IS NULL AND until >= CAST(:today AS date)
""")
_PRINTED = text("""
    SELECT count(DISTINCT letter.batch_id) FROM letters letter JOIN letter_batches batch USING (batch_id)
    WHERE letter.library = :library AND letter.delivery_id = ANY(CAST(:deliveries AS uuid[]))
""")
_STILL_PRINTED = text("""
    SELECT count(DISTINCT letter.batch_id) FROM letters letter
    WHERE letter.library = :library AND letter.delivery_id = ANY(CAST(:deliveries AS uuid[]))
""")
# What could not be read is of no cycle; it stays in the books of a run that goes on.
_UNREAD = text("""
        DELETE FROM skips skip USING runs run
        WHERE skip.library = :library AND skip.patron_id = :patron_id AND run.run_id = skip.run_id
          AND (run.dry_run OR run.state = 'closed' OR run.started_at <= now() - interval '31 days')
          AND (run.dry_run OR NOT EXISTS (
              SELECT FROM loan_ends ended WHERE ended.library = :library AND ended.loan_id = skip.loan_id
                AND (ended.due_date = skip.due_date OR skip.due_date IS NULL) OFFSET 0
          ))
          AND NOT EXISTS (
              SELECT FROM disputes dispute WHERE dispute.library = :library AND dispute.patron_id = :patron_id
                AND dispute.closed_at IS NULL AND dispute.until >= CAST(:today AS date)
                AND dispute.loan_id IN ('', skip.loan_id)
          )
        RETURNING skip.run_id
""")
_REHEARSED = (
    text("""
        DELETE FROM loans_seen seen USING runs run
        WHERE seen.library = :library AND seen.loan_id = ANY(CAST(:loans AS text[])) AND seen.patron_id = :patron_id
          AND run.run_id = seen.run_id AND (run.dry_run OR run.loans_extracted IS NULL
              AND run.started_at <= now() - interval '31 days')
    """),
    text("""
        DELETE FROM deliveries delivery USING notices notice, runs run
        WHERE notice.library = :library AND notice.patron_id = :patron_id AND delivery.notice_id = notice.notice_id
          AND run.run_id = notice.run_id AND run.dry_run
    """),
    text("""
        DELETE FROM notices notice USING runs run
        WHERE notice.library = :library AND notice.patron_id = :patron_id AND run.run_id = notice.run_id AND run.dry_run
          AND NOT EXISTS (SELECT FROM deliveries WHERE notice_id = notice.notice_id OFFSET 0)
    """),
)
# What came from the reader's own numbers and addresses, without a message: of several readers who share one, it may be
# another's.
_STRANGERS = (
    text("""
        DELETE FROM sms_replies WHERE library = :library AND phone_number = ANY(CAST(:numbers AS text[]))
          AND settled_at IS NOT NULL
    """),
    text("""
        DELETE FROM sms_acks WHERE library = :library AND phone_number = ANY(CAST(:numbers AS text[]))
          AND delivery_id IS NULL AND settled_at IS NOT NULL
    """),
    text("""
        DELETE FROM mail_bounces WHERE library = :library AND recipient = ANY(CAST(:emails AS text[]))
          AND delivery_id IS NULL AND settled_at IS NOT NULL
    """),
    text("DELETE FROM put_aside WHERE library = :library AND about = ANY(CAST(:contacts AS text[]))"),
)
_OTHERS_HAVE = text("""
    SELECT asked.channel, asked.recipient
    FROM unnest(CAST(:channels AS text[]), CAST(:recipients AS text[])) AS asked(channel, recipient)
    WHERE asked.channel = 'sms' AND EXISTS (
        SELECT FROM readers WHERE library = :library AND mobile = asked.recipient AND mobile <> ''
          AND patron_id <> :patron_id OFFSET 0
    ) OR asked.channel = 'email' AND EXISTS (
        SELECT FROM readers WHERE library = :library AND lower(email) = lower(asked.recipient)
          AND patron_id <> :patron_id OFFSET 0
    )
""")
_LISTED = text("""
    SELECT line.suppression_id, line.channel, line.recipient, line.lifted_at IS NULL AS in_force
    FROM unnest(CAST(:channels AS text[]), CAST(:recipients AS text[])) AS asked(channel, recipient)
    JOIN suppressions line ON line.library = :library AND line.channel = asked.channel
     AND line.recipient = asked.recipient
    ORDER BY line.suppression_id
""")
_HIDES = text("UPDATE retention_state SET hides_contacts = true WHERE library = :library AND NOT hides_contacts")
_REMOVE = text("DELETE FROM readers WHERE library = :library AND patron_id = :patron_id")


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
            row = connection.execute(_READER, asked).first()
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
        printed = connection.execute(_PRINTED, asked).scalar_one()
        removed = Removed()
        for start in range(0, len(left.going), LOANS_IN_A_STATEMENT):
            some = left.going[start : start + LOANS_IN_A_STATEMENT]
            removed += remove_cycles(connection, self._library, some, today=asked["today"])
        unread = connection.execute(_UNREAD, asked).scalars().all()
        freeze(connection, self._library, set(unread))
        loose = len(unread) + sum(connection.execute(one, asked).rowcount for one in _REHEARSED)
        removed += Removed(others=loose)
        known = {one.why for one in left.stays}
        stays = [*left.stays, *(one for one in self._of_reader(connection, asked) if one.why not in known)]
        files = printed - connection.execute(_STILL_PRINTED, asked).scalar_one()
        if not any(one.why in GOES_LATER for one in stays):
            more, kept = self._reader(connection, asked, found)
            removed, stays = removed + more, [*stays, *kept]
        return Erasure(removed=removed, stays=(*stays, *_lasting(removed, files=files)))

    def _cycles(self, connection: Connection, asked: dict[str, Any]) -> _Left:
        going: list[LoanKey] = []
        kept: dict[StaysBecause, list[date | None]] = {}
        for row in connection.execute(_CYCLES, asked):
            if row.kept is None:
                going.append(LoanKey(loan_id=row.loan_id, due_date=row.due_date))
            else:
                kept.setdefault(W(row.kept), []).append(row.until)
        being_read = connection.execute(_BEING_READ, asked).scalar_one()
        if being_read:
            kept.setdefault(W.RUN_UNDER_WAY, []).extend([None] * being_read)
        stays = tuple(
            Stays(why=why, number=len(days), until=max((day for day in days if day is not None), default=None))
            for why, days in kept.items()
        )
        return _Left(going=going, stays=stays)

    def _of_reader(self, connection: Connection, asked: dict[str, Any]) -> Iterator[Stays]:
        """What keeps the reader himself, besides his loans; a dispute about a loan that is gone keeps nothing."""
        for why, statement in ((W.HOLD, _HOLDS), (W.DISPUTE, _DISPUTES)):
            row = connection.execute(statement, asked).one()
            if row.number:
                yield Stays(why=why, number=row.number, until=row.until)

    def _reader(self, connection: Connection, asked: dict[str, Any], found: Traces) -> tuple[Removed, Sequence[Stays]]:
        """Remove the reader, of whom nothing is left to settle; what stays of him is a hash, or another reader's."""
        contacts = {
            **asked,
            "channels": [channel for channel, _ in found.contacts],
            "recipients": [recipient for _, recipient in found.contacts],
        }
        shared = {(row.channel, row.recipient) for row in connection.execute(_OTHERS_HAVE, contacts)}
        own = [one for one in found.contacts if one not in shared]
        alone_his = {
            **asked,
            "numbers": [recipient for channel, recipient in own if channel == "sms"],
            "emails": [recipient for channel, recipient in own if channel == "email"],
            "contacts": [recipient for _, recipient in own],
        }
        others = sum(connection.execute(statement, alone_his).rowcount for statement in _STRANGERS)
        refusing = forget_readers(connection, self._library, [asked["patron_id"]])
        connection.execute(_REMOVE, asked)
        listed = connection.execute(_LISTED, contacts).all()
        his = [row for row in listed if (row.channel, row.recipient) not in shared]
        if his:
            connection.execute(_HIDES, asked)
            hide_lines(connection, self._library, his)
        removed = Removed(readers=1, contacts=len(his), others=others)
        stays = (
            Stays(why=W.STOP_HASH, number=len(his)),
            Stays(why=W.SHARED_CONTACT, number=len(listed) - len(his)),
            Stays(why=W.OBJECTION_HASH, number=refusing),
        )
        return removed, tuple(one for one in stays if one.number)


def _lasting(removed: Removed, *, files: int) -> Iterator[Stays]:
    """What always stays of what goes."""
    if files > 0:
        yield Stays(why=W.PRINTED_FILE, number=files)
    if removed.loans:
        yield Stays(why=W.CYCLE_HASH, number=removed.loans)
    yield from (Stays(why=why) for why in (W.COUNTERS, W.JOURNAL, W.BACKUPS))
