"""The list of suppressions, those who are not written to any more: add numbers, lift a line, look recipients up.

Every change of the list is made under the lock of the library's feedback, so that changes come one after the other.
What already waits for a recipient is cancelled in the transaction that puts the recipient on the list.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, text

from loan_reminders.domain.recipients import EmailAddress, MobileNumber, Recipient
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import SkipReason
from loan_reminders.domain.suppressions.suppression import (
    Suppression,
    SuppressionReason,
    SuppressionSource,
    SuppressionSummary,
)
from loan_reminders.ledger.json_codecs import encode_recipient, storable
from loan_reminders.ledger.tables.columns import dated

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('reminders feedback ' || :library, 0))")
_IN_FORCE = "suppression.lifted_at IS NULL AND (suppression.until IS NULL OR suppression.until > now())"
_TAKEN = "('claimed', 'accepted', 'delivered', 'bounced', 'in_doubt')"
_ENTRIES = f"""(
    SELECT recipient, reason, source, {dated("since")} AS since, until, detail
    FROM json_to_recordset(CAST(:entries AS json)) AS came(
        recipient text, reason text, source text, since timestamptz, until timestamptz, detail text
    )
) AS entry"""  # noqa: S608 - the piece is this project's own
# What a librarian lifted stays lifted, until the reader says STOP again: an older entry of the provider's list, or
# the same STOP received again, changes nothing.
_NOT_LIFTED_SINCE = text(f"""
    SELECT DISTINCT ON (entry.recipient) entry.recipient FROM {_ENTRIES}
    WHERE NOT EXISTS (
        SELECT FROM suppressions lifted
        WHERE lifted.library = :library AND lifted.channel = 'sms' AND lifted.recipient = entry.recipient
          AND lifted.lifted_at >= coalesce(entry.since, '-infinity')
          AND (lifted.reason = 'stop' AND entry.reason IN ('stop', 'blacklist')
               OR lifted.reason = 'blacklist' AND entry.reason = 'blacklist')
    )
""")  # noqa: S608 - the entries' columns are this module's own
_MAKE_ROOM = text("""
    UPDATE suppressions SET
        lifted_at = CASE WHEN until <= now() THEN until ELSE now() END,
        lifted_by = CASE WHEN until <= now() THEN 'échéance' ELSE 'remplacé' END
    WHERE library = :library AND channel = 'sms' AND recipient = ANY(CAST(:recipients AS text[])) AND lifted_at IS NULL
      AND (until <= now() OR reason = 'dead_number' AND :outranks)
""")
_JOIN = text(f"""
    INSERT INTO suppressions (library, channel, recipient, reason, source, since, until, detail)
    SELECT DISTINCT ON (entry.recipient)
        :library, 'sms', entry.recipient, entry.reason, entry.source, coalesce(entry.since, now()), entry.until,
        entry.detail
    FROM {_ENTRIES} WHERE entry.recipient = ANY(CAST(:recipients AS text[]))
    ORDER BY entry.recipient, entry.since
    ON CONFLICT (library, channel, recipient) WHERE lifted_at IS NULL DO NOTHING
    RETURNING recipient
""")  # noqa: S608 - the entries' columns are this module's own
_CANCEL = text(f"""
    WITH cancelled AS (
        UPDATE deliveries delivery SET
            state = 'cancelled', answered_at = now(),
            reason = CASE suppression.reason WHEN 'dead_number' THEN 'dead_number' ELSE 'opted_out' END
        FROM suppressions suppression
        WHERE delivery.library = :library AND delivery.channel = 'sms' AND delivery.state = 'planned'
          AND (CAST(:run_id AS bigint) IS NULL OR delivery.run_id = :run_id)
          AND (CAST(:recipients AS text[]) IS NULL OR delivery.recipient = ANY(CAST(:recipients AS text[])))
          AND suppression.library = delivery.library AND suppression.channel = delivery.channel
          AND suppression.recipient = delivery.recipient AND {_IN_FORCE}
        RETURNING delivery.delivery_id, delivery.reason
    )
    INSERT INTO receipts (library, delivery_id, state, reason, applied)
    SELECT :library, delivery_id, 'cancelled', reason, true FROM cancelled
    RETURNING receipt_id
