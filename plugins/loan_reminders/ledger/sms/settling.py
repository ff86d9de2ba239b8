"""Settle the receipts of SMS that were kept: each moves its SMS to another state, a page of them in one statement."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, text

from loan_reminders.domain.desk import AsideKind
from loan_reminders.domain.ports.sms_feedback import Settled
from loan_reminders.domain.sms.feedback import AckStatus, SmsAck
from loan_reminders.french.desk import receipt_words
from loan_reminders.ledger.put_aside import Row, identity
from loan_reminders.ledger.tables.columns import dated
from loan_reminders.ledger.tables.sms import CLAIMED_AT

# A receipt is about the SMS whose id it names; else about the one of its campaign to its number; else, when its id and
# campaign never came to us, about the only SMS to its number whose answer never came, if it left in the days
# before; one whose date cannot be true settles no doubt. A claimed SMS is in its sender's hands.
_WAITING = text("""
    SELECT ack_id FROM sms_acks WHERE library = :library AND settled_at IS NULL ORDER BY ack_id LIMIT :page
""")
_ACK = text("SELECT phone_number, status, comment, sms_id, campaign_id FROM sms_acks WHERE ack_id = :ack_id")
_ACK_ASIDE = text("UPDATE sms_acks SET settled_at = now() WHERE ack_id = :ack_id")
_CLAIMED_AT = CLAIMED_AT.format(delivery="")
_SETTLE = text(f"""
    WITH page AS MATERIALIZED (
        SELECT *, coalesce({dated("received_at", "at")}, at) AS moment FROM sms_acks
        WHERE library = :library AND settled_at IS NULL AND ack_id = ANY(CAST(:acks AS bigint[]))
        ORDER BY ack_id
    ), matched AS MATERIALIZED (
        SELECT page.ack_id, page.sms_id, page.campaign_id, page.comment, page.raw, about.delivery_id,
               CASE page.status
                   WHEN 'delivered' THEN 'delivered' WHEN 'not_delivered' THEN 'bounced' WHEN 'refused' THEN 'bounced'
                   WHEN 'rejected' THEN 'bounced' WHEN 'on_its_way' THEN 'accepted'
               END AS target,
               CASE page.status
                   WHEN 'refused' THEN 'message_refused'
                   WHEN 'not_delivered' THEN 'recipient_refused' WHEN 'rejected' THEN 'recipient_refused'
               END AS reason
        FROM page
        LEFT JOIN LATERAL (
            SELECT receipt.delivery_id FROM receipts receipt
            WHERE page.sms_id <> '' AND receipt.provider_id <> '' AND receipt.provider_id = page.sms_id
              AND receipt.library = :library
            ORDER BY receipt.receipt_id LIMIT 1
        ) AS by_id ON true
        LEFT JOIN LATERAL (
            SELECT delivery_id FROM deliveries
            WHERE by_id.delivery_id IS NULL AND page.campaign_id <> '' AND library = :library AND channel = 'sms'
              AND recipient = page.phone_number AND campaign_id = page.campaign_id
              AND (page.sms_id = '' OR provider_id IN ('', page.sms_id))
            ORDER BY {_CLAIMED_AT} DESC LIMIT 1
        ) AS by_campaign ON true
        LEFT JOIN LATERAL (
            SELECT (array_agg(delivery_id))[1] AS delivery_id FROM deliveries
            WHERE by_id.delivery_id IS NULL AND by_campaign.delivery_id IS NULL AND library = :library
              AND channel = 'sms' AND recipient = page.phone_number AND state = 'in_doubt'
              AND provider_id = '' AND campaign_id = '' AND NOT page.misdated
              AND {_CLAIMED_AT} BETWEEN page.moment - interval '4 days' AND page.moment + interval '1 hour'
            HAVING count(*) = 1
        ) AS by_doubt ON true
        CROSS JOIN LATERAL (
            SELECT coalesce(by_id.delivery_id, by_campaign.delivery_id, by_doubt.delivery_id) AS delivery_id
        ) AS about
    ), decided AS MATERIALIZED (
        SELECT DISTINCT ON (delivery_id) * FROM matched
        WHERE delivery_id IS NOT NULL AND target IS NOT NULL
        ORDER BY delivery_id, target = 'accepted', ack_id
    ), before AS MATERIALIZED (
        SELECT delivery_id, state FROM deliveries
        WHERE delivery_id IN (SELECT delivery_id FROM decided) AND state IN ('accepted', 'in_doubt')
        ORDER BY delivery_id FOR NO KEY UPDATE
    ), moved AS (
        UPDATE deliveries delivery SET
            state = decided.target, reason = decided.reason, answered_at = now(),
            provider_id = coalesce(nullif(delivery.provider_id, ''), decided.sms_id),
            campaign_id = coalesce(nullif(delivery.campaign_id, ''), decided.campaign_id)
        FROM decided JOIN before USING (delivery_id)
        WHERE delivery.delivery_id = decided.delivery_id AND delivery.state <> decided.target
          AND reminders_may_move(delivery.state, decided.target)
        RETURNING decided.ack_id, before.state AS was, delivery.state AS became, delivery.reason, delivery.recipient,
                  delivery.run_id, delivery.redirected
    ), recorded AS (
        INSERT INTO receipts (library, delivery_id, state, reason, provider_id, raw, applied)
        SELECT :library, matched.delivery_id, coalesce(matched.target, delivery.state), matched.reason, matched.sms_id,
               coalesce(nullif(matched.raw, ''), matched.comment),
               EXISTS (SELECT FROM moved WHERE moved.ack_id = matched.ack_id)
        FROM matched JOIN deliveries delivery USING (delivery_id)
        ORDER BY matched.ack_id
    ), settled AS (
        UPDATE sms_acks ack SET settled_at = now(), delivery_id = matched.delivery_id
        FROM matched WHERE ack.ack_id = matched.ack_id
    )
    SELECT
        (SELECT count(*) FROM matched) AS acks,
        (SELECT count(*) FROM matched WHERE delivery_id IS NULL) AS unknown,
        (SELECT count(*) FROM moved) AS moved,
        (SELECT count(*) FROM moved WHERE was = 'in_doubt') AS resolved,
        ARRAY(
            SELECT DISTINCT recipient FROM moved
            WHERE became = 'bounced' AND reason = 'recipient_refused' AND NOT redirected
        ) AS refused,
        ARRAY(SELECT DISTINCT run_id FROM moved) AS runs
