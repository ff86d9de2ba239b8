"""Send the SMS of a run: one request at a time, each claimed before it leaves, all of them paid for beforehand."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime

from loan_reminders.domain.errors import SmsAccountRejected, SmsGatewayUnavailable
from loan_reminders.domain.messages import Receipt, RenderedText, SentWords
from loan_reminders.domain.notices import Delivery
from loan_reminders.domain.ports.outside import Ledger, Sender, SmsProvider
from loan_reminders.domain.recipients import MobileNumber
from loan_reminders.domain.sms.batches import batches
from loan_reminders.domain.sms.budget import SmsBudget
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState, Reason
from loan_reminders.services.dispatch import Tally, not_sent, render_all
from loan_reminders.services.runs.still_due import StillDue
from loan_reminders.services.sms.budget import check_budget

log = logging.getLogger(__name__)

Render = Callable[[Delivery], RenderedText]


def send_sms(
    ledger: Ledger,
    provider: SmsProvider,
    render: Render,
    *,
    run_id: int,
    batch_size: int,
    still_due: StillDue,
    budget: SmsBudget,
    now: datetime,
) -> dict[str, int]:
    """Send what waits and is still due, `batch_size` recipients a request; returns deliveries by state.

    The cost of the whole run is compared with the credit and the caps first. A number gets one SMS a day (`now` is
    aware, in the library's zone), even when readers share it. Both are read once: a library has one sender of SMS at a
    time. An SMS costs money and intrudes: one whose answer never came is IN_DOUBT, for a receipt or a person, and is
    never sent again by the program. Raises LedgerUnavailable when another run of the library is texting,
    SmsGatewayUnavailable, SmsAccountRejected or SmsBudgetExceeded with everything recorded; what did not leave waits.
    """
    with closing(provider), ledger.sender(run_id, Channel.SMS) as sender:
        still_due.settle(sender)
        run = _Outgoing(sender=sender, provider=provider, render=render, batch_size=batch_size)
        day = now.replace(hour=0, minute=0, second=0, microsecond=0)
        run.texted = set(sender.numbers_texted_since(day))
        check_budget(ledger, provider, budget, forecast=run.forecast(), now=now)
        for page in sender.waiting():
            run.send_page(page)
            still_due.settle(sender)
    log.info("SMS : %s", run.tally.summary())
    in_doubt = run.tally.states[DeliveryState.IN_DOUBT]
    if in_doubt:
        log.warning("%d SMS sans réponse certaine : ils ne repartiront pas", in_doubt)
    return run.tally.summary()


@dataclass(slots=True, kw_only=True)
class _Outgoing:
    """The SMS of one run on their way to the provider; `texted` holds the numbers that had their SMS today."""

    sender: Sender
    provider: SmsProvider
    render: Render
    batch_size: int
    texted: set[str] = field(default_factory=set)
    tally: Tally = field(default_factory=lambda: Tally(channel="SMS"))

    def forecast(self) -> int:
        """Segments that everything that waits will cost."""
        seen, segments = set(self.texted), 0
        for page in self.sender.waiting():
            numbers = _numbers(page)
            messages, _ = render_all(page, self.render)
            for message in messages:
                if numbers[message.delivery_id] not in seen:
                    seen.add(numbers[message.delivery_id])
                    segments += message.segments
        return segments

    def send_page(self, page: Sequence[Delivery]) -> None:
        """Send what one page of the ledger holds."""
        numbers = _numbers(page)
        messages, receipts = render_all(page, self.render)
        fresh: list[RenderedText] = []
        for message in messages:
            number = numbers[message.delivery_id]
            if number in self.texted:
                receipts.append(_second_today(message))
            else:
                self.texted.add(number)
                fresh.append(message)
        self._record(receipts)
        for batch in batches(fresh, self.batch_size):
            words = [SentWords(delivery_id=one.delivery_id, subject="", body=one.text) for one in batch]
            claimed = self.sender.claim([said.delivery_id for said in words], words)
            ours = [message for message in batch if message.delivery_id in claimed]
            if ours:
                self._send(ours)

    def _send(self, messages: list[RenderedText]) -> None:
        try:
            receipts = list(self.provider.send(messages))
        except (SmsGatewayUnavailable, SmsAccountRejected):
            self._record(not_sent(messages))
            raise
        except Exception as error:
            self._record([_in_doubt(message, error) for message in messages])
            raise
        self._record(receipts)

    def _record(self, receipts: list[Receipt]) -> None:
        self.sender.record(receipts)
        self.tally.count(receipts)


def _numbers(page: Sequence[Delivery]) -> dict[uuid.UUID, str]:
    """The reader's own number for each delivery: a test installation sends to another."""
    return {
        delivery.delivery_id: delivery.recipient.value
        for delivery in page
        if isinstance(delivery.recipient, MobileNumber)
    }


def _second_today(message: RenderedText) -> Receipt:
    return Receipt(delivery_id=message.delivery_id, state=DeliveryState.CANCELLED, reason=Reason.SAME_NUMBER_TODAY)


def _in_doubt(message: RenderedText, error: Exception) -> Receipt:
    return Receipt(
        delivery_id=message.delivery_id,
        state=DeliveryState.IN_DOUBT,
        reason=Reason.INTERRUPTED,
        raw=type(error).__name__,
    )
