"""Put dead addresses, from which everything comes back, on the list of suppressions.

An e-mail address is on the list as it is. A postal address is on it as the ledger writes it, with the reader's name in
its first line: another reader at that address is still written to, and so is this reader once the ILS has another
address.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, text

from loan_reminders.domain.recipients import EmailAddress, PostalAddress
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.suppressions.suppression import SuppressionReason, SuppressionSource
from loan_reminders.ledger.json_codecs import encode_recipient, storable
from loan_reminders.ledger.suppressions.failing_contacts import note_suppressed

_MAKE_ROOM = text("""
    UPDATE suppressions SET lifted_at = until, lifted_by = 'échéance'
    WHERE library = :library AND channel = :channel AND recipient = ANY(CAST(:recipients AS text[]))
      AND lifted_at IS NULL AND until <= now()
""")
# What a librarian lifted stays lifted when a message that came back before that is settled later; a line that only ran
# out does not protect the address.
_JOIN = text("""
    INSERT INTO suppressions (library, channel, recipient, reason, source, since, detail)
    SELECT DISTINCT :library, :channel, asked.recipient, :reason, :source, CAST(:since AS timestamptz), :detail
    FROM unnest(CAST(:recipients AS text[])) AS asked(recipient)
    WHERE NOT EXISTS (
        SELECT FROM suppressions lifted
        WHERE lifted.library = :library AND lifted.channel = :channel AND lifted.recipient = asked.recipient
          AND lifted.lifted_at >= CAST(:since AS timestamptz) AND lifted.lifted_by <> 'échéance'
    )
    ON CONFLICT (library, channel, recipient) WHERE lifted_at IS NULL DO NOTHING
    RETURNING recipient
""")
_CANCEL = text("""
    WITH cancelled AS (
        UPDATE deliveries SET state = 'cancelled', reason = 'dead_address', answered_at = now()
        WHERE library = :library AND channel = ANY(CAST(:channels AS text[])) AND state = 'planned'
          AND recipient = ANY(CAST(:recipients AS text[]))
        RETURNING delivery_id
    )
    INSERT INTO receipts (library, delivery_id, state, reason, applied)
    SELECT :library, delivery_id, 'cancelled', 'dead_address', true FROM cancelled
    RETURNING receipt_id
""")


def mark_dead(
    connection: Connection,
    library: str,
    addresses: Sequence[EmailAddress | PostalAddress],
    *,
    since: datetime,
    source: SuppressionSource,
    detail: str = "",
) -> int:
    """Write to these addresses no more; returns how many are newly on the list.

    `since` is when the message that came back left or came back; what waits for these addresses is cancelled, so that
    another channel may take its place. The caller holds the lock of the list (`suppression_list.lock`).
    """
    new = 0
    for kind, channel, reason, channels in (
        (EmailAddress, Channel.EMAIL, SuppressionReason.HARD_BOUNCE, [Channel.EMAIL]),
        (
            PostalAddress,
            Channel.LETTER,
            SuppressionReason.RETURNED_UNDELIVERABLE,
            [Channel.LETTER, Channel.REGISTERED_LETTER],
        ),
    ):
        recipients = [encode_recipient(address) for address in addresses if isinstance(address, kind)]
        if not recipients:
            continue
        asked = {
            "library": library,
            "channel": channel.value,
            "recipients": recipients,
            "reason": reason.value,
            "source": source.value,
            "since": since,
            "detail": storable(detail),
        }
        connection.execute(_MAKE_ROOM, asked)
        joined = list(connection.execute(_JOIN, asked).scalars())
        if joined:
            waiting = {"library": library, "channels": [one.value for one in channels], "recipients": joined}
            connection.execute(_CANCEL, waiting)
            note_suppressed(connection, library, channel, reason, joined)
        new += len(joined)
    return new
