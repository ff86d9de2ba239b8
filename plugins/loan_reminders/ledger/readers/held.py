"""What is held on a day, for whoever plans, sends and prints: each takes it out in a transaction of its own.

`IS_HELD` is asked again in the statement that claims a delivery: from the moment a hold is in the ledger, nothing about
its loans begins to leave.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy import Connection, text

from loan_reminders.domain.notices import LoanKey
from loan_reminders.domain.runs.holds import Held

IN_FORCE = "hold.lifted_at IS NULL AND hold.until >= CAST(:today AS date)"
IS_HELD = f"""EXISTS (
    SELECT FROM notices notice JOIN holds hold ON hold.library = notice.library AND hold.patron_id = notice.patron_id
    JOIN delivery_loans claim ON claim.delivery_id = delivery.delivery_id AND claim.dropped IS NULL
    WHERE notice.notice_id = delivery.notice_id AND {IN_FORCE} AND hold.loan_id IN ('', claim.loan_id)
)"""
"""In SQL, whether a row `delivery` is about a loan that is held on the day `:today`."""

_HELD = text(f"""
    SELECT hold.patron_id, hold.loan_id
    FROM unnest(CAST(:patron_id AS text[])) AS asked(patron_id) CROSS JOIN LATERAL (
        SELECT hold.patron_id, hold.loan_id FROM holds hold
        WHERE hold.library = :library AND hold.patron_id = asked.patron_id AND {IN_FORCE}
        OFFSET 0
    ) AS hold
""")  # noqa: S608 - the condition is this module's own
_OF_A_BATCH = text(f"""
    SELECT letter.delivery_id, claim.loan_id, claim.due_date
    FROM letters letter JOIN deliveries delivery USING (delivery_id) JOIN notices notice USING (notice_id)
    JOIN delivery_loans claim ON claim.delivery_id = letter.delivery_id AND claim.dropped IS NULL
    JOIN holds hold ON hold.library = notice.library AND hold.patron_id = notice.patron_id
     AND hold.loan_id IN ('', claim.loan_id) AND {IN_FORCE}
    WHERE letter.library = :library AND letter.batch_id = :batch_id AND letter.left_out IS NULL
    ORDER BY letter.position, claim.loan_id
""")  # noqa: S608 - the condition is this module's own


def held(connection: Connection, library: str, patron_ids: Sequence[str], today: date) -> Held:
    """What is held of these readers on a day."""
    if not patron_ids:
        return Held()
    asked = {"library": library, "patron_id": list(patron_ids), "today": today}
    found = [(row.patron_id, row.loan_id) for row in connection.execute(_HELD, asked)]
    return Held(
        readers=frozenset(patron for patron, loan_id in found if not loan_id),
        loans=frozenset((patron, loan_id) for patron, loan_id in found if loan_id),
    )


def held_in_batch(
    connection: Connection, library: str, batch_id: int, today: date
) -> Mapping[uuid.UUID, frozenset[LoanKey]]:
    """The letters of a batch that name a held loan, each with the loans that are held."""
    found: dict[uuid.UUID, set[LoanKey]] = {}
    asked = {"library": library, "batch_id": batch_id, "today": today}
    for row in connection.execute(_OF_A_BATCH, asked):
        found.setdefault(row.delivery_id, set()).add(LoanKey(loan_id=row.loan_id, due_date=row.due_date))
    return {delivery_id: frozenset(loans) for delivery_id, loans in found.items()}
