"""What the ledger already holds about some loans at one stage: live claims, refusals, what may be taken over."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, text

from loan_reminders.domain.notices import History, LoanKey, Refused
from loan_reminders.domain.ports.outside import Run
from loan_reminders.domain.recipients import Recipient
from loan_reminders.domain.stages import Channel, Slot
from loan_reminders.domain.states import DeliveryState
from loan_reminders.french import ledger as sentences
from loan_reminders.ledger.json_codecs import decode_recipient
from loan_reminders.ledger.retention.fingerprints import erased
from loan_reminders.ledger.tables.columns import OFFERED_IN_DOUBT

logger = logging.getLogger(__name__)

# OFFSET 0 makes PostgreSQL look each key up in an index: a plan's own rows have no statistics yet, and the way it
# would choose without them reads the whole ledger for every page.
_ASKED = "unnest(CAST(:loan_id AS text[]), CAST(:due_date AS date[])) AS asked(loan_id, due_date)"
# When the lock of a token can be taken, its sender is dead.
# What a later run may take over: what waits, and a written message in doubt whose sender is dead, when it was
# interrupted or not sent again yet. An SMS in doubt never is, nor what a person stopped.
_LEFT_BEHIND = f"""CASE
    WHEN delivery.state = 'planned' THEN true
    WHEN delivery.state = 'in_doubt' AND delivery.channel <> 'sms' AND {OFFERED_IN_DOUBT}
    THEN pg_try_advisory_xact_lock(hashtextextended(delivery.claimed_by, 0))
    ELSE false
END"""
# What a dead sender had in hand becomes in doubt, as when its own run goes on.
_RECOVER = text(f"""
    WITH claimed AS MATERIALIZED (
        SELECT DISTINCT claim.delivery_id, claim.claimed_by
        FROM {_ASKED}
        CROSS JOIN LATERAL (
            SELECT delivery_id, delivery.claimed_by
            FROM delivery_loans held JOIN deliveries delivery USING (delivery_id)
            WHERE held.library = :library AND held.loan_id = asked.loan_id AND held.due_date = asked.due_date
              AND held.stage = :stage AND held.live AND delivery.state = 'claimed'
            OFFSET 0
        ) AS claim
    ), holders AS MATERIALIZED (
        SELECT DISTINCT claimed_by FROM claimed
    ), dead AS MATERIALIZED (
        SELECT claimed_by FROM holders WHERE pg_try_advisory_xact_lock(hashtextextended(claimed_by, 0))
    ), interrupted AS (
        UPDATE deliveries delivery SET state = 'in_doubt', reason = 'interrupted', answered_at = now()
        FROM claimed JOIN dead USING (claimed_by)
        WHERE delivery.delivery_id = claimed.delivery_id AND delivery.state = 'claimed'
          AND delivery.claimed_by = claimed.claimed_by
        RETURNING delivery.delivery_id
    )
    INSERT INTO receipts (library, delivery_id, state, reason, applied)
    SELECT :library, delivery_id, 'in_doubt', 'interrupted', true FROM interrupted
    RETURNING receipt_id
""")  # noqa: S608 - the pieces are this module's own
_HISTORY = text(f"""
    SELECT claim.*
    FROM {_ASKED}
    CROSS JOIN LATERAL (
        SELECT held.loan_id, held.due_date, held.slot, delivery.state, delivery.delivery_id,
               delivery.run_id <> :run_id AND {_LEFT_BEHIND} AS left_behind
        FROM delivery_loans held JOIN deliveries delivery USING (delivery_id)
        WHERE held.library = :library AND held.loan_id = asked.loan_id AND held.due_date = asked.due_date
          AND held.stage = :stage AND held.live
        OFFSET 0
    ) AS claim
""")  # noqa: S608 - the pieces are this module's own
_HOLD = text("""
    SELECT delivery_id FROM deliveries
    WHERE delivery_id = ANY(CAST(:delivery_id AS uuid[])) AND state IN ('planned', 'in_doubt')
    ORDER BY delivery_id
    FOR NO KEY UPDATE
