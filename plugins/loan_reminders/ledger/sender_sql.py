"""The statements of a sender: what it inherits, claims, records and gives up.

Claims and answers look each delivery up by its key. The run's own index is kept out of it (`run_id + 0`): the table has
grown since it was last analysed, and a plan that believes the run to be small would read all of it for each group.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text

from loan_reminders.domain.email.put_off import PutOff
from loan_reminders.domain.email.refused_elsewhere import RefusedElsewhere
from loan_reminders.domain.stages import Channel
from loan_reminders.ledger.readers.held import IS_HELD
from loan_reminders.ledger.runs.outbox import IN_SHARE, OFFERED, offered_states

# Until a table is analysed for the first time PostgreSQL takes it for nearly empty: the claims of a first run then read
# all e-mails of the library for each group. It does so by itself within minutes; a first run does not wait for it.
SIZES_UNKNOWN = text("""
    SELECT relname FROM pg_class
    WHERE relname IN ('notices', 'deliveries', 'delivery_loans', 'loans_seen') AND reltuples < 0
      AND oid = to_regclass(relname)
""")
# Another's lock is not waited for; an account that does not own the tables is warned by the server, and nothing more.
LEARN_SIZES = text("ANALYZE (SKIP_LOCKED) notices, deliveries, delivery_loans, loans_seen")
# When the lock of a token can be taken, its sender is dead; this lock ends with the transaction. It is shared: two
# senders of one run that begin together must both see who is dead.
RECOVER = text("""
    WITH holders AS MATERIALIZED (
        SELECT DISTINCT claimed_by FROM deliveries
        WHERE library = :library AND run_id = :run_id AND channel = :channel AND state = 'claimed'
    ), dead AS MATERIALIZED (
        SELECT claimed_by FROM holders WHERE pg_try_advisory_xact_lock_shared(hashtextextended(claimed_by, 0))
    ), interrupted AS (
        UPDATE deliveries SET state = 'in_doubt', reason = 'interrupted', answered_at = now()
        WHERE library = :library AND run_id = :run_id AND channel = :channel AND state = 'claimed'
          AND claimed_by IN (SELECT claimed_by FROM dead)
        RETURNING delivery_id
    )
    INSERT INTO receipts (library, delivery_id, state, reason, applied)
    SELECT :library, delivery_id, 'in_doubt', 'interrupted', true FROM interrupted
    RETURNING receipt_id
""")
COUNT_OFFERED = text(f"""
    WITH holders AS MATERIALIZED (
        SELECT DISTINCT claimed_by FROM deliveries
        WHERE library = :library AND run_id = :run_id AND channel = :channel AND state = 'claimed'
    ), dead AS MATERIALIZED (
        SELECT claimed_by FROM holders WHERE pg_try_advisory_xact_lock_shared(hashtextextended(claimed_by, 0))
    )
    SELECT count(*) FROM deliveries delivery
    WHERE library = :library AND run_id = :run_id AND channel = :channel AND (
        {OFFERED}
        OR 'in_doubt' = ANY(CAST(:offered AS text[])) AND state = 'claimed'
           AND claimed_by IN (SELECT claimed_by FROM dead)
    )
""")  # noqa: S608 - the condition is a module's own
# A delivery claimed since this pass began was tried in this pass, here or by another sender: it waits for the next.
CLAIM = text(f"""
    UPDATE deliveries SET
        state = 'claimed', reason = NULL, attempts = attempts + 1, claimed_by = :token, claimed_at = now(),
        resent_in_doubt = resent_in_doubt OR state = 'in_doubt', segments = :segments,
        redirected = delivery_id = ANY(CAST(:redirected AS uuid[]))
    WHERE delivery_id IN (
        SELECT delivery_id FROM deliveries delivery
        WHERE delivery_id = ANY(CAST(:delivery_id AS uuid[])) AND library = :library AND run_id + 0 = :run_id
          AND channel = :channel AND {OFFERED}
          AND (claimed_at IS NULL OR claimed_at < :since) AND NOT {IS_HELD}
        FOR UPDATE SKIP LOCKED
    )
    RETURNING delivery_id
""")  # noqa: S608 - the condition is a module's own
ANSWER = text("""
    WITH answers AS (
        SELECT * FROM json_to_recordset(CAST(:answers AS json)) AS answers(delivery_id uuid, state text, reason text,
            provider_id text, campaign_id text, raw text, segments integer, cost numeric)
    ), applied AS (
        UPDATE deliveries delivery SET
            state = answer.state, reason = answer.reason, provider_id = answer.provider_id, raw = answer.raw,
            segments = answer.segments, cost = answer.cost, answered_at = now(), campaign_id = answer.campaign_id,
            batch_id = coalesce(CAST(:batch_id AS bigint), delivery.batch_id)
        FROM answers answer
        WHERE delivery.delivery_id = ANY(CAST(:delivery_id AS uuid[])) AND delivery.delivery_id = answer.delivery_id
          AND delivery.library = :library AND delivery.run_id + 0 = :run_id
          AND answer.state <> 'claimed' AND reminders_may_move(delivery.state, answer.state)
          AND (delivery.state <> 'claimed' OR delivery.claimed_by = :token)
        RETURNING delivery.delivery_id
    )
    INSERT INTO receipts (library, delivery_id, state, reason, provider_id, raw, applied)
    SELECT :library, answer.delivery_id, answer.state, answer.reason, answer.provider_id, answer.raw,
           answer.delivery_id IN (SELECT delivery_id FROM applied)
    FROM answers answer CROSS JOIN LATERAL (
        SELECT FROM deliveries WHERE delivery_id = answer.delivery_id AND library = :library OFFSET 0
    ) AS known
    RETURNING applied
