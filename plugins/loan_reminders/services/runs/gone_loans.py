"""Which loans are over? The one rule, asked just before sending and just before a batch goes to the printer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date

from loan_reminders.domain.errors import IlsUnavailable
from loan_reminders.domain.notices import LoanKey
from loan_reminders.domain.ports.outside import LoanSource
from loan_reminders.domain.states import Reason

TOO_MANY_TO_VANISH = 20
"""When there are so many loans and the ILS knows none of them any more, it is the ILS that is doubted."""


ASKED_AT_ONCE = 256
"""Loans asked about one by one, between two lines of progress."""

Progress = Callable[[int], None]
"""Is told how many loans are known so far."""


def tell_nobody(_loans: int) -> None:
    """For a caller that shows no progress."""


def gone_loans(
    source: LoanSource, loans: Collection[LoanKey], *, today: date, doubt: str, progress: Progress = tell_nobody
) -> Mapping[LoanKey, Reason]:
    """The loans not to be reminded of any more at their due date, and why.

    RENEWED when they have another one now; NOT_TOLD when the ILS still has them as they were, so that they are lost,
    claimed returned, or of those that the settings leave out; else RETURNED.

    The ILS is asked once for all open loans of the due date that most of them have, then about the others by
    themselves. Raises like `LoanSource.loans_due`, and IlsUnavailable with the sentence `doubt`, whose `{count}` is the
    number of loans, when the ILS knows none of many. `progress` is told how many are known, a part at a time.
    """
    if not loans:
        return {}
    ordered = sorted(loans, key=lambda loan: (loan.due_date, loan.loan_id))
    day = Counter(loan.due_date for loan in ordered).most_common(1)[0][0]
    of_the_day = [loan for loan in ordered if loan.due_date == day]
    others = [loan for loan in ordered if loan.due_date != day]
    still_open = set(source.loan_ids_due(day, today=today))
    gone = [loan for loan in of_the_day if loan.loan_id not in still_open]
    progress(len(of_the_day) - len(gone))
    dates: dict[str, date] = {}
    for place in range(0, len(others), ASKED_AT_ONCE):
        dates |= _dates_now(source, others[place : place + ASKED_AT_ONCE])
        progress(len(of_the_day) - len(gone) + min(place + ASKED_AT_ONCE, len(others)))
    gone_others = [loan for loan in others if dates.get(loan.loan_id) != loan.due_date]
    if len(gone) + len(gone_others) == len(ordered) >= TOO_MANY_TO_VANISH:
        raise IlsUnavailable(doubt.format(count=len(ordered)))
    # Only now that the ILS is believed: what became of them?
    over = [*gone, *gone_others]
    now = source.on_loan_now([loan.loan_id for loan in over]) if over else {}
    return {loan: _why(now.get(loan.loan_id), loan) for loan in over}


def _why(now: date | None, loan: LoanKey) -> Reason:
    if now is None:
        return Reason.RETURNED
    return Reason.NOT_TOLD if now == loan.due_date else Reason.RENEWED


def _dates_now(source: LoanSource, loans: Sequence[LoanKey]) -> Mapping[str, date]:
    """The present due dates of those of these loans that are still to be reminded of."""
    return source.due_dates_now([loan.loan_id for loan in loans]) if loans else {}
