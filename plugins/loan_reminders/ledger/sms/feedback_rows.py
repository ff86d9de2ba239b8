"""Receipts, replies and entries of the blacklist as the values of a row, cut to what a column and its index hold."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from loan_reminders.domain.desk import AsideKind
from loan_reminders.domain.sms.feedback import BlacklistEntry, SmsAck, SmsReply
from loan_reminders.domain.sms.stop_words import is_stop
from loan_reminders.domain.suppressions.suppression import SuppressionReason, SuppressionSource
from loan_reminders.french.desk import receipt_words
from loan_reminders.ledger import put_aside
from loan_reminders.ledger.json_codecs import LONGEST_ID, storable
from loan_reminders.ledger.suppressions.suppression_list import Entry

RAW_LIMIT = 2_000
"""The most characters that are kept of an answer's raw text, of a comment and of a reply."""


def _fingerprint(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else moment.isoformat()


def _number(number: str) -> str:
    """A phone number fit for an index; what is longer than any number is none."""
    return number if len(number := storable(number)) <= put_aside.LONGEST_NUMBER else ""


def _id(said: str) -> str:
    return storable(said)[:LONGEST_ID]


def encoded_ack(ack: SmsAck) -> dict[str, Any]:
    """A receipt as JSON values, each fit for its column."""
    return {
        "fingerprint": _fingerprint(*_identity(ack)),
        "phone_number": _number(ack.phone_number),
        "status": ack.status.value,
        "comment": storable(ack.comment)[:RAW_LIMIT],
        "received_at": _moment(ack.received_at) or None,
        "sms_id": _id(ack.sms_id),
        "campaign_id": _id(ack.campaign_id),
        "raw": storable(ack.raw)[:RAW_LIMIT],
    }


def _identity(ack: SmsAck) -> tuple[str, ...]:
    return ack.phone_number, ack.status.value, ack.comment, _moment(ack.received_at), ack.sms_id, ack.campaign_id


def encoded_reply(reply: SmsReply) -> dict[str, Any]:
    """A reply as JSON values, each fit for its column; all but the STOP of a number is for a person to read."""
    reply_id = storable(reply.reply_id)
    if not reply_id or len(reply_id) > LONGEST_ID:
        content = (reply.phone_number, reply.text, _moment(reply.received_at), reply.campaign_id)
        reply_id = f"content {_fingerprint(*content)}"
    number, text = _number(reply.phone_number), storable(reply.text)[:RAW_LIMIT]
    return {
        "reply_id": reply_id,
        "phone_number": number,
        "text": text,
        "to_read": not (number and is_stop(text)),
        "received_at": _moment(reply.received_at) or None,
        "campaign_id": _id(reply.campaign_id),
        "raw": storable(reply.raw)[:RAW_LIMIT],
    }


def listed_entry(entry: BlacklistEntry) -> Entry:
    """A number of the blacklist, as an entry of our own list."""
    return Entry(
        recipient=entry.phone_number,
        reason=SuppressionReason.BLACKLIST,
        source=SuppressionSource.PROVIDER,
        since=entry.received_at,
        detail=entry.comment[:RAW_LIMIT],
    )


def aside_ack(ack: SmsAck) -> put_aside.Row:
    """A receipt to put aside."""
    identity = put_aside.identity(*_identity(ack))
    return put_aside.Row(kind=AsideKind.RECEIPT, identity=identity, about=ack.phone_number, said=receipt_words(ack))


def aside_reply(reply: SmsReply) -> put_aside.Row:
    """A reply to put aside."""
    identity = put_aside.identity(reply.reply_id, reply.phone_number, reply.text, reply.campaign_id)
    return put_aside.Row(kind=AsideKind.REPLY, identity=identity, about=reply.phone_number, said=reply.text)


def aside_entry(entry: BlacklistEntry) -> put_aside.Row:
    """A number of the blacklist to put aside."""
    identity = put_aside.identity(entry.phone_number, entry.comment)
    return put_aside.Row(kind=AsideKind.BLACKLIST, identity=identity, about=entry.phone_number, said=entry.comment)
