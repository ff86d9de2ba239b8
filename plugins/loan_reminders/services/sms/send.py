"""Send the SMS of a run: one request at a time, each claimed before it leaves, all of them paid for beforehand."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime

from loan_reminders.domain.clock import Clock, midnight
from loan_reminders.domain.errors import (
    RETRIED,
    TO_MEND,
    SendingWindowClosed,
    SmsAccountRejected,
    SmsGatewayUnavailable,
)
from loan_reminders.domain.messages import Receipt, RenderedText, SentWords
from loan_reminders.domain.notices import Delivery
from loan_reminders.domain.ports.outside import Ledger, Sender, SmsProvider
from loan_reminders.domain.recipients import MobileNumber
from loan_reminders.domain.sms.budget import SmsBudget
from loan_reminders.domain.sms.grouping import grouped_for_requests
from loan_reminders.domain.sms.sending_window import SendingWindow
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState, Reason
from loan_reminders.french.plurals import many
from loan_reminders.services.dispatch import Tally, not_sent, render_all
from loan_reminders.services.runs.still_due import StillDue
from loan_reminders.services.sms.budget import check_budget

log = logging.getLogger(__name__)

Render = Callable[[Delivery], RenderedText]


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsSendingPlan:
    """How the SMS of a run are sent: so many recipients a request, within the `window` and the `budget`."""

    run_id: int
    recipients_per_request: int
    budget: SmsBudget
    window: SendingWindow


def send_sms(
    ledger: Ledger, provider: SmsProvider, render: Render, plan: SmsSendingPlan, *, still_due: StillDue, clock: Clock
) -> dict[str, int]:
    """Send what waits and is still due; returns deliveries by state.

    The cost of the whole run is compared with the credit and the caps first. A number gets one SMS a day, whoever
    shares it. Both are read once a day: a library has one sender of SMS at a time. The window is looked at before each
    request; a new day begins with what is still due, its own words and its own caps.
    An SMS costs money and intrudes: one whose answer never came is IN_DOUBT, for a receipt or a person, and is never
    sent again by the program. After a request of which nothing is known the next one waits for another try
    (SmsGatewayUnavailable), or for a person when the answer can be read and is not understood (SmsAccountRejected).
    Raises SendingWindowClosed when the window is closed and something waits,
    LedgerUnavailable when another run of the library is texting,
    SmsGatewayUnavailable, SmsAccountRejected or SmsBudgetExceeded with everything recorded; what did not leave waits.
    """
    tally = Tally(channel="SMS")
    with closing(provider), ledger.sender(plan.run_id, Channel.SMS) as sender:
        all_offered = False
        while not all_offered:
            still_due.settle(sender)
            day = _Day(
                sender=sender, provider=provider, render=render, plan=plan, clock=clock, begun=clock(), tally=tally
            )
            day.check_window(day.begun)
            day.texted = set(sender.numbers_texted_since(midnight(day.begun)))
            check_budget(ledger, provider, plan.budget, forecast=day.forecast(), now=day.begun)
            all_offered = day.send_all(still_due)
    log.info("SMS : %s", tally.summary())
    in_doubt = tally.states[DeliveryState.IN_DOUBT]
    if in_doubt:
        log.warning("SMS sans réponse certaine, qui ne repartiront pas : %d", in_doubt)
    return tally.summary()


@dataclass(slots=True, kw_only=True)
class _Day:
    """One passage over what waits, ended by midnight; `texted` holds the numbers that had their SMS today."""

    sender: Sender
    provider: SmsProvider
    render: Render
    plan: SmsSendingPlan
    clock: Clock
    begun: datetime
    tally: Tally
    texted: set[str] = field(default_factory=set)

    def check_window(self, now: datetime) -> None:
        """Raise SendingWindowClosed when the window is closed and something waits."""
        if not self.plan.window.is_open(now) and self.sender.waiting_loans():
            raise SendingWindowClosed(self.plan.window.next_opening(now))

    def send_all(self, still_due: StillDue) -> bool:
        """Send what waits as long as the day lasts; whether everything was offered."""
        for page in self.sender.waiting():
            if not self.send_page(page):
                return False
            still_due.settle(self.sender)
        return True

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

    def send_page(self, page: Sequence[Delivery]) -> bool:
        """Send what one page of the ledger holds; False when the day ended first: the rest of the page waits."""
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
        for together in grouped_for_requests(fresh, self.plan.recipients_per_request):
            now = self.clock()
            if now.date() != self.begun.date():
                return False
            self.check_window(now)
            words = [SentWords(delivery_id=one.delivery_id, subject="", body=one.text) for one in together]
            redirected = [one.delivery_id for one in together if one.redirected]
            claimed = self.sender.claim(
                [said.delivery_id for said in words], words, redirected=redirected, segments=together[0].segments
            )
            ours = [message for message in together if message.delivery_id in claimed]
            if ours:
                self._send(ours)
        return True

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
        _stop_when_all_in_doubt(receipts)

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


def _stop_when_all_in_doubt(receipts: Sequence[Receipt]) -> None:
    """Raise when nothing is known of a whole request: the next one would most likely end in doubt too."""
    if any(receipt.state is not DeliveryState.IN_DOUBT for receipt in receipts):
        return
    lost = f"{many(len(receipts), 'SMS reste', 'SMS restent')} en doute et ne repartiront pas, les autres attendent"
    code = receipts[0].code
    if code:
        raise SmsAccountRejected(
            f"allmysms répond aux SMS ce que le programme ne comprend pas (code {code}) : {lost}."
            f" Vérifier la campagne dans la console d'allmysms ; son API a peut-être changé. {TO_MEND}",
            code=code,
        )
    raise SmsGatewayUnavailable(f"allmysms n'a pas répondu clairement à un envoi : {lost}. {RETRIED}")


def _in_doubt(message: RenderedText, error: Exception) -> Receipt:
    return Receipt(
        delivery_id=message.delivery_id,
        state=DeliveryState.IN_DOUBT,
        reason=Reason.INTERRUPTED,
        raw=type(error).__name__,
        segments=message.segments,
    )
