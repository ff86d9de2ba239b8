"""Before a batch of letters goes to the printer: ask the ILS again what its letters are about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from loan_reminders.domain.errors import RETRIED, IlsUnavailable
from loan_reminders.domain.letters.batches import BatchLetter
from loan_reminders.domain.notices import LoanKey
from loan_reminders.domain.ports.letters import LetterLedger
from loan_reminders.domain.ports.outside import LoanSource
from loan_reminders.domain.states import Reason
from loan_reminders.services.runs.still_due import TOO_MANY_TO_VANISH


@dataclass(frozen=True, slots=True, kw_only=True)
class Recheck:
    """What the ILS says of a batch since it was laid out.

    `returned` and `renewed` count the letters left out because nothing of them is true any more; `partly` are the
    references of those that name a document returned or renewed meanwhile beside others still out.
    """

    returned: int = 0
    renewed: int = 0
    partly: tuple[str, ...] = ()

    @property
    def silent(self) -> bool:
        """Whether there is nothing to tell."""
        return not (self.returned or self.renewed or self.partly)


def recheck(books: LetterLedger, source: LoanSource, batch_id: int, *, today: date, who: str) -> Recheck:
    """Leave out of a closed batch the readers who brought everything back, or renewed everything.

    A letter of which only a part is over cannot be changed on paper: it stays, and is named. Raises IlsUnavailable or
    IlsRejected when the ILS cannot be asked, and IlsUnavailable when it knows none of many loans any more: nothing is
    left out then.
    """
    letters = [letter for letter in books.letters_of(batch_id) if letter.left_out is None]
    gone = _gone(source, sorted({loan for letter in letters for loan in letter.loans}, key=_order), today=today)
    over = {
        letter.delivery_id: _reason([gone[loan] for loan in letter.loans])
        for letter in letters
        if letter.loans and all(loan in gone for loan in letter.loans)
    }
    if over:
        books.leave_out(batch_id, over, who=who)
    return Recheck(
        returned=sum(reason is Reason.RETURNED for reason in over.values()),
        renewed=sum(reason is Reason.RENEWED for reason in over.values()),
        partly=tuple(letter.reference for letter in letters if _partly(letter, gone)),
    )


def _gone(source: LoanSource, loans: Sequence[LoanKey], *, today: date) -> Mapping[LoanKey, Reason]:
    """The loans that are not open any more at their due date, and why: one question a due date, then about those."""
    still: set[LoanKey] = set()
    for due in sorted({loan.due_date for loan in loans}):
        still |= {LoanKey(loan_id=loan_id, due_date=due) for loan_id in source.loan_ids_due(due, today=today)}
    gone = [loan for loan in loans if loan not in still]
    if len(gone) == len(loans) >= TOO_MANY_TO_VANISH:
        raise IlsUnavailable(f"Le SIGB ne connaît plus aucun des {len(loans)} prêts de ce lot. {RETRIED}")
    dates = source.due_dates_now([loan.loan_id for loan in gone]) if gone else {}
    answers = ((loan, dates.get(loan.loan_id)) for loan in gone)
    return {loan: Reason.RETURNED if due in (None, loan.due_date) else Reason.RENEWED for loan, due in answers}


def _reason(reasons: Sequence[Reason]) -> Reason:
    return Reason.RENEWED if set(reasons) == {Reason.RENEWED} else Reason.RETURNED


def _partly(letter: BatchLetter, gone: Mapping[LoanKey, Reason]) -> bool:
    over = [loan in gone for loan in letter.loans]
    return any(over) and not all(over)


def _order(loan: LoanKey) -> tuple[date, str]:
    return loan.due_date, loan.loan_id
