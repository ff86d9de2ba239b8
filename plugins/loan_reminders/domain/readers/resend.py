"""« Renvoyer »: a reader's last e-mail or SMS once more, as far as it is still true."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from loan_reminders.domain.errors import CodedError
from loan_reminders.domain.loans import Loan
from loan_reminders.domain.notices import LoanKey
from loan_reminders.domain.recipients import EmailAddress, MobileNumber
from loan_reminders.domain.stages import Channel, Policy, Stage
from loan_reminders.domain.states import DeliveryState, Reason


class ResendRefusal(StrEnum):
    """Why a message is not sent again.

    `NOT_ARRIVED`: the last one was refused or came back. `NOTHING_LEFT`: all of it is returned or renewed. `OVER`: its
    words are not true any more, and no later stage has a message by this channel. `LATER`: the server asks to wait.
    """

    NOTHING_SENT = "nothing_sent"
    BEING_SENT = "being_sent"
    NOT_ARRIVED = "not_arrived"
    ALREADY_TODAY = "already_today"
    HELD = "held"
    NO_RECIPIENT = "no_recipient"
    SUPPRESSED = "suppressed"
    OBJECTED = "objected"
    NO_CONSENT = "no_consent"
    WINDOW_CLOSED = "window_closed"
    NOTHING_LEFT = "nothing_left"
    OVER = "over"
    LATER = "later"


class ResendRefused(CodedError):
    """A message cannot be sent again, and was not; the code is a `ResendRefusal`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastMessage:
    """The last message that left, or may have left, for a reader by a channel.

    `loans` are those it told of, as the ILS last described them; `told` are their keys then. `recipient` is where the
    reader can be written to now, None when nowhere.
    """

    delivery_id: uuid.UUID
    run_id: int
    stage: Stage
    channel: Channel
    state: DeliveryState
    reason: Reason | None
    due_date: date
    sent_at: datetime
    loans: tuple[Loan, ...]
    recipient: EmailAddress | MobileNumber | None

    @property
    def told(self) -> tuple[LoanKey, ...]:
        """The loans it told of, in the cycle that it told of them."""
        return tuple(LoanKey(loan_id=loan.loan_id, due_date=self.due_date) for loan in self.loans)


@dataclass(frozen=True, slots=True, kw_only=True)
class LastSent:
    """The last message of a reader by a channel, as far as a page needs it to say whether it can be sent once more.

    `loan_ids` are the loans it told of; `recipient` is where the reader can be written to now, None when nowhere.
    """

    channel: Channel
    stage: Stage
    state: DeliveryState
    sent_at: datetime
    loan_ids: frozenset[str]
    recipient: EmailAddress | MobileNumber | None
    resent_today: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Resent:
    """A message that was sent again: about how many documents, and how many of the first message it left out.

    `state` is ACCEPTED, REFUSED (the server wants it not) or IN_DOUBT (no answer came).
    """

    delivery_id: uuid.UUID
    channel: Channel
    stage: Stage
    state: DeliveryState
    documents: int
    left_out: int


def stage_to_say(stage: Stage, channel: Channel, due_date: date, *, policy: Policy, today: date) -> Stage | None:
    """Whose words are true today: those of the message, but for one that asked to bring back before a day now past.

    That one gives way to the highest stage reached since that has words for this channel; None when there is none.
    """
    if policy.rule(stage).offset_days > 0 or today <= due_date:
        return stage
    reached = [
        rule
        for rule in policy.rules
        if rule.offset_days > 0
        and (today - due_date).days >= rule.offset_days
        and any(one.channel is channel for one in rule.channels)
    ]
    return max(reached, key=lambda rule: rule.offset_days).stage if reached else None
