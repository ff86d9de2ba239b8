"""What waits in a run, and how it leaves when it is no longer true."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import Connection, text

from loan_reminders.domain.notices import LoanKey
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState, Reason
from loan_reminders.ledger.readers.held import IN_FORCE
from loan_reminders.ledger.runs.outbox import ALL_IDS, IN_SHARE, OFFERED

# A draft that was approved stays one until it is printed, minutes later when all goes well.
_ASKS = """(
    batch.state = 'draft'
    AND NOT EXISTS (
        SELECT FROM letter_events given WHERE given.batch_id = batch.batch_id AND given.act = 'approved'{before}
    )
    AND NOT EXISTS (
        SELECT FROM question_answers given
        WHERE given.run_id = batch.run_id AND given.question = 'letters' AND given.at > batch.at{before}
    )
)"""
ASKS = _ASKS.format(before="")
"""Of `letter_batches batch`: a draft that nobody has answered."""

ASKS_OR_PRINTS = _ASKS.format(before=" AND given.at < now() - interval '2 hours'")
"""Of `letter_batches batch`: a draft that nobody has answered, or whose printing has had no time yet to be in trouble,
as long as a task is tried again."""

_WAITING = f"""
    delivery.library = :library AND delivery.run_id = :run_id AND {OFFERED} AND {IN_SHARE}
"""
_WAITING_LOANS = text(f"""
    SELECT DISTINCT claim.loan_id, claim.due_date
    FROM deliveries delivery JOIN delivery_loans claim USING (delivery_id)
    WHERE {_WAITING} AND delivery.channel = :channel AND claim.dropped IS NULL
""")  # noqa: S608 - the condition is this module's own
_DROP = text(f"""
    WITH gone AS (
        SELECT * FROM unnest(CAST(:loan_id AS text[]), CAST(:due_date AS date[]), CAST(:reason AS text[]))
            AS gone(loan_id, due_date, reason)
    ), held AS (
        SELECT delivery.delivery_id FROM deliveries delivery
        WHERE {_WAITING} AND delivery.channel = :channel
        FOR NO KEY UPDATE
    ), dropped AS (
        UPDATE delivery_loans claim SET live = false, dropped = gone.reason
        FROM gone, held
        WHERE claim.delivery_id = held.delivery_id AND claim.loan_id = gone.loan_id
          AND claim.due_date = gone.due_date AND claim.dropped IS NULL
        RETURNING claim.delivery_id, claim.loan_id, claim.due_date, claim.slot, gone.reason
    ), said AS (
        INSERT INTO skips (library, run_id, loan_id, due_date, patron_id, slot, reason)
        SELECT :library, :run_id, dropped.loan_id, dropped.due_date, notice.patron_id, dropped.slot, dropped.reason
        FROM dropped JOIN deliveries USING (delivery_id) JOIN notices notice USING (notice_id)
    )
    SELECT delivery_id, max(reason) AS reason FROM dropped GROUP BY delivery_id
""")  # noqa: S608 - the condition is this module's own
_CANCEL_EMPTY = text("""
    WITH cancelled AS (
        UPDATE deliveries delivery SET state = 'cancelled', reason = emptied.reason, answered_at = now()
        FROM unnest(CAST(:delivery_id AS uuid[]), CAST(:reason AS text[])) AS emptied(delivery_id, reason)
        WHERE delivery.delivery_id = emptied.delivery_id AND NOT EXISTS (
            SELECT FROM delivery_loans claim WHERE claim.delivery_id = delivery.delivery_id AND claim.dropped IS NULL
        )
        RETURNING delivery.delivery_id, delivery.reason
    )
    INSERT INTO receipts (library, delivery_id, state, reason, applied)
    SELECT :library, delivery_id, 'cancelled', reason, true FROM cancelled
    RETURNING receipt_id
