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
"""When so many loans, or more, are brought back and hardly one is left, it is the ILS that is doubted."""

TOO_MANY_IN_A_DAY = 10
"""The same, where the ILS said on this very day that they are open."""

STAY_OPEN = 0.5
"""Of loans that are open on a day, at least this part is open at its end, and so on day by day: it is not believed that
more was brought back. So a doubt without reason ends by itself: on the next day a quarter need be left, then an
eighth."""

ALL_BACK_AFTER_DAYS = 7
"""From this day on, none at all need be left of so few loans that their part is less than one: of 255 on the first."""

ASKED_AT_ONCE = 256
"""Loans asked about one by one, between two lines of progress."""

Progress = Callable[[int], None]
"""Is told how many loans are known so far."""


def tell_nobody(_loans: int) -> None:
    """For a caller that shows no progress."""


def gone_loans(
    source: LoanSource,
    loans: Collection[LoanKey],
    *,
    since: date,
    today: date,
    doubt: str,
    progress: Progress = tell_nobody,
) -> Mapping[LoanKey, Reason]:
    """The loans not to be reminded of any more at their due date, and why.

    RENEWED when they have another one now; NOT_TOLD when the ILS still has them as they were, so that they are lost,
    claimed returned, or of those that the settings leave out; else RETURNED.

    The ILS is asked once for all open loans of the due date that most of them have, then about the others by
    themselves. `since` is the day on which it last said that they were all open. Raises like `LoanSource.loans_due`,
    and IlsUnavailable with the sentence `doubt`, whose `{left}` says how many are left of its `{count}` loans, when the
    ILS does not know so many any more that it is not believed. `progress` is told how many are known, a part at a time.
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
    # What became of them? An ILS that knows them as renewed or lost is not silent, however many they are.
    over = [*gone, *gone_others]
    now = source.on_loan_now([loan.loan_id for loan in over]) if over else {}
    why = {loan: _why(now.get(loan.loan_id), loan) for loan in over}
    returned = sum(reason is Reason.RETURNED for reason in why.values())
    if not _may_be_back(returned, of=len(ordered), days=(today - since).days):
        left = len(ordered) - returned
        raise IlsUnavailable(doubt.format(left=f"que {left}" if left else "aucun", count=len(ordered)))
    return why


def _why(now: date | None, loan: LoanKey) -> Reason:
    if now is None:
        return Reason.RETURNED
    return Reason.NOT_TOLD if now == loan.due_date else Reason.RENEWED


def _may_be_back(returned: int, *, of: int, days: int) -> bool:
    """Whether so many loans may have been brought back within so many days."""
    if returned < (TOO_MANY_IN_A_DAY if days <= 0 else TOO_MANY_TO_VANISH):
        return True
    left = of * STAY_OPEN ** (max(0, days) + 1)
    return returned <= of - left or (left < 1 and days >= ALL_BACK_AFTER_DAYS)


def _dates_now(source: LoanSource, loans: Sequence[LoanKey]) -> Mapping[str, date]:
    """The present due dates of those of these loans that are still to be reminded of."""
    return source.due_dates_now([loan.loan_id for loan in loans]) if loans else {}
