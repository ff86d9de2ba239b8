"""Loans of other days whose e-mail of this stage failed: the next run of the stage takes them up, for a letter."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, text

from loan_reminders.domain.loans import Loan
from loan_reminders.ledger.json_codecs import decode_loan
from loan_reminders.ledger.runs.taking_over import NOT_ARRIVED

# A run that saw the loan after its e-mail failed has decided about it, unless it died with the letter in hand or the
# loan was held that day. The run that sent the e-mail has decided when it had a letter for it, or wrote down why there
# is none.
_LOANS_OF_FAILED_EMAILS = text(f"""
    SELECT DISTINCT ON (claim.loan_id, claim.due_date) seen.record
    FROM runs run
    JOIN runs former ON former.library = run.library AND former.stage = run.stage AND former.run_id <> run.run_id
     AND NOT former.dry_run AND former.kind = 'daily'
     AND former.started_at >= CAST(:since AS timestamptz) - interval '31 days'
    JOIN deliveries delivery ON delivery.run_id = former.run_id AND {NOT_ARRIVED} AND delivery.answered_at >= :since
    JOIN notices notice USING (notice_id)
    JOIN delivery_loans claim ON claim.delivery_id = delivery.delivery_id AND claim.dropped IS NULL
    JOIN loans_seen seen ON seen.run_id = notice.run_id AND seen.loan_id = claim.loan_id
     AND seen.due_date = claim.due_date
    CROSS JOIN LATERAL (
        SELECT coalesce(bool_or(holder.state = 'planned' AND holder.run_id <> run.run_id), false) AS waits,
               coalesce(bool_or(holder.state <> 'planned' OR holder.run_id = run.run_id), false) AS taken
        FROM delivery_loans held JOIN deliveries holder USING (delivery_id)
        WHERE held.library = run.library AND held.loan_id = claim.loan_id AND held.due_date = claim.due_date
          AND held.stage = run.stage AND held.slot = 'written' AND held.live
    ) AS slot
    WHERE run.run_id = :run_id AND run.library = :library AND NOT slot.taken
      AND NOT EXISTS (
          SELECT FROM loans_seen here
          WHERE here.run_id = run.run_id AND here.loan_id = claim.loan_id AND here.due_date = claim.due_date
      )
      AND (slot.waits OR NOT EXISTS (
          SELECT FROM runs later JOIN loans_seen again USING (run_id)
          WHERE later.library = run.library AND later.stage = run.stage AND later.run_id <> run.run_id
            AND NOT later.dry_run AND later.kind = 'daily' AND later.planned_at > delivery.answered_at
            AND again.loan_id = claim.loan_id AND again.due_date = claim.due_date
            AND NOT EXISTS (
                SELECT FROM skips put_off
                WHERE put_off.run_id = later.run_id AND put_off.loan_id = claim.loan_id
                  AND put_off.due_date = claim.due_date AND put_off.reason = 'held'
            )
      ) AND NOT EXISTS (
          SELECT FROM delivery_loans freed JOIN deliveries letter USING (delivery_id)
          WHERE freed.library = run.library AND freed.loan_id = claim.loan_id AND freed.due_date = claim.due_date
            AND freed.stage = run.stage AND NOT freed.live AND letter.run_id = former.run_id
            AND letter.channel = 'letter'
      ) AND NOT EXISTS (
          SELECT FROM skips skip
          WHERE skip.run_id = former.run_id AND skip.loan_id = claim.loan_id AND skip.due_date = claim.due_date
            AND skip.slot = 'written' AND skip.reason <> 'held'
      ))
    ORDER BY claim.loan_id, claim.due_date
""")  # noqa: S608 - the condition is a module's own


def loans_of_failed_emails(connection: Connection, library: str, run_id: int, *, since: datetime) -> Sequence[Loan]:
    """Loans of other days whose e-mail of this run's stage failed since, and that no run has taken up again."""
    asked = {"library": library, "run_id": run_id, "since": since}
    return tuple(decode_loan(record) for record in connection.execute(_LOANS_OF_FAILED_EMAILS, asked).scalars())
