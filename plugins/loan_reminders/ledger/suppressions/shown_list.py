"""The list of suppressions as its page reads it: line by line with its history, and in figures."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Row, text

from loan_reminders.domain.stages import Channel
from loan_reminders.domain.suppressions.suppression import (
    Suppression,
    SuppressionReason,
    SuppressionSource,
    SuppressionSummary,
)
from loan_reminders.ledger.retention.fingerprints import hidden
from loan_reminders.ledger.suppressions.suppression_list import IN_FORCE, TAKEN
from loan_reminders.ledger.tables.sms import CLAIMED_AT

_CLAIMED_AT = CLAIMED_AT.format(delivery="delivery.")
# Those in force, then the others, each by its beginning: an index holds either in that order.
_LIST = f"""
    SELECT suppression.*, (
        SELECT count(*) FROM deliveries delivery
        WHERE delivery.library = :library AND delivery.channel = 'sms' AND delivery.recipient = suppression.recipient
          AND {_CLAIMED_AT} > suppression.since
          AND {_CLAIMED_AT} < coalesce(suppression.lifted_at, 'infinity') AND delivery.state IN {TAKEN}
    ) AS sms_since
    FROM (
        (SELECT suppression.*, true AS in_force FROM suppressions suppression
         WHERE suppression.library = :library AND {IN_FORCE} AND :part <> 'ended'
           AND (:recipient = '' OR suppression.recipient IN (:recipient, :hash))
           AND (:reason = '' OR suppression.reason = :reason)
         ORDER BY suppression.since {{way}}, suppression.suppression_id {{way}} LIMIT CAST(:limit AS int) + :offset)
        UNION ALL
        (SELECT suppression.*, false AS in_force FROM suppressions suppression
         WHERE suppression.library = :library AND NOT ({IN_FORCE}) AND :part <> 'in_force'
           AND (:recipient = '' OR suppression.recipient IN (:recipient, :hash))
           AND (:reason = '' OR suppression.reason = :reason)
         ORDER BY suppression.since {{way}}, suppression.suppression_id {{way}} LIMIT CAST(:limit AS int) + :offset)
    ) AS suppression
    ORDER BY in_force DESC, suppression.since {{way}}, suppression.suppression_id {{way}}
    LIMIT :limit OFFSET :offset
"""  # noqa: S608 - the conditions are this package's own
_LISTED = {oldest: text(_LIST.format(way="ASC" if oldest else "DESC")) for oldest in (False, True)}
_SUMMARY = text(f"""
    SELECT suppression.reason, count(*) AS number, sum(texted.number) AS sms_since
    FROM suppressions suppression CROSS JOIN LATERAL (
        SELECT count(*) AS number FROM deliveries delivery
        WHERE suppression.channel = 'sms'
          AND delivery.library = :library AND delivery.channel = 'sms' AND delivery.recipient = suppression.recipient
          AND {_CLAIMED_AT} > suppression.since AND delivery.state IN {TAKEN}
    ) AS texted
    WHERE suppression.library = :library AND {IN_FORCE}
    GROUP BY suppression.reason
""")  # noqa: S608 - the conditions are this package's own


def listed(
    connection: Connection,
    library: str,
    *,
    recipient: str,
    limit: int,
    offset: int = 0,
    reason: SuppressionReason | None = None,
    in_force: bool | None = None,
    oldest_first: bool = False,
) -> Sequence[Suppression]:
    """The list with its history, or the lines of one recipient, of one reason, or only those in force or ended."""
    part = "" if in_force is None else "in_force" if in_force else "ended"
    asked = {"library": library, "recipient": recipient, "limit": limit, "offset": offset, "part": part}
    hashes = hidden(connection, library, [(Channel.SMS.value, recipient)] if recipient else [])
    asked["hash"] = next(iter(hashes), recipient)
    asked["reason"] = "" if reason is None else reason.value
    return tuple(_suppression(row) for row in connection.execute(_LISTED[oldest_first], asked))


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
        lifted_because=row.lifted_because,
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
