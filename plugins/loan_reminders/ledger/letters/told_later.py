"""Which loans of a batch does a later stage tell of? Its letters about them would come together with the later ones."""

from __future__ import annotations

from sqlalchemy import Connection, text

from loan_reminders.domain.notices import LoanKey
from loan_reminders.ledger.tables.columns import STAGES_OF_LOANS

_ORDER = f"ARRAY[{STAGES_OF_LOANS}]"
# What waits for a person's yes may get a no, and then nothing leaves: it tells of a loan only once it was approved.
_NO_LONGER_ASKED = """CASE
    WHEN told.channel = 'registered_letter' AND told.state IN ('planned', 'in_doubt') THEN EXISTS (
        SELECT FROM letters draft JOIN letter_events event USING (batch_id)
        WHERE draft.delivery_id = told.delivery_id AND draft.left_out IS NULL AND event.act = 'approved'
    )
    WHEN told.state = 'planned' THEN (
        SELECT answer FROM volume_answers WHERE run_id = told.run_id ORDER BY answer_id DESC LIMIT 1
    ) IN ('usual', 'approved')
    ELSE true
END"""
_OF_A_BATCH = text(f"""
    SELECT claim.loan_id, claim.due_date
    FROM letters letter JOIN delivery_loans claim ON claim.delivery_id = letter.delivery_id AND claim.dropped IS NULL
    WHERE letter.library = :library AND letter.batch_id = :batch_id AND letter.left_out IS NULL AND EXISTS (
        SELECT FROM delivery_loans later JOIN deliveries told USING (delivery_id)
        WHERE later.library = claim.library AND later.loan_id = claim.loan_id AND later.due_date = claim.due_date
          AND later.live AND later.slot = 'written' AND NOT told.redirected
          AND array_position({_ORDER}, later.stage) > array_position({_ORDER}, claim.stage)
          AND {_NO_LONGER_ASKED}
    )
""")  # noqa: S608 - the pieces are this module's own


def told_later_in_batch(connection: Connection, library: str, batch_id: int) -> frozenset[LoanKey]:
    """The loans of a batch that an e-mail or a letter of a later stage tells of, or is about to by itself."""
    rows = connection.execute(_OF_A_BATCH, {"library": library, "batch_id": batch_id})
    return frozenset(LoanKey(loan_id=row.loan_id, due_date=row.due_date) for row in rows)
