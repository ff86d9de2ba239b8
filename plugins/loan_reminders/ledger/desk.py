"""The desk page in the ledger: what a librarian has to do by hand, and what was done about it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from loan_reminders.domain.desk import (
    EVERYTHING,
    AsideKind,
    BadAddress,
    DeskAsked,
    DeskList,
    DeskWork,
    PutAside,
    ReplyToRead,
    StuckDelivery,
)
from loan_reminders.domain.errors import LetterStepRefused
from loan_reminders.domain.journal import JournalAct
from loan_reminders.domain.letters.batches import LetterAct, ReturnReason, ReturnRefusal
from loan_reminders.domain.ports.registered import StepTaken
from loan_reminders.domain.stages import Channel
from loan_reminders.ledger import journal, undelivered
from loan_reminders.ledger.json_codecs import decode_postal_address, storable
from loan_reminders.ledger.readers.reader_numbers import number_of
from loan_reminders.ledger.sms import replies
from loan_reminders.ledger.statistics.counting import count_runs_of
from loan_reminders.ledger.suppressions import returned_letters

# The newest run that could not reach a reader; a reader who was written to since, by any stage, is off the list. An SMS
# of that same run does not take the reader off: the e-mail or postal address is still to be corrected.
_NOT_REACHED = f"""
    WITH newest AS (
        SELECT DISTINCT ON (skip.patron_id) skip.*, run.stage, run.today, run.started_at
        FROM runs run JOIN skips skip USING (run_id)
        WHERE run.library = :library AND run.started_at >= :since AND NOT run.dry_run
          AND skip.reason IN ('invalid_recipient', 'no_recipient', 'dead_address')
          AND coalesce(skip.slot, 'written') = 'written'
        ORDER BY skip.patron_id, run.started_at DESC, skip.skip_id
    )
    SELECT newest.patron_id, newest.stage, newest.today, newest.reason, newest.detail,
           seen.record->'patron'->>'name' AS name, seen.record->'patron'->>'barcode' AS barcode,
           {number_of("newest.patron_id")}
    FROM newest
    LEFT JOIN loans_seen seen
      ON seen.run_id = newest.run_id AND seen.loan_id = newest.loan_id AND seen.due_date = newest.due_date
    WHERE NOT EXISTS (
        SELECT FROM notices notice JOIN deliveries delivery USING (notice_id)
        WHERE notice.library = :library AND notice.patron_id = newest.patron_id
          AND delivery.state IN ('accepted', 'delivered') AND NOT delivery.redirected
          AND delivery.answered_at > newest.started_at
          AND (delivery.run_id <> newest.run_id OR delivery.slot = 'written')
    ) AND (CAST(:stage AS text) IS NULL OR newest.stage = :stage)
    ORDER BY newest.started_at {{way}}, newest.skip_id {{way}} LIMIT :limit OFFSET :offset
"""  # noqa: S608 - the piece is this package's own
_BAD_ADDRESSES = """
    SELECT suppression_id, recipient, since, detail FROM suppressions
    WHERE library = :library AND channel = 'letter' AND reason = 'returned_undeliverable' AND lifted_at IS NULL
      AND (until IS NULL OR until > now())
    ORDER BY since {way}, suppression_id {way} LIMIT :limit OFFSET :offset
"""
_PUT_ASIDE = """
    SELECT put_aside_id, kind, about, said, why, at FROM put_aside
    WHERE library = :library AND at >= :since AND settled_at IS NULL
    ORDER BY at {way}, put_aside_id {way} LIMIT :limit OFFSET :offset
"""
_LISTS = {
    (name, oldest): text(query.format(way="ASC" if oldest else "DESC"))
    for name, query in (
        (DeskList.NOT_REACHED, _NOT_REACHED),
        (DeskList.BAD_ADDRESSES, _BAD_ADDRESSES),
        (DeskList.PUT_ASIDE, _PUT_ASIDE),
    )
    for oldest in (True, False)
}
_SETTLE_ASIDE = text("""
    UPDATE put_aside SET settled_at = now(), settled_by = :who
    WHERE library = :library AND put_aside_id = :put_aside_id AND settled_at IS NULL
    RETURNING kind
""")
_LETTER = text("""
    SELECT letter.delivery_id, letter.batch_id, letter.reference, letter.left_out, delivery.channel, delivery.recipient,
           batch.printed_at
    FROM letters letter
    JOIN deliveries delivery USING (delivery_id)
    JOIN letter_batches batch ON batch.batch_id = letter.batch_id
    WHERE letter.library = :library AND letter.reference = :reference
    FOR NO KEY UPDATE OF letter
""")
_CAME_BACK = text("""
    SELECT event_id FROM letter_events
    WHERE library = :library AND delivery_id = :delivery_id AND act = 'returned' LIMIT 1
""")
_KEEP = text("""
    INSERT INTO letter_events (library, batch_id, delivery_id, who, act, detail, after)
    VALUES (:library, :batch_id, :delivery_id, :who, :act, :detail, CAST(:after AS jsonb))
