"""A reader's last message sent once more: a small run of its own, which no day of a stage is measured by.

Its delivery claims no loan (`live` is false): the first message keeps its claims, so that nothing of a stage can be
told twice or be lost by it. It is written as in doubt before it leaves, and its answer settles that: whoever is killed
in between leaves it in doubt, and nobody sends what is in doubt here again.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from loan_reminders.domain.errors import LedgerRefusal, LedgerUnavailable
from loan_reminders.domain.journal import JournalAct
from loan_reminders.domain.messages import Receipt, SentWords
from loan_reminders.domain.notices import Delivery
from loan_reminders.domain.readers.resend import LastMessage, LastSent, ResendRefusal, ResendRefused
from loan_reminders.domain.recipients import EmailAddress, MobileNumber
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState, Reason
from loan_reminders.ledger import journal, sent_words
from loan_reminders.ledger.json_codecs import decode_loan, encode_receipt, encode_recipient, storable
from loan_reminders.ledger.readers.held import held
from loan_reminders.ledger.readers.wishes import PostgresWishes
from loan_reminders.ledger.runs.close import close_books
from loan_reminders.ledger.sms import costs as sms_costs
from loan_reminders.ledger.sms import credits as sms_credits
from loan_reminders.ledger.suppressions import suppression_list as suppressions
from loan_reminders.ledger.suppressions.numbers_reached import never_reached
from loan_reminders.ledger.suppressions.objections import refuses
from loan_reminders.ledger.tables.columns import STAGES_OF_LOANS

# Other notices are told once: what is sent again is a message about loans.
_OF_LOANS = f"delivery.stage IN ({STAGES_OF_LOANS})"
# What was cancelled never left. The newest attempt is the last message, however it ended.
_LAST = text(f"""
    SELECT delivery.delivery_id, delivery.stage, delivery.state, delivery.reason, delivery.claimed_at,
           notice.run_id, notice.due_date, reader.email, reader.mobile
    FROM notices notice
    JOIN deliveries delivery USING (notice_id)
    JOIN runs run ON run.run_id = delivery.run_id
    JOIN readers reader ON reader.library = notice.library AND reader.patron_id = notice.patron_id
    WHERE notice.library = :library AND notice.patron_id = :patron_id AND delivery.channel = :channel
      AND delivery.claimed_at IS NOT NULL AND delivery.state NOT IN ('planned', 'cancelled') AND NOT run.dry_run
      AND {_OF_LOANS}
    ORDER BY delivery.claimed_at DESC, delivery.delivery_id DESC LIMIT 1
""")  # noqa: S608 - the condition is this module's own
# Each loan as the ILS last described it in the cycle that the message told of.
_SEEN = """
    SELECT DISTINCT ON (seen.loan_id) seen.loan_id, seen.due_date, seen.patron_id, seen.record
    FROM delivery_loans claim
    JOIN loans_seen seen
      ON seen.library = :library AND seen.loan_id = claim.loan_id AND seen.due_date = claim.due_date
    JOIN runs run ON run.run_id = seen.run_id
    WHERE claim.delivery_id = :again AND claim.dropped IS NULL AND NOT run.dry_run
    ORDER BY seen.loan_id, seen.run_id DESC
"""
_LOANS = text(_SEEN)
# What a page says beside the buttons, for both channels at once; the click asks again, one by one and in full.
_LAST_OF_EACH = text(f"""
    SELECT last.*, ARRAY(
        SELECT claim.loan_id FROM delivery_loans claim
        WHERE claim.delivery_id = last.delivery_id AND claim.dropped IS NULL ORDER BY claim.loan_id
    ) AS loan_ids, EXISTS (
        SELECT FROM resends again WHERE again.library = :library AND again.patron_id = :patron_id
          AND again.channel = last.channel AND again.day = :today AND again.counts
    ) AS spent
    FROM (
        SELECT DISTINCT ON (delivery.channel) delivery.delivery_id, delivery.channel, delivery.stage, delivery.state,
               delivery.claimed_at, reader.email, reader.mobile
        FROM notices notice
        JOIN deliveries delivery USING (notice_id)
        JOIN runs run ON run.run_id = delivery.run_id
        JOIN readers reader ON reader.library = notice.library AND reader.patron_id = notice.patron_id
        WHERE notice.library = :library AND notice.patron_id = :patron_id AND delivery.channel IN ('email', 'sms')
          AND delivery.claimed_at IS NOT NULL AND delivery.state NOT IN ('planned', 'cancelled') AND NOT run.dry_run
          AND {_OF_LOANS}
        ORDER BY delivery.channel, delivery.claimed_at DESC, delivery.delivery_id DESC
    ) AS last
""")  # noqa: S608 - the condition is this module's own
_RESENT = text("""
    SELECT delivery_id FROM resends
    WHERE library = :library AND patron_id = :patron_id AND channel = :channel AND day = :day AND counts
