"""SMS that left, and what the provider says of them, for the ledger's tests."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from loan_reminders.domain.messages import Receipt
from loan_reminders.domain.notices import Delivery
from loan_reminders.domain.sms.feedback import AckStatus, BlacklistEntry, SmsAck, SmsReply
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState, Reason
from loan_reminders.ledger.repository import PostgresLedger
from tests.scenes.builders import a_delivery, a_loan, a_mobile, a_notice, a_patron
from tests.scenes.ledger_runs import answer, ids, planned, rows

NUMBER = "33639980001"
CAMPAIGN = "ap_1"


def an_sms(number: str = NUMBER) -> Delivery:
    loan = a_loan(loan_id=f"L{uuid.uuid4()}", patron=a_patron(patron_id=f"P{number}", mobile=a_mobile(number)))
    return a_delivery(channel=Channel.SMS, notice=a_notice(loans=(loan,)), recipient=a_mobile(number))


def left(
    ledger: PostgresLedger,
    number: str = NUMBER,
    state: DeliveryState = DeliveryState.ACCEPTED,
    reason: Reason | None = None,
    *,
    campaign: str = CAMPAIGN,
    sms_id: str = "",
    dag_run_id: str = "",
) -> uuid.UUID:
    """An SMS that was attempted, with the answer given."""
    delivery = an_sms(number)
    run = planned(ledger, [delivery], dag_run_id=dag_run_id or f"run {uuid.uuid4()}")
    with ledger.sender(run.run_id, Channel.SMS) as sender:
        assert sender.claim(ids([delivery]))
        receipt: Receipt = answer(delivery, state, reason, provider_id=sms_id, campaign_id=campaign, segments=1)
        sender.record([receipt])
    return delivery.delivery_id


def ack(
    status: AckStatus,
    number: str = NUMBER,
    *,
    campaign: str = CAMPAIGN,
    sms_id: str = "",
    minutes: int = 1,
    comment: str = "",
) -> SmsAck:
    """A receipt dated some minutes from now."""
    return SmsAck(
        phone_number=number,
        status=status,
        comment=comment,
        received_at=moment(minutes),
        sms_id=sms_id,
        campaign_id=campaign,
    )


def reply(text: str, number: str = NUMBER, *, reply_id: str = "mo-1", minutes: int = 0) -> SmsReply:
    return SmsReply(reply_id=reply_id, phone_number=number, text=text, received_at=moment(minutes))


def blacklisted(number: str = NUMBER, comment: str = "stop", *, minutes: int | None = 0) -> BlacklistEntry:
    received_at = None if minutes is None else moment(minutes)
    return BlacklistEntry(phone_number=number, comment=comment, received_at=received_at)


def moment(minutes: int) -> datetime:
    return datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=minutes)


def state(ledger: PostgresLedger, delivery_id: uuid.UUID) -> tuple[str, str | None]:
    [row] = rows(ledger, "SELECT state, reason FROM deliveries WHERE delivery_id = :id", id=delivery_id)
    return row[0], row[1]


def receipts_of(ledger: PostgresLedger, delivery_id: uuid.UUID) -> list[tuple[str, bool]]:
    """The receipts of a delivery: state and whether it was applied."""
    query = "SELECT state, applied FROM receipts WHERE delivery_id = :id ORDER BY receipt_id"
    return [(row[0], row[1]) for row in rows(ledger, query, id=delivery_id)]


def received(ledger: PostgresLedger, *acks: SmsAck, failures: int = 2):
    """Keep receipts and settle them."""
    feedback = ledger.feedback()
    feedback.keep_acks(acks)
    return feedback.settle(failures=failures)


def in_force(ledger: PostgresLedger) -> dict[str, str]:
    """The list: number and reason."""
    return {line.recipient: line.reason.value for line in ledger.feedback().suppressions() if line.in_force}