""")  # noqa: S608 - the condition is this module's own
_SUPPRESSED = text(f"""
    SELECT suppression.channel, suppression.recipient, suppression.reason
    FROM unnest(CAST(:channels AS text[]), CAST(:recipients AS text[])) AS asked(channel, recipient)
    JOIN suppressions suppression ON suppression.library = :library
     AND suppression.channel = asked.channel AND suppression.recipient = asked.recipient
    WHERE {_IN_FORCE}
""")  # noqa: S608 - the condition is this module's own
# What the number refused before a librarian lifted it does not count.
_DEAD = text("""
    SELECT asked.recipient
    FROM unnest(CAST(:recipients AS text[])) AS asked(recipient)
    CROSS JOIN LATERAL (
        SELECT delivery.state FROM deliveries delivery
        WHERE delivery.library = :library AND delivery.channel = 'sms' AND delivery.recipient = asked.recipient
          AND delivery.claimed_at > coalesce(
              (SELECT max(lifted_at) FROM suppressions lifted WHERE lifted.library = :library
                  AND lifted.channel = 'sms' AND lifted.recipient = asked.recipient), '-infinity')
          AND (delivery.state = 'delivered'
               OR delivery.state = 'bounced' AND delivery.reason = 'recipient_refused'
               OR delivery.state = 'refused' AND delivery.reason = 'invalid_recipient')
        ORDER BY delivery.claimed_at DESC LIMIT :failures
    ) AS latest
    GROUP BY asked.recipient
    HAVING count(*) = :failures AND bool_and(latest.state <> 'delivered')
""")
# Those in force, then the others, each the newest first: an index holds either in that order.
_LIST = text(f"""
    SELECT suppression.*, (
        SELECT count(*) FROM deliveries delivery
        WHERE delivery.library = :library AND delivery.channel = 'sms' AND delivery.recipient = suppression.recipient
          AND delivery.claimed_at > suppression.since
          AND delivery.claimed_at < coalesce(suppression.lifted_at, 'infinity') AND delivery.state IN {_TAKEN}
    ) AS sms_since
    FROM (
        (SELECT suppression.*, true AS in_force FROM suppressions suppression
         WHERE suppression.library = :library AND {_IN_FORCE}
           AND (:recipient = '' OR suppression.recipient = :recipient)
         ORDER BY suppression.since DESC, suppression.suppression_id DESC LIMIT :limit)
        UNION ALL
        (SELECT suppression.*, false AS in_force FROM suppressions suppression
         WHERE suppression.library = :library AND NOT ({_IN_FORCE})
           AND (:recipient = '' OR suppression.recipient = :recipient)
         ORDER BY suppression.since DESC, suppression.suppression_id DESC LIMIT :limit)
    ) AS suppression
    ORDER BY in_force DESC, suppression.since DESC, suppression.suppression_id DESC
    LIMIT :limit
""")  # noqa: S608 - the conditions are this module's own
_SUMMARY = text(f"""
    SELECT suppression.reason, count(*) AS number, sum(texted.number) AS sms_since
    FROM suppressions suppression CROSS JOIN LATERAL (
        SELECT count(*) AS number FROM deliveries delivery
        WHERE delivery.library = :library AND delivery.channel = 'sms' AND delivery.recipient = suppression.recipient
          AND delivery.claimed_at > suppression.since AND delivery.state IN {_TAKEN}
    ) AS texted
    WHERE suppression.library = :library AND {_IN_FORCE}
    GROUP BY suppression.reason
""")  # noqa: S608 - the conditions are this module's own
_LIFT = text(f"""
    UPDATE suppressions suppression SET lifted_at = now(), lifted_by = :who
    WHERE suppression.library = :library AND suppression.suppression_id = :suppression_id AND {_IN_FORCE}
    RETURNING suppression.suppression_id
""")  # noqa: S608 - the condition is this module's own


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A mobile number to put on the list. `since` None: the day is not known."""

    recipient: str
    reason: SuppressionReason
    source: SuppressionSource
    since: datetime | None = None
    until: datetime | None = None
    detail: str = ""


def lock(connection: Connection, library: str) -> None:
    """Be the only one who changes the library's list and settles its feedback, until the transaction ends."""
    connection.execute(_LOCK, {"library": library})