""")


class PostgresDesk:
    """The part of one library's ledger that the desk page shows. Fulfils `Desk`."""

    def __init__(self, transaction: Callable[[], AbstractContextManager[Connection]], *, library: str) -> None:
        self._transaction = transaction
        self._library = library

    def work(
        self,
        *,
        since: datetime,
        doubtful_before: datetime,
        limit: int = 500,
        sent_since: datetime | None = None,
        asked: DeskAsked = EVERYTHING,
    ) -> DeskWork:
        """The lists of the desk, of runs begun since a moment; a list that is cut has one line more than `limit`.

        `sent_since` is that moment for deliveries that did not arrive: they stay listed until somebody settles them, or
        their reader is told at this stage or a later one. What was attempted before `doubtful_before` is not going on
        any more. Addresses stay listed until they are lifted, replies until they are settled. `asked` says which lists,
        and which lines of them.
        """
        lines = {
            "library": self._library,
            "since": since,
            "doubtful_before": doubtful_before,
            "limit": limit + 1,
            "offset": asked.offset,
            "stage": asked.stage,
        }
        sent = {**lines, "since": sent_since or since}
        with self._transaction() as connection:

            def found(name: DeskList) -> Sequence[Row[Any]]:
                if asked.only not in (None, name):
                    return ()
                return connection.execute(_LISTS[name, asked.oldest_first], lines).all()

            def stuck(name: DeskList) -> Sequence[StuckDelivery]:
                if asked.only not in (None, name):
                    return ()
                return undelivered.stuck(connection, name, sent, oldest_first=asked.oldest_first)

            def answers() -> Sequence[ReplyToRead]:
                if asked.only not in (None, DeskList.REPLIES):
                    return ()
                return replies.to_read(connection, lines, oldest_first=asked.oldest_first)

            return DeskWork(
                not_reached=tuple(map(undelivered.read_not_reached, found(DeskList.NOT_REACHED))),
                bad_addresses=tuple(map(_bad_address, found(DeskList.BAD_ADDRESSES))),
                replies=answers(),
                put_aside=tuple(map(_put_aside, found(DeskList.PUT_ASIDE))),
                in_doubt=stuck(DeskList.IN_DOUBT),
                not_rendered=stuck(DeskList.NOT_RENDERED),
                not_arrived=stuck(DeskList.NOT_ARRIVED),
            )

    def settle(self, delivery_id: uuid.UUID, *, who: str) -> bool:
        """Keep that somebody saw to the reader of a delivery that did not arrive; False when there is nothing to do."""
        with self._transaction() as connection:
            return undelivered.settle(connection, self._library, delivery_id, who=who)

    def settle_aside(self, put_aside_id: int, *, who: str) -> bool:
        """Keep that somebody read what was put aside, and saw to it; False when it is unknown or was settled before."""
        asked = {"library": self._library, "put_aside_id": put_aside_id, "who": storable(who)}
        with self._transaction() as connection:
            row = connection.execute(_SETTLE_ASIDE, asked).first()
            if row is not None:
                facts = {"kind": row.kind, "put_aside": put_aside_id}
                journal.keep(connection, self._library, who=who, act=JournalAct.ASIDE_SETTLED, facts=facts)
            return row is not None

    def settle_reply(self, reply_number: int, *, who: str) -> bool:
        """Keep that somebody read a reader's answer, and saw to it; False when it is unknown or was settled before."""
        with self._transaction() as connection:
            return replies.settle(connection, self._library, reply_number, who=who)

    def phone_of_reply(self, reply_number: int) -> str:
        """The number that a reader's answer came from, as the ledger writes it; empty when it is not known."""
        with self._transaction() as connection:
            return replies.phone_of(connection, self._library, reply_number)

    def note_return(self, reference: str, *, since: datetime, who: str) -> StepTaken:
        """Keep that an ordinary letter came back as undeliverable: its address is written to no more."""
        with self._transaction() as connection:
            rows = connection.execute(_LETTER, {"library": self._library, "reference": reference}).all()
            if not rows:
                raise LetterStepRefused(ReturnRefusal.UNKNOWN_LETTER, reference=reference)
            if len(rows) > 1:
                raise LetterStepRefused(ReturnRefusal.AMBIGUOUS, reference=reference)
            row = rows[0]
            if row.channel == Channel.REGISTERED_LETTER.value:
                raise LetterStepRefused(ReturnRefusal.REGISTERED, reference=reference)
            if row.left_out is not None:
                raise LetterStepRefused(ReturnRefusal.LEFT_OUT, reference=reference)
            if row.printed_at is None:
                raise LetterStepRefused(ReturnRefusal.NOT_PRINTED, reference=reference)
            asked = {"library": self._library, "delivery_id": row.delivery_id}
            if connection.execute(_CAME_BACK, asked).first() is not None:
                return StepTaken(delivery_id=row.delivery_id, reference=reference, changed=False)
            line = returned_letters.suppress_address(connection, self._library, row, since=since)
            reason = ReturnReason.RETURNED_UNDELIVERABLE.value
            kept = {
                **asked,
                "batch_id": row.batch_id,
                "who": storable(who),
                "act": LetterAct.RETURNED.value,
                "detail": reason,
                "after": json.dumps({"return_reason": reason, "suppression_id": line}),
            }
            connection.execute(_KEEP, kept)
            count_runs_of(connection, self._library, [row.delivery_id])
            journal.keep(
                connection,
                self._library,
                who=who,
                act=JournalAct.LETTER_RETURNED,
                delivery_id=row.delivery_id,
                batch_id=row.batch_id,
                facts={"why": reason},
            )
            return StepTaken(
                delivery_id=row.delivery_id, reference=reference, changed=True, address_marked=line is not None
            )


def _bad_address(row: Row[Any]) -> BadAddress:
    address = decode_postal_address(row.recipient)
    return BadAddress(suppression_id=row.suppression_id, address=address, since=row.since, detail=row.detail)


def _put_aside(row: Row[Any]) -> PutAside:
    kind = AsideKind(row.kind)
    return PutAside(put_aside_id=row.put_aside_id, kind=kind, about=row.about, said=row.said, why=row.why, at=row.at)
