"""Receipts, replies and the blacklist of the SMS provider: kept as they came, then settled.

To settle a receipt is to move its SMS to another state; to settle a reply is to see whether it is a STOP: any other is
for a person to read (`replies`). Keeping and settling are two transactions: what was kept is never lost, and what could
not be settled waits for the next pass. One process settles at a time in a library.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, text

from loan_reminders.domain.desk import AsideKind
from loan_reminders.domain.ports.sms_feedback import LastSms, Settled
from loan_reminders.domain.recipients import MobileNumber
from loan_reminders.domain.sms.feedback import BlacklistEntry, SmsAck, SmsReply
from loan_reminders.domain.sms.stop_words import is_stop
from loan_reminders.domain.suppressions.suppression import (
    Suppression,
    SuppressionReason,
    SuppressionSource,
    SuppressionSummary,
)
from loan_reminders.french.desk import LOST_BECAUSE, LOST_REPLIES
from loan_reminders.ledger.put_aside import Row, each_alone, identity
from loan_reminders.ledger.put_aside import put_aside as put_rows_aside
from loan_reminders.ledger.sms import feedback_rows, settling
from loan_reminders.ledger.sms.replies import last_sms
from loan_reminders.ledger.statistics.counting import count_again
from loan_reminders.ledger.suppressions import shown_list
from loan_reminders.ledger.suppressions import suppression_list as suppressions
from loan_reminders.ledger.suppressions.suppression_list import Entry
from loan_reminders.ledger.tables.columns import dated

PAGE = 500
# Rows go in by the order of their key: two processes that keep the same ones wait for each other, never crosswise. A
# reply that is pushed may have another id than where it is asked for: number, words and moment say it is the same.
_KEEP_ACKS = text(f"""
    INSERT INTO sms_acks (
        library, fingerprint, phone_number, status, comment, received_at, misdated, sms_id, campaign_id, raw
    )
    SELECT DISTINCT ON (fingerprint)
        :library, fingerprint, phone_number, status, comment, {dated("received_at")},
        received_at IS NOT NULL AND {dated("received_at")} IS NULL, sms_id, campaign_id, raw
    FROM json_to_recordset(CAST(:came AS json)) AS came(
        fingerprint text, phone_number text, status text, comment text, received_at timestamptz, sms_id text,
        campaign_id text, raw text
    )
    ORDER BY fingerprint
    ON CONFLICT (library, fingerprint) DO NOTHING
    RETURNING ack_id
""")  # noqa: S608 - the pieces are this module's own
_KEEP_REPLIES = text(f"""
    INSERT INTO sms_replies (library, reply_id, phone_number, text, received_at, campaign_id, raw, to_read)
    SELECT DISTINCT ON (reply_id)
        :library, reply_id, phone_number, text, {dated("received_at")}, campaign_id, raw, to_read
    FROM json_to_recordset(CAST(:came AS json)) AS came(
        reply_id text, phone_number text, text text, received_at timestamptz, campaign_id text, raw text,
        to_read boolean
    )
    WHERE came.phone_number = '' OR NOT EXISTS (
        SELECT FROM sms_replies kept
        WHERE kept.library = :library AND left(kept.phone_number, 40) = came.phone_number AND kept.text = came.text
          AND kept.received_at = came.received_at OFFSET 0
    )
    ORDER BY reply_id
    ON CONFLICT (library, reply_id) DO NOTHING
    RETURNING reply_number
""")  # noqa: S608 - the pieces are this module's own
_REPLIES_WAITING = text("""
    SELECT reply_number FROM sms_replies WHERE library = :library AND settled_at IS NULL
    ORDER BY reply_number LIMIT :page
""")
_REPLIES = text(f"""
    SELECT reply_number, phone_number, text, coalesce({dated("received_at", "at")}, at) AS since FROM sms_replies
    WHERE library = :library AND settled_at IS NULL AND reply_number = ANY(CAST(:numbers AS bigint[]))
    ORDER BY reply_number
""")  # noqa: S608 - the pieces are this module's own
_REPLY = text("SELECT phone_number, text FROM sms_replies WHERE reply_number = :number")
_REPLIES_SETTLED = text("UPDATE sms_replies SET settled_at = now() WHERE reply_number = ANY(:numbers)")
# A month before, so that a run begun long ago and taken up again is not forgotten; runs are few, deliveries many.
_CAMPAIGNS = text("""
    SELECT DISTINCT delivery.campaign_id
    FROM runs JOIN deliveries delivery USING (run_id)
    WHERE runs.library = :library AND runs.started_at >= CAST(:since AS timestamptz) - interval '30 days'
      AND delivery.channel = 'sms' AND delivery.campaign_id <> '' AND delivery.claimed_at >= :since
      AND (:ended OR delivery.state IN ('accepted', 'in_doubt'))
    ORDER BY delivery.campaign_id
