"""Before a batch of letters goes to the printer: ask the ILS again what its letters are about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from loan_reminders.domain.errors import RETRIED
from loan_reminders.domain.letters.batches import BatchLetter
from loan_reminders.domain.notices import LoanKey
from loan_reminders.domain.ports.letters import LetterBatches
from loan_reminders.domain.ports.outside import LoanSource
from loan_reminders.domain.states import Reason
from loan_reminders.services.runs.gone_loans import Progress, gone_loans, tell_nobody

_DOUBT = f"Le SIGB ne connaît plus aucun des {{count}} prêts de ce lot. {RETRIED}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recheck:
    """What the ILS, and librarians, say of a batch since it was laid out.

    `returned` (or lost, or claimed returned) and `renewed` count the letters left out because nothing of them is true
    any more; `partly` are the
    references of those that name a document returned or renewed meanwhile beside others still out. `held` counts the
    letters left out because a librarian said not to write about a document of theirs; `held_with_others` are the
    references of those of them that named other documents too.
    """

    returned: int = 0
    renewed: int = 0
    partly: tuple[str, ...] = ()
    held: int = 0
    held_with_others: tuple[str, ...] = ()

    @property
    def silent(self) -> bool:
        """Whether nothing has changed."""
        return not (self.returned or self.renewed or self.partly or self.held)


def recheck(
    batches: LetterBatches,
    source: LoanSource,
    batch_id: int,
    *,
    today: date,
    who: str,
    progress: Progress = tell_nobody,
) -> Recheck:
    """Leave out of a closed batch the readers who brought everything back, or renewed everything.

    A letter of which only a part is over cannot be changed on paper: it stays, and is named. `progress` is told how
    many loans the ILS has answered about. Raises IlsUnavailable or IlsRejected when the ILS cannot be asked, and
    IlsUnavailable when it knows none of many loans any more: nothing is left out then.
    """
    letters = [letter for letter in batches.letters_of(batch_id) if letter.left_out is None]
    gone = gone_loans(source, loans_of(letters), today=today, doubt=_DOUBT, progress=progress)
    over = {
        letter.delivery_id: _reason([gone[loan] for loan in letter.loans])
        for letter in letters
        if letter.loans and all(loan in gone for loan in letter.loans)
    }
    if over:
        batches.leave_out(batch_id, over, who=who)
    return Recheck(
        returned=sum(reason is not Reason.RENEWED for reason in over.values()),
        renewed=sum(reason is Reason.RENEWED for reason in over.values()),
        partly=tuple(letter.reference for letter in letters if _partly(letter, gone)),
    )


def leave_out_held(batches: LetterBatches, batch_id: int, check: Recheck, *, today: date, who: str) -> Recheck:
    """Leave out of a closed batch every letter that names a document not to write about today; adds it to `check`.

    Paper cannot be changed: the other documents of such a letter wait too, for a run of the day again or the next
    stage.
    """
    held = batches.held(batch_id, today=today)
    if not held:
        return check
    letters = [letter for letter in batches.letters_of(batch_id) if letter.delivery_id in held]
    if not batches.leave_out(batch_id, {letter.delivery_id: Reason.HELD for letter in letters}, who=who):
        return check
    with_others = [letter.reference for letter in letters if set(letter.loans) - held[letter.delivery_id]]
    return replace(check, held=len(letters), held_with_others=tuple(with_others))


def loans_of(letters: Iterable[BatchLetter]) -> set[LoanKey]:
    """The loans that the letters which are to be posted are about."""
    return {loan for letter in letters if letter.left_out is None for loan in letter.loans}


def _reason(reasons: Sequence[Reason]) -> Reason:
    """Of a letter about several loans; one that is not returned must not be taken for it."""
    if Reason.NOT_TOLD in reasons:
        return Reason.NOT_TOLD
    return Reason.RENEWED if set(reasons) == {Reason.RENEWED} else Reason.RETURNED


def _partly(letter: BatchLetter, gone: Mapping[LoanKey, Reason]) -> bool:
    over = [loan in gone for loan in letter.loans]
    return any(over) and not all(over)
