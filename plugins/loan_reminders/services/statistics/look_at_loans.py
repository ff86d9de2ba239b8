"""Once a night: which of the loans that runs have seen are still open? The ILS is asked, and never written to."""

from __future__ import annotations

import logging
from datetime import date, timedelta

from loan_reminders.domain.errors import IlsUnavailable
from loan_reminders.domain.notices import LoanKey
from loan_reminders.domain.ports.outside import LoanSource
from loan_reminders.domain.ports.statistics import LoanEnds
from loan_reminders.domain.statistics.loan_ends import LoanEnd
from loan_reminders.french.plurals import many
from loan_reminders.services.runs.gone_loans import TOO_MANY_TO_VANISH

log = logging.getLogger(__name__)

PAGE = 1_000
"""About how many loans are asked about, and kept, at a time."""

COUNTED_AGAIN = timedelta(days=40)
"""How far back a look may change figures: seven days of returns, and a run that was closed late."""

MONTH = timedelta(days=30)

_DOUBT = (
    "Le SIGB ne connaît plus aucun des {count} prêts demandés : aucun n'est tenu pour rendu. "
    "Vérifier la base du SIGB ; la tâche sera essayée à nouveau."
)


def look_at_loans(ends: LoanEnds, source: LoanSource, *, today: date, months: int) -> dict[str, int]:
    """Ask the ILS about every loan not known to have ended, and keep the first day on which it was not open any more.

    A loan with another due date now is renewed, one that the ILS does not have any more is returned; one that is lost
    or claimed returned is neither, and stays with all that was said about it. What is killed on
    the way has kept whole pages, and the next look begins anew; a second look on the same day changes nothing.

    Args:
        ends: Where ends are kept.
        source: The ILS.
        today: The library's day on which the look began.
        months: After how many months past its due date a loan is not asked about any more.

    Raises IlsUnavailable or IlsRejected as the ILS says, and IlsUnavailable when it knows none of many loans.
    """
    counted = ends.learn()
    given_up = ends.give_up(before=today - months * MONTH, today=today)
    followed = ends.how_many()
    # Pages of one size: a short last one might vanish by chance.
    page = -(-followed // max(1, round(followed / PAGE))) if followed else PAGE
    asked = returned = renewed = 0
    after: LoanKey | None = None
    while loans := ends.followed(after=after, page=page):
        after = loans[-1]
        dates = source.on_loan_now(list(dict.fromkeys(loan.loan_id for loan in loans)))
        gone = {loan: _end(dates.get(loan.loan_id)) for loan in loans if dates.get(loan.loan_id) != loan.due_date}
        if len(gone) == len(loans) >= TOO_MANY_TO_VANISH and not dates:
            raise IlsUnavailable(_DOUBT.format(count=len(loans)))
        ends.record(today=today, still_open=[loan for loan in loans if loan not in gone], ended=gone)
        asked += len(loans)
        returned += sum(end is LoanEnd.RETURNED for end in gone.values())
        renewed += sum(end is LoanEnd.RENEWED for end in gone.values())
    ends.looked(today=today, since=today - COUNTED_AGAIN, asked=asked, ended=returned + renewed)
    log.info("Prêts demandés au SIGB : %d, dont rendus : %d, prolongés : %d", asked, returned, renewed)
    if given_up:
        log.info("Prêts en retard depuis plus de %d mois, qui ne sont plus suivis : %d", months, given_up)
    if counted:
        log.info("%s pour la première fois", many(counted, "tournée comptée", "tournées comptées"))
    return {"asked": asked, "returned": returned, "renewed": renewed, "given_up": given_up}


def _end(due_date: date | None) -> LoanEnd:
    return LoanEnd.RETURNED if due_date is None else LoanEnd.RENEWED