""")
# A refusal by the policy of a mail server leaves a delivery planned, with its reason.
_PUT_OFF = "'recipient_deferred', 'recipient_refused', 'message_refused'"
FAIL_DEFERRED = text(f"""
    WITH given_up AS (
        UPDATE deliveries delivery SET state = 'failed', reason = 'retries_exhausted', answered_at = now()
        WHERE library = :library AND run_id = :run_id AND channel = :channel AND state = 'planned'
          AND attempts > 0 AND reason IN ({_PUT_OFF}) AND {IN_SHARE}
        RETURNING delivery_id
    )
    INSERT INTO receipts (library, delivery_id, state, reason, applied)
    SELECT :library, delivery_id, 'failed', 'retries_exhausted', true FROM given_up
    RETURNING receipt_id
""")  # noqa: S608 - the condition is a module's own
# What other senders of the run were refused, of those whom the server has served nobody since they began.
_REFUSED_ELSEWHERE = text("""
    SELECT refused.recipient, refused.raw, refused.state <> 'refused' AND refused.reason <> 'recipient_refused'
           AND refused.reason <> 'message_refused' AS put_off
    FROM deliveries refused
    WHERE refused.library = :library AND refused.run_id = :run_id AND refused.channel = :channel
      AND refused.claimed_by <> :token AND (
          refused.state IN ('planned', 'refused') AND refused.reason IN ('recipient_refused', 'message_refused')
          OR refused.state = 'planned' AND refused.reason = 'recipient_deferred'
          OR refused.state = 'failed' AND refused.reason = 'retries_exhausted'
      )
      AND NOT EXISTS (
          SELECT FROM deliveries served
          WHERE served.library = :library AND served.run_id = :run_id AND served.channel = :channel
            AND served.claimed_by = refused.claimed_by AND served.state IN ('accepted', 'delivered', 'bounced')
      )
    LIMIT 100
""")
# One answer is compared with another: e-mails in flight together are all claimed before the first is answered. A bounce
# that comes later changes nothing of when the server accepted. Those recorded together have one time, and an order.
# `+ 0`: the first receipt of a delivery is not looked for among all receipts in their order.
_PUT_OFF_SINCE_LAST_ACCEPTED = text(f"""
    SELECT delivery.recipient, delivery.raw
    FROM deliveries delivery CROSS JOIN LATERAL (
        SELECT min(receipt.receipt_id + 0) AS first FROM receipts receipt
        WHERE receipt.delivery_id = delivery.delivery_id AND receipt.state = 'planned'
          AND receipt.reason IN ({_PUT_OFF})
    ) AS put_off
    WHERE delivery.library = :library AND delivery.run_id = :run_id AND delivery.channel = 'email'
      AND delivery.state = 'planned' AND delivery.attempts > 0 AND delivery.reason IN ({_PUT_OFF})
      AND put_off.first > coalesce((
          SELECT max(answer.receipt_id) FROM deliveries served JOIN receipts answer USING (delivery_id)
          WHERE served.library = :library AND served.run_id = :run_id AND served.channel = 'email'
            AND served.state IN ('accepted', 'delivered', 'bounced') AND answer.state = 'accepted'
      ), 0)
    LIMIT 100
""")  # noqa: S608 - the list is this module's own
OTHERS_AT_WORK = text(f"""
    SELECT EXISTS (
        SELECT FROM deliveries delivery
        WHERE library = :library AND run_id = :run_id AND channel = :channel AND state IN ('planned', 'claimed')
          AND NOT {IN_SHARE}
    )
""")  # noqa: S608 - the condition is a module's own


def learn_sizes(connection: Connection) -> None:
    """Let the server look at tables that it never looked at, and commit; nothing where it has."""
    if connection.execute(SIZES_UNKNOWN).first():
        connection.execute(LEARN_SIZES)
        connection.commit()


def count_offered(connection: Connection, channel: Channel, scope: Mapping[str, Any]) -> int:
    """How many deliveries a new sender would be offered, counting those it would inherit from a dead one."""
    parameters = {**scope, "offered": list(offered_states(channel))}
    return int(connection.execute(COUNT_OFFERED, parameters).scalar_one())


def refused_elsewhere(connection: Connection, scope: Mapping[str, Any], token: str) -> Sequence[RefusedElsewhere]:
    """What a run's senders other than that of the token were refused, of those served nobody; 100 at most."""
    return tuple(
        RefusedElsewhere(domain=_domain(row.recipient), raw=row.raw or "", put_off=row.put_off)
        for row in connection.execute(_REFUSED_ELSEWHERE, {**scope, "token": token})
    )


def put_off_since_last_accepted(connection: Connection, scope: Mapping[str, Any]) -> Sequence[PutOff]:
    """The e-mails of a run that wait because the server put them off, and accepted nothing since; 100 at most."""
    return tuple(
        PutOff(domain=_domain(row.recipient), raw=row.raw or "")
        for row in connection.execute(_PUT_OFF_SINCE_LAST_ACCEPTED, scope)
    )


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()