""")  # noqa: S608 - the pieces are this module's own
_REOPEN = text("""
    UPDATE sms_acks SET settled_at = NULL
    WHERE library = :library AND delivery_id IS NULL AND settled_at IS NOT NULL AND at > now() - interval '1 day'
""")
_REFUSED_LATELY = text("""
    SELECT DISTINCT delivery.recipient
    FROM runs JOIN deliveries delivery USING (run_id)
    WHERE runs.library = :library AND runs.started_at > now() - interval '7 days' AND delivery.channel = 'sms'
      AND delivery.state = 'refused' AND delivery.reason = 'invalid_recipient' AND delivery.claimed_at IS NOT NULL
      AND NOT delivery.redirected
""")


def acks_waiting(connection: Connection, library: str, *, page: int) -> Sequence[int]:
    """The oldest receipts that wait to be settled, `page` at most."""
    return connection.execute(_WAITING, {"library": library, "page": page}).scalars().all()


def aside_ack(connection: Connection, ack_id: int) -> tuple[Row, Callable[[Connection], Any]]:
    """A kept receipt that cannot be settled, and what marks it as done with."""
    ack = connection.execute(_ACK, {"ack_id": ack_id}).one()
    receipt = SmsAck(**{**ack._mapping, "status": AckStatus(ack.status), "received_at": None})
    said = receipt_words(receipt)
    aside = Row(kind=AsideKind.RECEIPT, identity=identity("kept", ack_id), about=ack.phone_number, said=said)
    return aside, lambda later: later.execute(_ACK_ASIDE, {"ack_id": ack_id})


def settle_acks(connection: Connection, library: str, acks: Sequence[int]) -> tuple[Settled, list[str], list[int]]:
    """Settle those of these receipts that still wait.

    Also returns the numbers that an SMS just failed at, and the runs whose SMS moved.
    """
    row = connection.execute(_SETTLE, {"library": library, "acks": list(acks)}).one()
    counted = Settled(acks=row.acks, moved=row.moved, resolved=row.resolved, unknown=row.unknown)
    return counted, list(row.refused), list(row.runs)


def reopen_unknown(connection: Connection, library: str) -> None:
    """Let the receipts of the last day that were about no SMS of ours be looked at again."""
    connection.execute(_REOPEN, {"library": library})


def refused_lately(connection: Connection, library: str) -> list[str]:
    """The numbers that the provider refused to take in the runs of the last week."""
    return list(connection.execute(_REFUSED_LATELY, {"library": library}).scalars())