""")
_CANCEL_WAITING = text(f"""
    WITH cancelled AS (
        UPDATE deliveries delivery SET state = 'cancelled', reason = :why, answered_at = now()
        WHERE {_WAITING} AND delivery.channel = ANY(CAST(:channels AS text[]))
        RETURNING delivery_id
    )
    INSERT INTO receipts (library, delivery_id, state, reason, applied)
    SELECT :library, delivery_id, 'cancelled', :why, true FROM cancelled
    RETURNING receipt_id
""")  # noqa: S608 - the condition is this module's own
# Holds are few: from them the way goes by indexes, however many deliveries wait.
_HELD = text(f"""
    SELECT DISTINCT mine.loan_id, mine.due_date
    FROM (
        SELECT hold.patron_id, hold.loan_id FROM holds hold WHERE hold.library = :library AND {IN_FORCE} OFFSET 0
    ) AS hold
    CROSS JOIN LATERAL (
        SELECT claim.loan_id, claim.due_date
        FROM notices notice JOIN deliveries delivery USING (notice_id) JOIN delivery_loans claim USING (delivery_id)
        WHERE notice.library = :library AND notice.patron_id = hold.patron_id
          AND delivery.library = :library AND delivery.run_id + 0 = :run_id AND delivery.channel = :channel
          AND delivery.state = ANY(CAST(:offered AS text[])) AND claim.dropped IS NULL AND {IN_SHARE}
          AND hold.loan_id IN ('', claim.loan_id)
        OFFSET 0
    ) AS mine
""")  # noqa: S608 - the condition is this module's own

_NOT_BEGUN = {
    Channel.EMAIL: (DeliveryState.PLANNED,),
    Channel.SMS: (DeliveryState.PLANNED,),
    Channel.LETTER: (DeliveryState.PLANNED, DeliveryState.IN_DOUBT),
    Channel.REGISTERED_LETTER: (DeliveryState.PLANNED, DeliveryState.IN_DOUBT),
}
"""In which states nothing of a delivery can have reached its reader: paper in doubt is in no batch."""


def waiting_loans(connection: Connection, scope: Mapping[str, Any]) -> frozenset[LoanKey]:
    """The loans of what waits in a run and channel."""
    return frozenset(
        LoanKey(loan_id=row.loan_id, due_date=row.due_date) for row in connection.execute(_WAITING_LOANS, scope)
    )


def drop(connection: Connection, scope: Mapping[str, Any], gone: Mapping[LoanKey, Reason]) -> int:
    """Take loans out of what waits; deliveries without any left are cancelled. Returns how many were."""
    parameters = {
        **scope,
        "loan_id": [key.loan_id for key in gone],
        "due_date": [key.due_date for key in gone],
        "reason": [reason.value for reason in gone.values()],
    }
    touched = connection.execute(_DROP, parameters).all()
    if not touched:
        return 0
    emptied = {
        "library": scope["library"],
        "delivery_id": [row.delivery_id for row in touched],
        "reason": [row.reason for row in touched],
    }
    return len(connection.execute(_CANCEL_EMPTY, emptied).all())


def drop_held(connection: Connection, scope: Mapping[str, Any], today: date) -> int:
    """Take what is held out of what waits in a run and channel; a delivery without any loan left is cancelled.

    `scope` holds the library, the run, the channel and the share. Returns how many loans were taken out. What is in
    doubt may have left, and stays in doubt.
    """
    offered = [state.value for state in _NOT_BEGUN[Channel(scope["channel"])]]
    asked = {**scope, "offered": offered}
    rows = connection.execute(_HELD, {**asked, "today": today}).all()
    if not rows:
        return 0
    gone = {LoanKey(loan_id=row.loan_id, due_date=row.due_date): Reason.HELD for row in rows}
    drop(connection, asked, gone)
    return len(gone)


def cancel_waiting(connection: Connection, scope: Mapping[str, Any], channels: list[str], reason: Reason) -> int:
    """Cancel everything that waits in a run by these channels; returns how many deliveries."""
    parameters = {**ALL_IDS, **scope, "channels": channels, "why": reason.value}
    return len(connection.execute(_CANCEL_WAITING, parameters).all())