""")
# A message that could not be composed, or that was redirected, says nothing about its recipient, and a dry run says
# nothing at all.
_REFUSED = text("""
    SELECT claim.*
    FROM unnest(CAST(:loan_id AS text[]), CAST(:due_date AS date[])) AS asked(loan_id, due_date)
    CROSS JOIN LATERAL (
        SELECT freed.loan_id, freed.due_date, delivery.channel, delivery.recipient
        FROM delivery_loans freed JOIN deliveries delivery USING (delivery_id) JOIN runs USING (run_id)
        WHERE freed.library = :library AND freed.loan_id = asked.loan_id AND freed.due_date = asked.due_date
          AND freed.stage = :stage AND NOT freed.live AND NOT runs.dry_run
          AND delivery.state IN ('refused', 'bounced') AND NOT delivery.redirected
          AND coalesce(delivery.reason, '') NOT IN ('not_rendered', 'text_too_long')
        OFFSET 0
    ) AS claim
""")
_ADOPT = text(f"""
    WITH found AS (
        SELECT DISTINCT claim.delivery_id, claim.run_id
        FROM {_ASKED}
        CROSS JOIN LATERAL (
            SELECT delivery_id, delivery.run_id
            FROM delivery_loans held JOIN deliveries delivery USING (delivery_id)
            WHERE held.library = :library AND held.loan_id = asked.loan_id AND held.due_date = asked.due_date
              AND held.stage = :stage AND held.live AND {_LEFT_BEHIND} AND delivery.run_id <> :run_id
            OFFSET 0
        ) AS claim
    ), moved AS (
        UPDATE deliveries delivery SET run_id = :run_id
        FROM found
        WHERE delivery.delivery_id = found.delivery_id AND delivery.run_id = found.run_id
          AND {_LEFT_BEHIND}
        RETURNING found.run_id AS former
    )
    UPDATE runs SET deliveries_planned = deliveries_planned - left_it.number
    FROM (SELECT former, count(*) AS number FROM moved GROUP BY former) AS left_it
    WHERE runs.run_id = left_it.former
    RETURNING left_it.number, left_it.former
""")  # noqa: S608 - the pieces are this module's own


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """The claims on loans at the stage of one run, seen within the transaction that plans it."""

    connection: Connection
    run: Run
    library: str

    def history(self, keys: Sequence[LoanKey]) -> History:
        """The live claims, and every slot of a cycle that was removed from the ledger.

        What another run left behind is told as `planned`, and held so until this run adopts it.

        Left behind: what waits, and what a sender that died had in hand, but for an SMS, which stays in doubt.
        """
        if not self.run.dry_run:
            interrupted = len(self.connection.execute(_RECOVER, self._asked(keys)).all())
            if interrupted:
                logger.warning(sentences.LEFT_BY_A_RUN, interrupted)
        found = self._find(keys)
        left = [row.delivery_id for row in found if row.left_behind]
        if left and not self.run.dry_run:
            self.connection.execute(_HOLD, {"delivery_id": left})
            found = self._find(keys)
        # Asked after the claims: a cycle that is being removed meanwhile is found among these or those.
        gone = erased(self.connection, self.library, keys)
        return {(key, slot): DeliveryState.DELIVERED for key in gone for slot in Slot} | {
            (LoanKey(loan_id=row.loan_id, due_date=row.due_date), Slot(row.slot)): (
                DeliveryState.PLANNED if row.left_behind else DeliveryState(row.state)
            )
            for row in found
        }

    def refused(self, keys: Sequence[LoanKey]) -> Refused:
        """The recipients that refused or bounced this stage's message."""
        found: dict[LoanKey, set[Recipient]] = {}
        for row in self.connection.execute(_REFUSED, self._asked(keys)):
            recipient = decode_recipient(Channel(row.channel), row.recipient)
            found.setdefault(LoanKey(loan_id=row.loan_id, due_date=row.due_date), set()).add(recipient)
        return found

    def adopt(self, keys: Sequence[LoanKey]) -> Mapping[int, int]:
        """Move what other runs left behind to this one; returns the number of deliveries moved, by their former run."""
        return {row.former: row.number for row in self.connection.execute(_ADOPT, self._asked(keys))}

    def _find(self, keys: Sequence[LoanKey]) -> Sequence[Row[Any]]:
        return self.connection.execute(_HISTORY, self._asked(keys)).all()

    def _asked(self, keys: Sequence[LoanKey]) -> dict[str, Any]:
        return {
            "loan_id": [key.loan_id for key in keys],
            "due_date": [key.due_date for key in keys],
            "library": self.library,
            "stage": self.run.stage.value,
            "run_id": self.run.run_id,
        }
