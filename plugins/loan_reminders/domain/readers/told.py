"""Whether a reader was told about a loan: what became of each message, and of the last one.

Nobody knows that a reader has read. What is known is how far a message came, and it is said no better than that.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from loan_reminders.domain.dispute.loan_file import DeliveryRecord, Dispute, SkipRecord
from loan_reminders.domain.letters.batches import BatchState, RegisteredState
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState, SkipReason

S = DeliveryState


class Outcome(StrEnum):
    """How far a message came.

    `ARRIVED`: the reader's mail server or telephone took it, or the reader signed for it. `LEFT`: it is with the
    provider of SMS or the post, and nothing came back. `WAITING`: it has not left. `IN_DOUBT`: nobody can say.
    `NOT_ARRIVED`: it did not reach the reader. `CALLED_OFF`: it was not to leave any more. `REDIRECTED`: it went to a
    test address of the library's, whatever became of it there.
    """

    ARRIVED = "arrived"
    LEFT = "left"
    WAITING = "waiting"
    IN_DOUBT = "in_doubt"
    NOT_ARRIVED = "not_arrived"
    CALLED_OFF = "called_off"
    REDIRECTED = "redirected"


TOLD = frozenset({Outcome.ARRIVED, Outcome.LEFT})
"""What counts as having told a reader."""

_BY_STATE = {
    S.PLANNED: Outcome.WAITING,
    S.CLAIMED: Outcome.WAITING,
    S.DELIVERED: Outcome.ARRIVED,
    S.IN_DOUBT: Outcome.IN_DOUBT,
    S.CANCELLED: Outcome.CALLED_OFF,
    S.REFUSED: Outcome.NOT_ARRIVED,
    S.BOUNCED: Outcome.NOT_ARRIVED,
    S.FAILED: Outcome.NOT_ARRIVED,
}
_BY_BATCH = {
    BatchState.DRAFT: Outcome.WAITING,
    BatchState.READY: Outcome.WAITING,
    BatchState.PRINTED: Outcome.LEFT,
    BatchState.ABANDONED: Outcome.CALLED_OFF,
}
_BY_REGISTERED = {
    RegisteredState.POSTED: Outcome.LEFT,
    RegisteredState.ACKNOWLEDGED: Outcome.ARRIVED,
    RegisteredState.RETURNED: Outcome.NOT_ARRIVED,
}
_SAYS_NOTHING_NEW = frozenset({SkipReason.ALREADY_SENT, SkipReason.DUPLICATE_ROW})


def outcome(delivery: DeliveryRecord) -> Outcome:
    """How far one message came, as far as this loan is concerned."""
    if delivery.dropped is not None:
        return Outcome.CALLED_OFF
    if delivery.redirected and delivery.state not in (S.PLANNED, S.CANCELLED):
        return Outcome.REDIRECTED
    if delivery.state is not S.ACCEPTED:
        return _BY_STATE[delivery.state]
    match delivery.channel:
        case Channel.EMAIL:
            # The server took it, and a report of trouble came after all.
            return Outcome.IN_DOUBT if delivery.bounces else Outcome.ARRIVED
        case Channel.SMS:
            return Outcome.LEFT
        case Channel.LETTER:
            return _of_letter(delivery)
        case Channel.REGISTERED_LETTER:
            registered = delivery.registered
            on_its_way = None if registered is None else _BY_REGISTERED.get(registered.state)
            # Printed is not posted: a registered letter leaves with its number only.
            return on_its_way or (Outcome.WAITING if _of_letter(delivery) in TOLD else _of_letter(delivery))


def _of_letter(delivery: DeliveryRecord) -> Outcome:
    letter = delivery.letter
    if letter is None:
        return Outcome.WAITING
    return Outcome.CALLED_OFF if letter.left_out is not None else _BY_BATCH[letter.batch_state]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What can be answered to a reader who says « I was never told » about a loan.

    `times` counts the stages of the loan's due dates by which at least one message came as far as can be known; `last`
    is the last message that was to leave, with its `outcome`; `why_not` is the last reason why nothing left, None when
    there is none.
    """

    times: int
    last: DeliveryRecord | None
    outcome: Outcome | None
    why_not: SkipRecord | None


def told(dispute: Dispute) -> Told:
    """What was said about a loan, and how sure it is."""
    outcomes = [(one, outcome(one)) for one in dispute.deliveries]
    sent = [(one, how) for one, how in outcomes if how is not Outcome.CALLED_OFF]
    last, how = sent[-1] if sent else (None, None)
    reasons = [skip for skip in dispute.skips if skip.reason not in _SAYS_NOTHING_NEW]
    return Told(
        times=len({(one.stage, one.due_date) for one, how in outcomes if how in TOLD}),
        last=last,
        outcome=how,
        why_not=reasons[-1] if reasons else None,
    )
