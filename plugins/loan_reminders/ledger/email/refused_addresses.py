"""E-mail addresses that mail servers refused lately as unknown: put on the list of suppressions."""

from __future__ import annotations

import logging

from sqlalchemy import Connection, text

from loan_reminders.domain.email.refused_addresses import REFUSED_AT_ONCE, RefusedAddress, dead_among
from loan_reminders.domain.recipients import EmailAddress
from loan_reminders.domain.suppressions.suppression import SuppressionSource
from loan_reminders.french import ledger as sentences
from loan_reminders.ledger.email import held_bounces
from loan_reminders.ledger.suppressions import dead_addresses
from loan_reminders.ledger.suppressions import suppression_list as suppressions

logger = logging.getLogger(__name__)

DETAIL_LENGTH = 300

# The runs of a few days: a task killed before it remembered its refusals is followed by another that does.
_REFUSED = text("""
    SELECT delivery.recipient, delivery.raw, delivery.claimed_at, run.today
    FROM runs run JOIN deliveries delivery USING (run_id)
    WHERE run.library = :library AND run.started_at > now() - interval '3 days' AND NOT run.dry_run
      AND delivery.channel = 'email' AND delivery.state = 'refused' AND delivery.reason = 'recipient_refused'
      AND delivery.claimed_at IS NOT NULL AND delivery.raw <> '' AND NOT delivery.redirected
      AND NOT EXISTS (
          SELECT FROM suppressions line
          WHERE line.library = :library AND line.channel = 'email' AND line.recipient = delivery.recipient
            AND (line.lifted_at IS NULL AND (line.until IS NULL OR line.until > now())
                 OR line.lifted_at >= delivery.claimed_at AND line.lifted_by <> 'échéance')
      )
    ORDER BY delivery.claimed_at, delivery.delivery_id
""")


def remember_refused(connection: Connection, library: str) -> int:
    """Put on the list the addresses whose servers said lately that they do not exist; returns how many are new.

    The line of the list says what the server answered. When too many would be dead at once, of one domain or of a
    day's e-mails, none is put on the list: the fault may be ours. What was redirected says nothing of its reader's.
    """
    suppressions.lock(connection, library)
    refused = [
        RefusedAddress(address=row.recipient, answer=row.raw, since=row.claimed_at, day=row.today)
        for row in connection.execute(_REFUSED, {"library": library})
    ]
    days = held_bounces.days_of_mail(connection, library, sorted({one.day for one in refused}))
    dead, doubtful = dead_among(refused, days)
    if doubtful:
        logger.warning(
            sentences.REFUSED_AT_ONCE,
            ", ".join(doubtful),
        )
    return sum(
        dead_addresses.mark_dead(
            connection,
            library,
            [EmailAddress(value=one.address)],
            since=one.since,
            source=SuppressionSource.BOUNCES,
            detail=f"{REFUSED_AT_ONCE} : {one.answer}"[:DETAIL_LENGTH],
        )
        for one in dead
    )
