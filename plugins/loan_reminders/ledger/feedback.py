"""What comes back from the SMS provider: kept as it came, then made of it what it means.

Keeping and settling are two transactions: what was kept is never lost, and what could not be settled waits for the
next pass. One process settles at a time in a library.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from loan_reminders.domain.feedback_ports import Settled
from loan_reminders.domain.recipients import MobileNumber
from loan_reminders.domain.sms_feedback import BlacklistEntry, SmsAck, SmsReply
from loan_reminders.domain.stop_words import is_stop
from loan_reminders.domain.suppressions import Suppression, SuppressionReason, SuppressionSource, SuppressionSummary
from loan_reminders.ledger import settling, suppressions
from loan_reminders.ledger.records import storable
from loan_reminders.ledger.suppressions import Entry

PAGE = 500
RAW_LIMIT = 2_000
"""The most characters that are kept of an answer's raw text, of a comment and of a reply."""

# Rows go in by the order of their key: two processes that keep the same ones wait for each other, never crosswise.
_KEEP_ACKS = text("""
    INSERT INTO sms_acks (library, fingerprint, phone_number, status, comment, received_at, sms_id, campaign_id, raw)
    SELECT DISTINCT ON (fingerprint)
        :library, fingerprint, phone_number, status, comment, received_at, sms_id, campaign_id, raw
    FROM json_to_recordset(CAST(:came AS json)) AS came(
        fingerprint text, phone_number text, status text, comment text, received_at timestamptz, sms_id text,
        campaign_id text, raw text
    )
    ORDER BY fingerprint
    ON CONFLICT (library, fingerprint) DO NOTHING
    RETURNING ack_id
""")
_KEEP_REPLIES = text("""
    INSERT INTO sms_replies (library, reply_id, phone_number, text, received_at, campaign_id, raw)
    SELECT DISTINCT ON (reply_id) :library, reply_id, phone_number, text, received_at, campaign_id, raw
    FROM json_to_recordset(CAST(:came AS json)) AS came(
        reply_id text, phone_number text, text text, received_at timestamptz, campaign_id text, raw text
    )
    ORDER BY reply_id
    ON CONFLICT (library, reply_id) DO NOTHING
    RETURNING reply_number
""")
_REPLIES = text("""
    SELECT reply_number, phone_number, text, coalesce(received_at, at) AS since FROM sms_replies
    WHERE library = :library AND settled_at IS NULL
    ORDER BY reply_number LIMIT :page
""")
_REPLIES_SETTLED = text("UPDATE sms_replies SET settled_at = now() WHERE reply_number = ANY(:numbers)")
# A month before, so that a run begun long ago and taken up again is not forgotten; runs are few, deliveries many.
_CAMPAIGNS = text("""
    SELECT DISTINCT delivery.campaign_id
    FROM runs JOIN deliveries delivery USING (run_id)
    WHERE runs.library = :library AND runs.started_at >= CAST(:since AS timestamptz) - interval '30 days'
      AND delivery.channel = 'sms' AND delivery.state IN ('accepted', 'in_doubt') AND delivery.campaign_id <> ''
      AND delivery.claimed_at >= :since
    ORDER BY delivery.campaign_id
""")


