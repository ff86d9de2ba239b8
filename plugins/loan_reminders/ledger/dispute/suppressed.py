"""The lines of the list of suppressions about some recipients, those of which only a keyed hash is kept too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Row

from loan_reminders.domain.dispute.loan_file import SuppressionRecord
from loan_reminders.domain.recipients import EmailAddress, MobileNumber, Recipient
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.suppressions.suppression import SuppressionReason, SuppressionSource
from loan_reminders.ledger.dispute.queries import SUPPRESSIONS
from loan_reminders.ledger.json_codecs import encode_recipient
from loan_reminders.ledger.retention.fingerprints import hidden


def suppressions_of(connection: Connection, library: str, recipients: Iterable[Recipient]) -> list[SuppressionRecord]:
    """Every line about these recipients, the oldest first."""
    named = {encode_recipient(one): one for one in recipients}
    hashes = hidden(connection, library, [(listed_as(one).value, text) for text, one in named.items()])
    known: Mapping[str, Recipient] = named | {hash_: named[text] for hash_, (_, text) in hashes.items()}
    rows = connection.execute(SUPPRESSIONS, {"library": library, "recipients": sorted(known)})
    return [_suppression(row, known[row.recipient]) for row in rows]


def listed_as(recipient: Recipient) -> Channel:
    """The channel under which the list has a recipient: one for all that goes by post."""
    if isinstance(recipient, EmailAddress):
        return Channel.EMAIL
    return Channel.SMS if isinstance(recipient, MobileNumber) else Channel.LETTER


def channel_listed_as(channel: Channel) -> Channel:
    """The channel under which the list has whoever a message went to by this one: one for all that goes by post."""
    return Channel.LETTER if channel is Channel.REGISTERED_LETTER else channel


def _suppression(row: Row[Any], recipient: Recipient) -> SuppressionRecord:
    return SuppressionRecord(
        channel=Channel(row.channel),
        recipient=recipient,
        reason=SuppressionReason(row.reason),
        source=SuppressionSource(row.source),
        since=row.since,
        until=row.until,
        detail=row.detail,
        lifted_at=row.lifted_at,
        lifted_by=row.lifted_by,
    )