""")


class PostgresSmsFeedback:
    """The part of one library's ledger where the provider's answers are kept. Fulfils `SmsFeedback`."""

    def __init__(self, transaction: Callable[[], AbstractContextManager[Connection]], *, library: str) -> None:
        self._transaction = transaction
        self._library = library
        self._aside = 0

    def campaigns_to_ask(self, since: datetime) -> Sequence[str]:
        """The provider's campaigns with an SMS attempted since, whose end is not known yet."""
        return self._campaigns(since, ended=False)

    def campaigns_since(self, since: datetime) -> Sequence[str]:
        """All the provider's campaigns with an SMS attempted since."""
        return self._campaigns(since, ended=True)

    def _campaigns(self, since: datetime, *, ended: bool) -> Sequence[str]:
        with self._transaction() as connection:
            asked = {"library": self._library, "since": since, "ended": ended}
            return tuple(connection.execute(_CAMPAIGNS, asked).scalars())

    def tell_lost_replies(self, day: date) -> None:
        """Tell the desk, once a day, that replies of readers may be lost."""
        row = Row(kind=AsideKind.REPLY, identity=identity("lost", day), about="", said=LOST_REPLIES)
        self._put_aside([(row, LOST_BECAUSE)])

    def keep_acks(self, acks: Sequence[SmsAck]) -> int:
        """Keep receipts, each once; returns how many are new. One that the ledger cannot hold is put aside."""
        return self._keep(_KEEP_ACKS, [(feedback_rows.encoded_ack(ack), feedback_rows.aside_ack(ack)) for ack in acks])

    def keep_replies(self, replies: Sequence[SmsReply]) -> int:
        """Keep replies, each once by its id or by what it says and when; returns how many are new."""
        return self._keep(
            _KEEP_REPLIES, [(feedback_rows.encoded_reply(reply), feedback_rows.aside_reply(reply)) for reply in replies]
        )

    def last_sms(self, replies: Sequence[SmsReply]) -> Sequence[LastSms | None]:
        """For each reply the last SMS that this library sent to its number, None when it knows of none."""
        with self._transaction() as connection:
            return last_sms(connection, self._library, replies)

    def _keep(self, statement: Any, came: Sequence[tuple[dict[str, Any], Row]]) -> int:
        def keep(some: Sequence[tuple[dict[str, Any], Row]]) -> int:
            values = json.dumps([encoded for encoded, _ in some])
            with self._transaction() as connection:
                return len(connection.execute(statement, {"library": self._library, "came": values}).all())

        kept, refused = each_alone(keep, came)
        self._put_aside([(row, why) for (_, row), why in refused])
        return sum(kept)

    def _put_aside(self, refused: Sequence[tuple[Row, str]], then: Callable[[Connection], Any] | None = None) -> None:
        self._aside += put_rows_aside(self._transaction, self._library, refused, then=then)

    def put_aside(self) -> int:
        """How many rows were put aside since this was last asked."""
        aside, self._aside = self._aside, 0
        return aside

    def settle(self, *, failures: int, again: bool = False) -> Settled:
        """Settle what was kept, page by page, each page a transaction; `again` takes up the unknown of the last day.

        A row that cannot be settled is put aside, and the others of its page are settled without it.
        """
        if again:
            with self._transaction() as connection:
                suppressions.lock(connection, self._library)
                settling.reopen_unknown(connection, self._library)
        total = self._settle_replies()
        while True:
            with self._transaction() as connection:
                waiting = settling.acks_waiting(connection, self._library, page=PAGE)
            done, refused = each_alone(partial(self._settle_acks, failures), waiting)
            for ack_id, why in refused:
                self._settle_aside(settling.aside_ack, ack_id, why)
            total = sum(done, total)
            if len(waiting) < PAGE:
                break
        if again:
            with self._transaction() as connection:
                suppressions.lock(connection, self._library)
                lately = settling.refused_lately(connection, self._library)
                dead = suppressions.add_dead_numbers(connection, self._library, lately, failures=failures)
            total += Settled(dead_numbers=dead)
        return total

    def _settle_acks(self, failures: int, acks: Sequence[int]) -> Settled:
        with self._transaction() as connection:
            suppressions.lock(connection, self._library)
            settled, refused, runs = settling.settle_acks(connection, self._library, acks)
            dead = suppressions.add_dead_numbers(connection, self._library, refused, failures=failures)
            count_again(connection, self._library, runs)
        return settled + Settled(dead_numbers=dead)

    def _settle_replies(self) -> Settled:
        total = Settled()
        while True:
            with self._transaction() as connection:
                asked = {"library": self._library, "page": PAGE}
                waiting = connection.execute(_REPLIES_WAITING, asked).scalars().all()
            done, refused = each_alone(self._settle_some_replies, waiting)
            for number, why in refused:
                self._settle_aside(_aside_kept_reply, number, why)
            total = sum(done, total)
            if len(waiting) < PAGE:
                return total

    def _settle_some_replies(self, numbers: Sequence[int]) -> Settled:
        with self._transaction() as connection:
            suppressions.lock(connection, self._library)
            rows = connection.execute(_REPLIES, {"library": self._library, "numbers": list(numbers)}).all()
            stops = [
                Entry(
                    recipient=row.phone_number,
                    reason=SuppressionReason.STOP,
                    source=SuppressionSource.REPLY,
                    since=row.since,
                )
                for row in rows
                if row.phone_number and is_stop(row.text)
            ]
            joined = suppressions.add(connection, self._library, stops)
            connection.execute(_REPLIES_SETTLED, {"numbers": [row.reply_number for row in rows]})
        return Settled(replies=len(rows), stops=joined)

    def _settle_aside(
        self, read: Callable[[Connection, int], tuple[Row, Callable[[Connection], Any]]], row: int, why: str
    ) -> None:
        with self._transaction() as connection:
            aside, settled = read(connection, row)
        self._put_aside([(aside, why)], settled)

    def keep_blacklist(self, entries: Sequence[BlacklistEntry]) -> int:
        """Put the provider's blacklist on the list; how many are new. What the list cannot hold is put aside."""

        def join(some: Sequence[BlacklistEntry]) -> int:
            with self._transaction() as connection:
                suppressions.lock(connection, self._library)
                return suppressions.add(connection, self._library, map(feedback_rows.listed_entry, some))

        joined, refused = each_alone(join, entries)
        self._put_aside([(feedback_rows.aside_entry(entry), why) for entry, why in refused])
        return sum(joined)

    def summary(self) -> SuppressionSummary:
        """How many are on the list, and whether anything is still paid for them."""
        with self._transaction() as connection:
            return shown_list.summary(connection, self._library)

    def suppressions(
        self,
        *,
        recipient: str = "",
        limit: int = 500,
        offset: int = 0,
        reason: SuppressionReason | None = None,
        in_force: bool | None = None,
        oldest_first: bool = False,
    ) -> Sequence[Suppression]:
        """The list with its history, or the lines asked for: those in force first, then the newest or the oldest."""
        with self._transaction() as connection:
            return shown_list.listed(
                connection,
                self._library,
                recipient=recipient,
                limit=limit,
                offset=offset,
                reason=reason,
                in_force=in_force,
                oldest_first=oldest_first,
            )

    def suppress(self, number: MobileNumber, *, who: str, until: datetime | None = None, detail: str = "") -> bool:
        """A librarian puts a number on the list; False when it is there already."""
        entry = Entry(
            recipient=number.value,
            reason=SuppressionReason.BY_LIBRARIAN,
            source=SuppressionSource.LIBRARIAN,
            until=until,
            detail=" : ".join(filter(None, (who, detail)))[: feedback_rows.RAW_LIMIT],
        )
        with self._transaction() as connection:
            suppressions.lock(connection, self._library)
            added = bool(suppressions.add(connection, self._library, [entry]))
            if added:
                suppressions.note_added(connection, self._library, number, who=who, until=until, detail=detail)
            return added

    def lift(self, suppression_id: int, *, who: str, why: str = "") -> bool:
        """A librarian ends one line of the list, for a reason; False when it was not in force."""
        with self._transaction() as connection:
            suppressions.lock(connection, self._library)
            return suppressions.lift(connection, self._library, suppression_id, who=who, why=why)


def _aside_kept_reply(connection: Connection, number: int) -> tuple[Row, Callable[[Connection], Any]]:
    row = connection.execute(_REPLY, {"number": number}).one()
    aside = Row(kind=AsideKind.REPLY, identity=identity("kept", number), about=row.phone_number, said=row.text)
    return aside, lambda later: later.execute(_REPLIES_SETTLED, {"numbers": [number]})
