"""The address of a letter that came back as undeliverable is put on the list of suppressions, or taken off it again."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from loan_reminders.domain.suppressions.suppression import SuppressionSource
from loan_reminders.ledger.json_codecs import decode_postal_address, storable
from loan_reminders.ledger.suppressions import suppression_list as suppressions
from loan_reminders.ledger.suppressions.dead_addresses import mark_dead
from loan_reminders.ledger.suppressions.failing_contacts import note_returned

# A return that was undone by mistake and is said again counts from now: the undoing lifted the line after it.
_UNDONE = text("""
    SELECT now() FROM letter_events
    WHERE library = :library AND delivery_id = :delivery_id AND act = 'undone'
      AND before->>'return_reason' = 'returned_undeliverable' LIMIT 1
""")
_REDIRECTED = text("SELECT redirected FROM deliveries WHERE delivery_id = :delivery_id")
_LINE = text("""
    SELECT suppression_id FROM suppressions
    WHERE library = :library AND channel = 'letter' AND recipient = :recipient AND lifted_at IS NULL
      AND (until IS NULL OR until > now())
""")
# Another letter that came back from there keeps the address on the list.
_STILL_BAD = text("""
    SELECT event.event_id
    FROM notices notice
    JOIN deliveries delivery USING (notice_id)
    JOIN letter_events event USING (delivery_id)
    LEFT JOIN registered_letters registered USING (delivery_id)
    WHERE notice.library = :library AND notice.patron_id = :patron_id AND event.act = 'returned'
      AND delivery.delivery_id <> :delivery_id
      AND CAST(event.after->>'suppression_id' AS bigint) = :suppression_id
      AND (delivery.channel = 'letter' OR registered.return_reason = 'returned_undeliverable')
    LIMIT 1
""")
_PATRON = text("""
    SELECT notice.patron_id FROM deliveries delivery JOIN notices notice USING (notice_id)
    WHERE delivery.delivery_id = :delivery_id
""")
_LIFT = text("""
    UPDATE suppressions SET lifted_at = now(), lifted_by = :who
    WHERE library = :library AND suppression_id = :suppression_id AND lifted_at IS NULL
""")


def suppress_address(connection: Connection, library: str, row: Row[Any], *, since: datetime) -> int | None:
    """Put the address of a letter that came back on the list; returns the id of its line there.

    None when it is not on the list: a librarian lifted it after the letter came back, or the letter is of a trial:
    the post never had it. `row` has the letter's `delivery_id`, `reference` and `recipient`.
    """
    if connection.execute(_REDIRECTED, {"delivery_id": row.delivery_id}).scalar_one():
        return None
    suppressions.lock(connection, library)
    undone = connection.execute(_UNDONE, {"library": library, "delivery_id": row.delivery_id}).scalar()
    mark_dead(
        connection,
        library,
        [decode_postal_address(row.recipient)],
        since=undone or since,
        source=SuppressionSource.LIBRARIAN,
        detail=f"lettre {row.reference} revenue NPAI",
    )
    line: int | None = connection.execute(_LINE, {"library": library, "recipient": row.recipient}).scalar()
    if line is not None:
        note_returned(connection, library, line, row.delivery_id)
    return line


def lift_address(connection: Connection, library: str, row: Row[Any], kept: Mapping[str, Any], *, who: str) -> None:
    """A return is undone: lift the line that it put on the list, or found there.

    The line stays when another letter came back from the same address. `kept` is what the trace kept of the return.
    """
    suppression_id = kept.get("suppression_id")
    if suppression_id is None:
        return
    suppressions.lock(connection, library)
    delivery_id: uuid.UUID = row.delivery_id
    patron_id = connection.execute(_PATRON, {"delivery_id": delivery_id}).scalar()
    asked = {"library": library, "delivery_id": delivery_id, "patron_id": patron_id, "suppression_id": suppression_id}
    if connection.execute(_STILL_BAD, asked).first() is None:
        connection.execute(_LIFT, {"library": library, "suppression_id": suppression_id, "who": storable(who)})