""")
_TEXTING = text("SELECT pg_try_advisory_xact_lock(hashtextextended('reminders sms ' || :library, 0))")
_RUN = text("""
    INSERT INTO runs (library, stage, reference_date, due_date, today, dag_run_id, attempt, dry_run, kind, state,
        rows_read, loans_extracted, deliveries_planned, planned_at)
    VALUES (:library, :stage, :today, :due_date, :today, 'resend ' || CAST(:delivery_id AS text), 1, false, 'resend',
        'planned', :documents, :documents, 1, now())
    RETURNING run_id
""")
_COPY_LOANS = text(f"""
    INSERT INTO loans_seen (run_id, loan_id, due_date, library, patron_id, seq, record)
    SELECT :run_id, told.loan_id, told.due_date, :library, told.patron_id, row_number() OVER (), told.record
    FROM ({_SEEN}) AS told WHERE told.loan_id = ANY(CAST(:loan_ids AS text[]))
""")  # noqa: S608 - the query is this module's own
_NOTICE = text("""
    INSERT INTO notices (notice_id, library, run_id, stage, patron_id, due_date, language, loan_ids)
    VALUES (:notice_id, :library, :run_id, :stage, :patron_id, :due_date, :language, CAST(:loan_ids AS text[]))
""")
_DELIVERY = text("""
    INSERT INTO deliveries (delivery_id, library, run_id, notice_id, stage, channel, slot, recipient, state, reason,
        attempts, claimed_at, claimed_by, redirected, segments)
    VALUES (:delivery_id, :library, :run_id, :notice_id, :stage, :channel, :slot, :recipient, 'in_doubt',
        'interrupted', 1, now(), 'resend', :redirected, :segments)
""")
_TOLD = text("""
    INSERT INTO delivery_loans (delivery_id, loan_id, due_date, library, stage, slot, live)
    SELECT :delivery_id, loan_id, :due_date, :library, :stage, :slot, false
    FROM unnest(CAST(:loan_ids AS text[])) AS told(loan_id)
""")
_ONE_A_DAY = text("""
    INSERT INTO resends (delivery_id, library, run_id, resend_of, patron_id, channel, day, who)
    VALUES (:delivery_id, :library, :run_id, :again, :patron_id, :channel, :today, :who)
    ON CONFLICT (library, patron_id, channel, day) WHERE counts DO NOTHING RETURNING delivery_id
""")
_ANSWER = text("""
    WITH answered AS (
        UPDATE deliveries SET state = :state, reason = :reason, provider_id = :provider_id, campaign_id = :campaign_id,
            raw = :raw, segments = :segments, cost = :cost, answered_at = now()
        WHERE delivery_id = CAST(:delivery_id AS uuid) AND library = :library AND state = 'in_doubt'
        RETURNING delivery_id
    )
    INSERT INTO receipts (library, delivery_id, state, reason, provider_id, raw, applied)
    SELECT :library, CAST(:delivery_id AS uuid), :state, :reason, :provider_id, :raw, EXISTS (SELECT FROM answered)
    RETURNING applied
""")
_SETTLED = text("""
    UPDATE resends SET counts = counts AND NOT :cancelled WHERE delivery_id = :delivery_id AND library = :library
    RETURNING run_id, patron_id, who