def add(connection: Connection, library: str, entries: Iterable[Entry]) -> int:
    """Put numbers on the list, all for one reason, and cancel what waits for them; returns how many are new."""
    entries = list(entries)
    if not entries:
        return 0
    scope = {"library": library, "entries": json.dumps([_encoded(entry) for entry in entries])}
    fresh = list(connection.execute(_NOT_LIFTED_SINCE, scope).scalars())
    if not fresh:
        return 0
    outranks = entries[0].reason is not SuppressionReason.DEAD_NUMBER
    connection.execute(_MAKE_ROOM, {"library": library, "recipients": fresh, "outranks": outranks})
    joined = list(connection.execute(_JOIN, {**scope, "recipients": fresh}).scalars())
    if joined:
        connection.execute(_CANCEL, {"library": library, "run_id": None, "recipients": joined})
    return len(joined)


def _encoded(entry: Entry) -> dict[str, str | None]:
    return {
        "recipient": storable(entry.recipient),
        "reason": entry.reason.value,
        "source": entry.source.value,
        "since": None if entry.since is None else entry.since.isoformat(),
        "until": None if entry.until is None else entry.until.isoformat(),
        "detail": storable(entry.detail),
    }


def add_dead_numbers(connection: Connection, library: str, numbers: Sequence[str], *, failures: int) -> int:
    """Put those of these numbers on the list whose last `failures` SMS all failed for good."""
    if not numbers:
        return 0
    asked = {"library": library, "recipients": list(numbers), "failures": failures}
    detail = f"{failures} échecs définitifs de suite"
    return add(
        connection,
        library,
        (
            Entry(
                recipient=number,
                reason=SuppressionReason.DEAD_NUMBER,
                source=SuppressionSource.RECEIPTS,
                detail=detail,
            )
            for number in connection.execute(_DEAD, asked).scalars()
        ),
    )


def cancel_waiting(connection: Connection, library: str, run_id: int) -> int:
    """Cancel the SMS of a run that wait for numbers on the list; returns how many."""
    return len(connection.execute(_CANCEL, {"library": library, "run_id": run_id, "recipients": None}).all())


def suppressed(connection: Connection, library: str, recipients: Sequence[Recipient]) -> dict[Recipient, SkipReason]:
    """Those of these recipients that are on the list, and how a loan is skipped for each."""
    known: dict[tuple[str, str], Recipient] = {}
    for recipient in recipients:
        if isinstance(recipient, MobileNumber):
            known[Channel.SMS.value, recipient.value] = recipient
        elif isinstance(recipient, EmailAddress):
            known[Channel.EMAIL.value, recipient.value] = recipient
        else:
            known[Channel.LETTER.value, encode_recipient(recipient)] = recipient
    if not known:
        return {}
    channels, values = zip(*known, strict=True)
    asked = {"library": library, "channels": list(channels), "recipients": list(values)}
    return {
        known[row.channel, row.recipient]: SuppressionReason(row.reason).skip_reason
        for row in connection.execute(_SUPPRESSED, asked)
    }


def listed(connection: Connection, library: str, *, recipient: str, limit: int) -> Sequence[Suppression]:
    """The list with its history, or the lines of one recipient."""
    asked = {"library": library, "recipient": recipient, "limit": limit}
    return tuple(_suppression(row) for row in connection.execute(_LIST, asked))


def _suppression(row: Row[tuple[object, ...]]) -> Suppression:
    return Suppression(
        suppression_id=row.suppression_id,
        channel=Channel(row.channel),
        recipient=row.recipient,
        reason=SuppressionReason(row.reason),
        source=SuppressionSource(row.source),
        since=row.since,
        until=row.until,
        detail=row.detail,
        lifted_at=row.lifted_at,
        lifted_by=row.lifted_by,
        in_force=row.in_force,
        sms_since=row.sms_since,
    )


def summary(connection: Connection, library: str) -> SuppressionSummary:
    """How many are on the list by reason, and the SMS that went to them since they were."""
    rows = connection.execute(_SUMMARY, {"library": library}).all()
    return SuppressionSummary(
        in_force={SuppressionReason(row.reason): row.number for row in rows},
        sms_since=int(sum(row.sms_since for row in rows)),
    )


def lift(connection: Connection, library: str, suppression_id: int, *, who: str) -> bool:
    """End one line in force."""
    asked = {"library": library, "suppression_id": suppression_id, "who": storable(who)}
    return connection.execute(_LIFT, asked).first() is not None
