"""An account at the SMS provider that several libraries share, and one address it calls: whose SMS a receipt is of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from sqlalchemy import Connection, text

from loan_reminders.domain.sms.feedback import SmsAck
from loan_reminders.ledger.json_codecs import storable
from loan_reminders.ledger.sms.feedback import PostgresSmsFeedback

# As a receipt is settled: about the SMS whose id it names; else of its campaign to its number; else about one whose
# answer never came. In one statement for all libraries: there may be a hundred, and a receipt an SMS.
_OWNERS = text("""
    SELECT asked.place, owner.library
    FROM unnest(CAST(:sms_ids AS text[]), CAST(:campaigns AS text[]), CAST(:numbers AS text[]))
         WITH ORDINALITY AS asked(sms_id, campaign_id, phone_number, place)
    CROSS JOIN LATERAL (
        SELECT known.library FROM (
            SELECT receipt.library, 1 AS step, NULL AS claimed_at FROM receipts receipt
            WHERE asked.sms_id <> '' AND receipt.provider_id <> '' AND receipt.provider_id = asked.sms_id
              AND receipt.library = ANY(CAST(:libraries AS text[]))
            UNION ALL
            SELECT library, CASE WHEN campaign_id = '' THEN 3 ELSE 2 END, claimed_at FROM deliveries
            WHERE library = ANY(CAST(:libraries AS text[])) AND channel = 'sms' AND recipient = asked.phone_number
              AND (campaign_id <> '' AND campaign_id = asked.campaign_id
                   AND (asked.sms_id = '' OR provider_id IN ('', asked.sms_id))
                OR campaign_id = '' AND provider_id = '' AND state IN ('claimed', 'in_doubt')
                   AND claimed_at > now() - interval '4 days')
        ) AS known
        ORDER BY known.step, known.claimed_at DESC LIMIT 1
    ) AS owner
""")


class PostgresSharedAccount:
    """The other libraries of an account, in the same ledger. Fulfils `SharedAccount`."""

    def __init__(
        self, transaction: Callable[[], AbstractContextManager[Connection]], *, library: str, others: Sequence[str]
    ) -> None:
        self._transaction = transaction
        self._library = library
        self._libraries = [library, *others]

    def keep_theirs(self, acks: Sequence[SmsAck]) -> Sequence[SmsAck]:
        """Keep receipts about an SMS of another library, for that one to settle; returns the rest."""
        owners = self._owners(acks)
        for library in sorted({*owners} - {self._library}):
            theirs = [ack for ack, owner in zip(acks, owners, strict=True) if owner == library]
            PostgresSmsFeedback(self._transaction, library=library).keep_acks(theirs)
        return [ack for ack, owner in zip(acks, owners, strict=True) if owner == self._library]

    def _owners(self, acks: Sequence[SmsAck]) -> Sequence[str]:
        """The library that each receipt is for: this one when none knows its SMS."""
        asked = {
            "libraries": self._libraries,
            "sms_ids": [storable(ack.sms_id) for ack in acks],
            "campaigns": [storable(ack.campaign_id) for ack in acks],
            "numbers": [storable(ack.phone_number) for ack in acks],
        }
        with self._transaction() as connection:
            found = {row.place: row.library for row in connection.execute(_OWNERS, asked)}
        return [found.get(place, self._library) for place, _ in enumerate(acks, start=1)]
