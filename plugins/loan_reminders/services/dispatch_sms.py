"""Send the SMS of a run: one request at a time, each claimed before it leaves."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import closing

from loan_reminders.domain.errors import SmsAccountRejected, SmsGatewayUnavailable
from loan_reminders.domain.messages import Receipt, RenderedText
from loan_reminders.domain.notices import Delivery
from loan_reminders.domain.ports import Ledger, SmsGateway
from loan_reminders.domain.sms_batches import batches
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState, Reason
from loan_reminders.services.dispatch import Tally, not_sent, render_all
from loan_reminders.services.still_due import StillDue

log = logging.getLogger(__name__)


def send_sms(
    ledger: Ledger,
    gateway: SmsGateway,
    render: Callable[[Delivery], RenderedText],
    *,
    run_id: int,
    batch_size: int,
    still_due: StillDue,
) -> dict[str, int]:
    """Send what waits and is still due, `batch_size` recipients a request; returns deliveries by state.

    An SMS costs money and intrudes: one whose answer never came is IN_DOUBT, for a receipt or a person, and is
    never sent again by the program. Raises SmsGatewayUnavailable or SmsAccountRejected with everything recorded;
    the SMS of that request are planned again.
    """
    tally = Tally(channel="SMS")
    with closing(gateway), ledger.sender(run_id, Channel.SMS) as sender:
        receipts: list[Receipt] = []
        still_due.settle(sender)
        for page in sender.waiting():
            messages, failed = render_all(page, render)
            receipts += failed
            for batch in batches(messages, batch_size):
                claimed = sender.exchange(receipts, [message.delivery_id for message in batch])
                tally.count(receipts)
                ours = [message for message in batch if message.delivery_id in claimed]
                receipts = []
                if not ours:
                    continue
                try:
                    receipts = list(gateway.send(ours))
                except (SmsGatewayUnavailable, SmsAccountRejected):
                    sender.exchange(not_sent(ours), [])
                    raise
                except Exception as error:
                    sender.exchange([_in_doubt(message, error) for message in ours], [])
                    raise
            still_due.settle(sender)
        sender.exchange(receipts, [])
        tally.count(receipts)
    log.info("SMS : %s", tally.summary())
    if tally.states[DeliveryState.IN_DOUBT]:
        log.warning("%d SMS sans réponse certaine : ils ne repartiront pas", tally.states[DeliveryState.IN_DOUBT])
    return tally.summary()


def _in_doubt(message: RenderedText, error: Exception) -> Receipt:
    return Receipt(
        delivery_id=message.delivery_id,
        state=DeliveryState.IN_DOUBT,
        reason=Reason.INTERRUPTED,
        raw=type(error).__name__,
    )