class PostgresFeedback:
    """The part of one library's ledger where the provider's answers are kept. Fulfils `SmsFeedback`."""

    def __init__(self, transaction: Callable[[], AbstractContextManager[Connection]], *, library: str) -> None:
        self._transaction = transaction
        self._library = library

    def campaigns_to_ask(self, since: datetime) -> Sequence[str]:
        """The provider's campaigns with an SMS attempted since, whose end is not known yet."""
        with self._transaction() as connection:
            asked = {"library": self._library, "since": since}
            return tuple(connection.execute(_CAMPAIGNS, asked).scalars())

    def keep_acks(self, acks: Sequence[SmsAck]) -> int:
        """Keep receipts, each once; returns how many are new."""
        return self._keep(_KEEP_ACKS, [_encoded_ack(ack) for ack in acks])

    def keep_replies(self, replies: Sequence[SmsReply]) -> int:
        """Keep replies, each once; returns how many are new. One without an id is known by its whole content."""
        return self._keep(_KEEP_REPLIES, [_encoded_reply(reply) for reply in replies])

    def _keep(self, statement: Any, came: list[dict[str, Any]]) -> int:
        if not came:
            return 0
        with self._transaction() as connection:
            return len(connection.execute(statement, {"library": self._library, "came": json.dumps(came)}).all())

    def settle(self, *, failures: int, again: bool = False) -> Settled:
        """Settle what was kept, page by page, each page a transaction; `again` takes up the unknown of the last day."""
        if again:
            with self._transaction() as connection:
                suppressions.hold(connection, self._library)
                settling.reopen_unknown(connection, self._library)
        total = self._settle_replies()
        while True:
            with self._transaction() as connection:
                suppressions.hold(connection, self._library)
                page, refused = settling.settle_acks(connection, self._library, page=PAGE)
                dead = suppressions.join_the_dead(connection, self._library, refused, failures=failures)
            total += page + Settled(dead_numbers=dead)
            if page.acks < PAGE:
                break
        if again:
            with self._transaction() as connection:
                suppressions.hold(connection, self._library)
                refused = settling.refused_lately(connection, self._library)
                dead = suppressions.join_the_dead(connection, self._library, refused, failures=failures)
            total += Settled(dead_numbers=dead)
        return total

    def _settle_replies(self) -> Settled:
        total = Settled()
        while True:
            with self._transaction() as connection:
                suppressions.hold(connection, self._library)
                rows = connection.execute(_REPLIES, {"library": self._library, "page": PAGE}).all()
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
                joined = suppressions.join(connection, self._library, stops)
                connection.execute(_REPLIES_SETTLED, {"numbers": [row.reply_number for row in rows]})
            total += Settled(replies=len(rows), stops=joined)
            if len(rows) < PAGE:
                return total

    def keep_blacklist(self, entries: Sequence[BlacklistEntry]) -> int:
        """Put the provider's blacklist on the list; returns how many numbers are new."""
        came = [
            Entry(
                recipient=entry.phone_number,
                reason=SuppressionReason.BLACKLIST,
                source=SuppressionSource.PROVIDER,
                since=entry.received_at,
                detail=entry.comment[:RAW_LIMIT],
            )
            for entry in entries
        ]
        with self._transaction() as connection:
            suppressions.hold(connection, self._library)
            return suppressions.join(connection, self._library, came)

    def summary(self) -> SuppressionSummary:
        """How many are on the list, and whether anything is still paid for them."""
        with self._transaction() as connection:
            return suppressions.summary(connection, self._library)

    def suppressions(self, *, recipient: str = "", limit: int = 500) -> Sequence[Suppression]:
        """The list with its history, or one recipient's lines: those in force first, then the newest first."""
        with self._transaction() as connection:
            return suppressions.listed(connection, self._library, recipient=recipient, limit=limit)

    def suppress(self, number: MobileNumber, *, who: str, until: datetime | None = None, detail: str = "") -> bool:
        """A librarian puts a number on the list; False when it is there already."""
        entry = Entry(
            recipient=number.value,
            reason=SuppressionReason.BY_LIBRARIAN,
            source=SuppressionSource.LIBRARIAN,
            until=until,
            detail=" : ".join(filter(None, (who, detail)))[:RAW_LIMIT],
        )
        with self._transaction() as connection:
            suppressions.hold(connection, self._library)
            return bool(suppressions.join(connection, self._library, [entry]))

    def lift(self, suppression_id: int, *, who: str) -> bool:
        """A librarian ends one line of the list; False when it was not in force."""
        with self._transaction() as connection:
            suppressions.hold(connection, self._library)
            return suppressions.lift(connection, self._library, suppression_id, who=who)


def _fingerprint(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else moment.isoformat()


def _encoded_ack(ack: SmsAck) -> dict[str, Any]:
    known_by = (ack.phone_number, ack.status.value, ack.comment, _moment(ack.received_at), ack.sms_id, ack.campaign_id)
    return {
        "fingerprint": _fingerprint(*known_by),
        "phone_number": storable(ack.phone_number),
        "status": ack.status.value,
        "comment": storable(ack.comment)[:RAW_LIMIT],
        "received_at": _moment(ack.received_at) or None,
        "sms_id": storable(ack.sms_id),
        "campaign_id": storable(ack.campaign_id),
        "raw": storable(ack.raw)[:RAW_LIMIT],
    }


def _encoded_reply(reply: SmsReply) -> dict[str, Any]:
    content = (reply.phone_number, reply.text, _moment(reply.received_at), reply.campaign_id)
    return {
        "reply_id": storable(reply.reply_id) or f"content {_fingerprint(*content)}",
        "phone_number": storable(reply.phone_number),
        "text": storable(reply.text)[:RAW_LIMIT],
        "received_at": _moment(reply.received_at) or None,
        "campaign_id": storable(reply.campaign_id),
        "raw": storable(reply.raw)[:RAW_LIMIT],
    }
