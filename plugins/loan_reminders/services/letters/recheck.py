"""Before a batch of letters goes to the printer: is each still to leave? The ILS and the ledger are asked.

A batch may wait for days: meanwhile books come back, the next stage writes, another letter comes back from the same
address, a librarian says not to write.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from loan_reminders.domain.errors import RETRIED
from loan_reminders.domain.letters.batches import BatchLetter
from loan_reminders.domain.notices import LoanKey
from loan_reminders.domain.ports.letters import LetterBatches
from loan_reminders.domain.ports.outside import LoanSource
from loan_reminders.domain.states import Reason
from loan_reminders.services.runs.gone_loans import Progress, gone_loans, tell_nobody

_DOUBT = f"Le SIGB ne connaît plus {{left}} des {{count}} prêts de ce lot. {RETRIED}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recheck:
    """What has changed for the letters of a batch since it was laid out.

    `returned` (or lost, or claimed returned) and `renewed` count the letters left out because nothing of them is true
    any more; `partly` are the references of those that name a document returned or renewed meanwhile beside others
    still out. `held` counts the letters left out because a librarian said not to write about a document of theirs;
    `held_with_others` are the references of those of them that named other documents too. `superseded` counts the
    letters left out because a later stage tells of their documents, `dead_address` those left out because a letter came
    back from their address.
    """

    returned: int = 0
    renewed: int = 0
    partly: tuple[str, ...] = ()
    held: int = 0
    held_with_others: tuple[str, ...] = ()
    superseded: int = 0
    dead_address: int = 0

    @property
    def silent(self) -> bool:
        """Whether nothing has changed."""
        return self == Recheck()


def recheck(
    batches: LetterBatches,
    source: LoanSource,
    batch_id: int,
    *,
    since: date,
    today: date,
    who: str,
    progress: Progress = tell_nobody,
) -> Recheck:
    """Leave out of a closed batch the readers who brought everything back, or renewed everything, and who is unwanted.

    A letter of which only a part is over cannot be changed on paper: it stays, and is named. For the others see
    `leave_out_unwanted`. `since` is the day on which the batch was laid out, `progress` is told how many loans the ILS
    has answered about. Raises IlsUnavailable or IlsRejected when the ILS cannot be asked, and IlsUnavailable when it
    knows so few of many loans any more that it is not believed: nothing is left out then.
    """
    letters = [letter for letter in batches.letters_of(batch_id) if letter.left_out is None]
    gone = gone_loans(source, loans_of(letters), since=since, today=today, doubt=_DOUBT, progress=progress)
    over = {
        letter.delivery_id: _reason([gone[loan] for loan in letter.loans])
        for letter in letters
        if letter.loans and all(loan in gone for loan in letter.loans)
    }
    if over:
        batches.leave_out(batch_id, over, who=who)
    check = Recheck(
        returned=sum(reason is not Reason.RENEWED for reason in over.values()),
        renewed=sum(reason is Reason.RENEWED for reason in over.values()),
        partly=tuple(letter.reference for letter in letters if _partly(letter, gone)),
    )
    return leave_out_unwanted(batches, batch_id, check, today=today, who=who, gone=gone)


def leave_out_unwanted(
    batches: LetterBatches,
    batch_id: int,
    check: Recheck,
    *,
    today: date,
    who: str,
    gone: Collection[LoanKey] = frozenset(),
) -> Recheck:
    """Leave out of a closed batch what the ledger knows is not to leave today; adds it to `check`.

    These are the letters of which a later stage tells all that is still out (`gone` is what is not): both together
    would be a burst. That its day has come is not enough: it may have been stopped, refused or kept for a person to
    approve, and then nobody else tells the reader. Then those to an address from which a letter came back since, and
    every letter that names a document not to write about today. Paper cannot be changed: the other documents of such a
    letter wait too, for a run of the day again or the next stage.
    """
    letters = [letter for letter in batches.letters_of(batch_id) if letter.left_out is None]
    told, dead = batches.told_later(batch_id), batches.to_dead_addresses(batch_id)
    held = batches.held(batch_id, today=today)
    over: dict[uuid.UUID, Reason] = {}
    for letter in letters:
        if _is_told(letter, told, gone):
            over[letter.delivery_id] = Reason.SUPERSEDED
        elif letter.delivery_id in dead:
            over[letter.delivery_id] = Reason.DEAD_ADDRESS
        elif letter.delivery_id in held:
            over[letter.delivery_id] = Reason.HELD
    if not over or not batches.leave_out(batch_id, over, who=who):
        return check
    number = Counter(over.values())
    staying = {letter.reference for letter in letters if letter.delivery_id not in over}
    return replace(
        check,
        partly=tuple(reference for reference in check.partly if reference in staying),
        superseded=number[Reason.SUPERSEDED],
        dead_address=number[Reason.DEAD_ADDRESS],
        held=number[Reason.HELD],
        held_with_others=tuple(
            letter.reference
            for letter in letters
            if over.get(letter.delivery_id) is Reason.HELD and set(letter.loans) - held[letter.delivery_id]
        ),
    )


def _is_told(letter: BatchLetter, told: Collection[LoanKey], gone: Collection[LoanKey]) -> bool:
    return any(loan in told for loan in letter.loans) and all(loan in told or loan in gone for loan in letter.loans)


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
