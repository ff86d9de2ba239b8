"""What the ledger tells of a message or of a day without one, for the tests of what is said about them."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime
from typing import Any

from loan_reminders.domain.dispute.loan_file import (
    Answer,
    BounceSeen,
    DeliveryRecord,
    Dispute,
    LetterFacts,
    RegisteredFacts,
    SkipRecord,
    SuppressionRecord,
)
from loan_reminders.domain.email.feedback import BounceKind
from loan_reminders.domain.letters.batches import BatchState, RegisteredState
from loan_reminders.domain.stages import Channel, Slot, Stage
from loan_reminders.domain.states import DeliveryState, SkipReason
from loan_reminders.domain.suppressions.suppression import SuppressionReason, SuppressionSource
from tests.scenes.builders import DUE_DATE, an_email

AT = datetime(2026, 11, 27, 9, 3, tzinfo=UTC)
DAY = date(2026, 11, 27)


def a_record(channel: Channel = Channel.EMAIL, state: DeliveryState = DeliveryState.ACCEPTED, **more: Any):
    """One message of the overdue notice."""
    usual = {
        "delivery_id": uuid.uuid4(), "stage": Stage.OVERDUE_NOTICE, "channel": channel, "due_date": DUE_DATE,
        "day": DAY, "recipient": an_email(), "documents": 1, "dropped": None, "state": state, "reason": None,
        "attempts": 1, "resent_in_doubt": False, "claimed_at": AT, "provider_id": "", "campaign_id": "", "segments": 0,
        "words": None, "answers": (), "bounces": (), "letter": None, "registered": None, "steps": (),
    }  # fmt: skip
    return DeliveryRecord(**(usual | more))


def an_answer(state: DeliveryState = DeliveryState.ACCEPTED, **more: Any) -> Answer:
    """What a server, the provider or an operator said."""
    usual = {"at": AT, "state": state, "reason": None, "provider_id": "", "raw": "", "applied": True}
    return Answer(**(usual | more))


def a_bounce(kind: BounceKind = BounceKind.HARD, **more: Any) -> BounceSeen:
    """A report that an e-mail came back."""
    usual = {"at": AT, "kind": kind, "recipient": "x@example.fr", "status": "5.1.1", "diagnostic": "550 5.1.1 unknown"}
    return BounceSeen(**(usual | more))


def a_letter(state: BatchState = BatchState.PRINTED, **more: Any) -> LetterFacts:
    """A letter's place in its batch."""
    usual = {
        "batch_id": 7, "batch": "lot", "batch_state": state, "location": "", "reference": "R1-7ZK3QD4M",
        "first_page": 1, "last_page": 1, "left_out": None, "printed_at": AT, "printed_by": "chloé",
    }  # fmt: skip
    return LetterFacts(**(usual | more))


def registered_facts(state: RegisteredState, **more: Any) -> RegisteredFacts:
    """How far a registered letter is."""
    usual = {
        "state": state, "tracking_number": "", "posted_on": None, "acknowledged_on": None, "returned_on": None,
        "return_reason": None,
    }  # fmt: skip
    return RegisteredFacts(**(usual | more))


def a_skip(reason: SkipReason, *, slot: Slot | None = None, detail: str = "", day: date = DAY) -> SkipRecord:
    """A day on which nothing left, and why."""
    return SkipRecord(
        day=day, stage=Stage.OVERDUE_NOTICE, due_date=DUE_DATE, slot=slot, reason=reason, detail=detail
    )  # fmt: skip


def a_suppression(**more: Any) -> SuppressionRecord:
    """A line of the list of those not written to any more."""
    usual = {
        "channel": Channel.EMAIL, "recipient": an_email(), "reason": SuppressionReason.HARD_BOUNCE,
        "source": SuppressionSource.BOUNCES, "since": AT, "until": None, "detail": "", "lifted_at": None,
        "lifted_by": "",
    }  # fmt: skip
    return SuppressionRecord(**(usual | more))


def a_dispute(*deliveries: DeliveryRecord, skips: tuple[SkipRecord, ...] = (), **more: Any) -> Dispute:
    """The file of the loan L1."""
    usual = {"loan_id": "L1", "cycles": (), "deliveries": deliveries, "skips": skips, "suppressions": ()}
    return Dispute(**(usual | more))
