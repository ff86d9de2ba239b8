"""The transaction in which letters take the place of e-mails that did not arrive, within the run that sent them."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from itertools import groupby, islice
from typing import Self

from sqlalchemy import text

from loan_reminders.domain.loans import Loan
from loan_reminders.domain.notices import LoanKey, Refused
from loan_reminders.domain.recipients import EmailAddress, Recipient
from loan_reminders.ledger.faults import ledger_errors
from loan_reminders.ledger.json_codecs import decode_loan
from loan_reminders.ledger.readers.held import IN_FORCE
from loan_reminders.ledger.runs.planning import READERS_IN_A_PAGE, PostgresPlanning

# An e-mail that will not reach its reader, who may have refused e-mails while it waited. One that could not be composed
# is our own fault: it is the desk's. One that was redirected failed at a test address: no letter takes its place.
NOT_ARRIVED = """(
    delivery.channel = 'email' AND NOT delivery.redirected
    AND (delivery.state IN ('refused', 'bounced', 'failed')
         AND coalesce(delivery.reason, '') NOT IN ('not_rendered', 'text_too_long')
         OR delivery.state = 'cancelled' AND delivery.reason IN ('dead_address', 'opted_out'))
)"""
# Each loan once. A reader who had a letter of this stage, was recorded as out of reach or is still held is left out.
_LOANS_OF_FAILED_EMAILS = text(f"""
    SELECT DISTINCT ON (seen.patron_id COLLATE "C", seen.seq, seen.loan_id, seen.due_date)
           seen.patron_id, seen.record, seen.loan_id, seen.due_date, delivery.recipient
    FROM deliveries delivery
    JOIN delivery_loans claim ON claim.delivery_id = delivery.delivery_id AND claim.dropped IS NULL
    JOIN loans_seen seen ON seen.run_id = delivery.run_id AND seen.loan_id = claim.loan_id
     AND seen.due_date = claim.due_date
    WHERE delivery.library = :library AND delivery.run_id = :run_id AND {NOT_ARRIVED}
      AND NOT EXISTS (
          SELECT FROM delivery_loans held
          WHERE held.library = :library AND held.loan_id = claim.loan_id AND held.due_date = claim.due_date
            AND held.stage = :stage AND held.slot = 'written' AND held.live
      )
      AND NOT EXISTS (
          SELECT FROM delivery_loans freed JOIN deliveries letter USING (delivery_id)
          WHERE freed.library = :library AND freed.loan_id = claim.loan_id AND freed.due_date = claim.due_date
            AND freed.stage = :stage AND NOT freed.live AND letter.run_id = :run_id AND letter.channel = 'letter'
      )
      AND NOT EXISTS (
          SELECT FROM skips skip
          WHERE skip.run_id = :run_id AND skip.loan_id = claim.loan_id AND skip.due_date = claim.due_date
            AND skip.slot = 'written' AND (skip.reason <> 'held' OR EXISTS (
                SELECT FROM holds hold
                WHERE hold.library = :library AND hold.patron_id = skip.patron_id AND {IN_FORCE}
                  AND hold.loan_id IN ('', skip.loan_id)
            ))
      )
    ORDER BY seen.patron_id COLLATE "C", seen.seq, seen.loan_id, seen.due_date, delivery.answered_at DESC
""")  # noqa: S608 - the condition is this module's own
_COUNT_PLANNED = text("UPDATE runs SET deliveries_planned = deliveries_planned + :planned WHERE run_id = :run_id")


class PostgresTakeOver(PostgresPlanning):
    """A planned run once more, for the loans of its e-mails that did not arrive. Fulfils `Planning`.

    Done again, it finds nothing left; two at once wait for each other.
    """

    def __enter__(self) -> Self:
        super().__enter__()
        self._planned_before, self._done_before = self._done_before, False
        self._mark = _COUNT_PLANNED
        self._failed: dict[LoanKey, set[Recipient]] = {}
        return self

    def _read_pages(self) -> Generator[Sequence[Sequence[Loan]]]:
        asked = {
            "library": self._library,
            "run_id": self._run.run_id,
            "stage": self._run.stage.value,
            "today": self._run.today,
        }
        with ledger_errors():
            rows = self._open().execute(_LOANS_OF_FAILED_EMAILS, asked).all() if self._planned_before else []
        for row in rows:
            key = LoanKey(loan_id=row.loan_id, due_date=row.due_date)
            self._failed.setdefault(key, set()).add(EmailAddress(value=row.recipient))
        readers = (
            tuple(decode_loan(row.record) for row in loans) for _, loans in groupby(rows, key=lambda row: row.patron_id)
        )
        while page := tuple(islice(readers, READERS_IN_A_PAGE)):
            yield page

    def refused(self, keys: Sequence[LoanKey]) -> Refused:
        """The recipients that refused this stage's message about these loans, bounced it, or were given up."""
        known = super().refused(keys)
        return {key: {*known.get(key, ()), *self._failed.get(key, ())} for key in keys}