""")


class PostgresResends(PostgresWishes):
    """The part of one library's ledger where messages sent once more are kept. Fulfils `Resends`."""

    def last(self, patron_id: str, channel: Channel) -> LastMessage | None:
        """The last message that left, or may have left, for a reader by a channel."""
        asked = {"library": self._library, "patron_id": storable(patron_id), "channel": channel.value}
        with self._transaction() as connection:
            row = connection.execute(_LAST, asked).first()
            if row is None:
                return None
            told = {"library": self._library, "again": row.delivery_id}
            loans = tuple(decode_loan(one.record) for one in connection.execute(_LOANS, told))
        return _last(row, channel, loans)

    def last_of_each(self, patron_id: str, *, today: date) -> Sequence[LastSent]:
        """The last e-mail and the last SMS of a reader, those that there are; the e-mail first."""
        asked = {"library": self._library, "patron_id": storable(patron_id), "today": today}
        with self._transaction() as connection:
            return tuple(map(_last_sent, connection.execute(_LAST_OF_EACH, asked)))

    def resent_on(self, patron_id: str, channel: Channel, day: date) -> bool:
        """Whether a message was sent once more to a reader by a channel on a day."""
        asked = {"library": self._library, "patron_id": storable(patron_id), "channel": channel.value, "day": day}
        with self._transaction() as connection:
            return connection.execute(_RESENT, asked).first() is not None

    def never_reached(self, number: str) -> bool:
        """Whether no SMS of the library has reached a number."""
        with self._transaction() as connection:
            return number in never_reached(connection, self._library, [number])

    def segments_since(self, since: datetime) -> int:
        """Segments of the SMS that left, or may have left, since a moment."""
        with self._transaction() as connection:
            return sms_costs.segments_since(connection, self._library, since)

    def keep_sms_credit(self, segments: int, *, at: datetime) -> None:
        """Keep how many segments the SMS account still pays for, as it was said at a moment."""
        with self._transaction() as connection:
            sms_credits.keep(connection, self._library, segments, at)

    @contextmanager
    def texting_alone(self) -> Iterator[None]:
        """Be the library's only sender of SMS, by a lock that ends with this block, however it ends."""
        with self._transaction() as connection:
            if not connection.execute(_TEXTING, {"library": self._library}).scalar_one():
                raise LedgerUnavailable(LedgerRefusal.ANOTHER_TASK_TEXTS)
            yield

    def begin(
        self,
        delivery: Delivery,
        *,
        again: LastMessage,
        words: SentWords,
        who: str,
        today: date,
        redirected: bool,
        segments: int = 0,
    ) -> None:
        """Keep that this message is about to leave, with its words; from here on it may have left."""
        notice = delivery.notice
        asked: dict[str, Any] = {
            "library": self._library,
            "delivery_id": delivery.delivery_id,
            "notice_id": notice.notice_id,
            "stage": notice.stage.value,
            "channel": delivery.channel.value,
            "slot": delivery.slot.value,
            "recipient": encode_recipient(delivery.recipient),
            "patron_id": notice.patron.patron_id,
            "language": notice.patron.language,
            "due_date": notice.due_date,
            "today": today,
            "documents": len(delivery.loans),
            "loan_ids": [loan.loan_id for loan in delivery.loans],
            "again": again.delivery_id,
            "who": storable(who),
            "redirected": redirected,
            "segments": segments,
        }
        with self._transaction() as connection:
            if suppressions.suppressed(connection, self._library, [delivery.recipient]):
                raise ResendRefused(ResendRefusal.SUPPRESSED, channel=delivery.channel)
            if refuses(connection, self._library, notice.patron.patron_id, delivery.channel):
                raise ResendRefused(ResendRefusal.OBJECTED, channel=delivery.channel)
            put_off = held(connection, self._library, [notice.patron.patron_id], today)
            if any(put_off.holds(loan) for loan in delivery.loans):
                raise ResendRefused(ResendRefusal.HELD)
            asked["run_id"] = connection.execute(_RUN, asked).scalar_one()
            for statement in (_COPY_LOANS, _NOTICE, _DELIVERY, _TOLD):
                connection.execute(statement, asked)
            if connection.execute(_ONE_A_DAY, asked).first() is None:
                raise ResendRefused(ResendRefusal.ALREADY_TODAY, channel=delivery.channel)
            sent_words.keep(connection, self._library, [words])
            self._journal(connection, asked, delivery.delivery_id, facts={"channel": delivery.channel.value})

    def end(self, receipt: Receipt) -> None:
        """Keep what became of it, and close its run; one that never left does not count as today's."""
        cancelled = receipt.state is DeliveryState.CANCELLED
        asked = {**encode_receipt(receipt), "library": self._library, "cancelled": cancelled}
        with self._transaction() as connection:
            connection.execute(_ANSWER, asked)
            row = connection.execute(_SETTLED, asked).one()
            if cancelled:
                line = {"run_id": row.run_id, "patron_id": row.patron_id, "who": row.who}
                self._journal(connection, line, receipt.delivery_id, facts={"not_sent": True})
            close_books(connection, row.run_id)

    def _journal(
        self, connection: Connection, line: dict[str, Any], delivery_id: uuid.UUID, *, facts: dict[str, object]
    ) -> None:
        journal.keep(
            connection,
            self._library,
            who=line["who"],
            act=JournalAct.MESSAGE_RESENT,
            patron_id=line["patron_id"],
            delivery_id=delivery_id,
            run_id=line["run_id"],
            facts=facts,
        )


def _recipient(row: Row[Any], channel: Channel) -> EmailAddress | MobileNumber | None:
    """Where the reader can be written to now by this channel."""
    if channel is Channel.EMAIL:
        return EmailAddress(value=row.email) if row.email else None
    return MobileNumber(value=row.mobile) if row.mobile else None


def _last_sent(row: Row[Any]) -> LastSent:
    return LastSent(
        channel=Channel(row.channel),
        stage=Stage(row.stage),
        state=DeliveryState(row.state),
        sent_at=row.claimed_at,
        loan_ids=frozenset(row.loan_ids),
        recipient=_recipient(row, Channel(row.channel)),
        resent_today=row.spent,
    )


def _last(row: Row[Any], channel: Channel, loans: tuple[Any, ...]) -> LastMessage:
    return LastMessage(
        delivery_id=row.delivery_id,
        run_id=row.run_id,
        stage=Stage(row.stage),
        channel=channel,
        state=DeliveryState(row.state),
        reason=None if row.reason is None else Reason(row.reason),
        due_date=row.due_date,
        sent_at=row.claimed_at,
        loans=loans,
        recipient=_recipient(row, channel),
    )
