"""Send a reader's last e-mail or SMS once more, at a librarian's request: what is true of it today, and once a day."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date, datetime

from loan_reminders.domain.email.return_path import return_path
from loan_reminders.domain.errors import (
    MailRelayRejected,
    MailRelayUnavailable,
    SmsAccountRejected,
    SmsGatewayUnavailable,
)
from loan_reminders.domain.loans import Loan
from loan_reminders.domain.messages import Receipt, RenderedEmail, RenderedText, SentWords
from loan_reminders.domain.notices import Delivery, Notice
from loan_reminders.domain.ports.outside import LoanSource, MailRelay, SmsProvider
from loan_reminders.domain.ports.readers import Resends
from loan_reminders.domain.readers.resend import LastMessage, ResendRefusal, ResendRefused, Resent, stage_to_say
from loan_reminders.domain.sms.budget import SmsBudget
from loan_reminders.domain.sms.consent import Consent
from loan_reminders.domain.sms.sending_window import SendingWindow
from loan_reminders.domain.stages import Channel, Policy, Stage
from loan_reminders.domain.states import DeliveryState, Reason
from loan_reminders.french.words import SKIPS
from loan_reminders.services.sms.budget import check_budget

log = logging.getLogger(__name__)

S = DeliveryState
_MAY_HAVE_ARRIVED = frozenset({S.ACCEPTED, S.DELIVERED, S.IN_DOUBT})
_NOTHING_LEFT = (MailRelayUnavailable, MailRelayRejected, SmsGatewayUnavailable, SmsAccountRejected)
"""Errors that say that the message did not leave; after any other it may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resending:
    """What both channels need: the ledger, the ILS (opened when it is asked), the procedure, this moment, and who.

    `now` has the library's zone.
    """

    resends: Resends
    source: Callable[[], LoanSource]
    policy: Policy
    now: datetime
    who: str

    @property
    def today(self) -> date:
        """The library's day."""
        return self.now.date()

    def prepare(self, patron_id: str, channel: Channel) -> tuple[LastMessage, Delivery]:
        """The last message, and the new one: to where the reader can be written to now, about what is still true.

        The ILS is asked last, once all else is in order. Raises ResendRefused, IlsUnavailable or IlsRejected.
        """
        last = self.resends.last(patron_id, channel)
        if last is None or not last.loans:
            raise ResendRefused(ResendRefusal.NOTHING_SENT, channel=channel)
        if last.state is S.CLAIMED:
            raise ResendRefused(ResendRefusal.BEING_SENT)
        if self.resends.resent_on(patron_id, channel, self.today):
            raise ResendRefused(ResendRefusal.ALREADY_TODAY, channel=channel)
        if last.state not in _MAY_HAVE_ARRIVED:
            raise ResendRefused(ResendRefusal.NOT_ARRIVED, channel=channel)
        if channel in self.resends.objected([patron_id]).get(patron_id, ()):
            raise ResendRefused(ResendRefusal.OBJECTED, channel=channel)
        held = self.resends.held([patron_id], today=self.today)
        loans = [loan for loan in last.loans if not held.holds(loan)]
        if not loans:
            raise ResendRefused(ResendRefusal.HELD)
        if last.recipient is None:
            raise ResendRefused(ResendRefusal.NO_RECIPIENT, channel=channel)
        if self.resends.suppressed([last.recipient]):
            raise ResendRefused(ResendRefusal.SUPPRESSED, channel=channel)
        if channel is Channel.SMS:
            self._check_consent(last)
        stage = stage_to_say(last.stage, channel, last.due_date, policy=self.policy, today=self.today)
        if stage is None:
            raise ResendRefused(ResendRefusal.OVER)
        still_true = self._still_true(loans)
        if not still_true:
            raise ResendRefused(ResendRefusal.NOTHING_LEFT)
        patron = still_true[0].patron
        notice = Notice(stage=stage, patron=patron, due_date=last.due_date, loans=still_true)
        first = channel is Channel.SMS and self.resends.never_reached(last.recipient.value)
        return last, Delivery(notice=notice, channel=channel, recipient=last.recipient, loans=still_true, first=first)

    def _check_consent(self, last: LastMessage) -> None:
        """Raise ResendRefused when the reader is not, or no longer, one who may have an SMS."""
        patron = last.loans[0].patron
        consent = Consent(rules=self.policy.sms, said=self.resends.sms_choices([patron.patron_id]))
        why = consent.refuses(patron)
        if why is not None:
            raise ResendRefused(ResendRefusal.NO_CONSENT, why=SKIPS[why])

    def _still_true(self, loans: Sequence[Loan]) -> tuple[Loan, ...]:
        now: Mapping[str, date] = self.source().due_dates_now([loan.loan_id for loan in loans])
        return tuple(loan for loan in loans if now.get(loan.loan_id) == loan.due_date)

    def send(
        self,
        last: LastMessage,
        delivery: Delivery,
        words: SentWords,
        send: Callable[[], Receipt],
        *,
        redirected: bool,
        segments: int = 0,
    ) -> Resent:
        """Keep that the message is about to leave, let it leave, keep what became of it.

        Killed in between, it stays in doubt, and an SMS costs its `segments`. `redirected`: it goes to a test address.
        Raises what `send` raises, and ResendRefused (LATER) when the server asks to wait: then nothing left, and it may
        be tried again today.
        """
        self.resends.begin(
            delivery, again=last, words=words, who=self.who, today=self.today, redirected=redirected, segments=segments
        )
        try:
            receipt = send()
        except _NOTHING_LEFT:
            self.resends.end(_never_left(delivery, Reason.NOT_SENT))
            raise
        if receipt.state is S.PLANNED:
            reason = receipt.reason or Reason.RECIPIENT_DEFERRED
            self.resends.end(replace(_never_left(delivery, reason), raw=receipt.raw))
            raise ResendRefused(ResendRefusal.LATER)
        self.resends.end(receipt)
        log.info("Renvoi (%s) : %s", delivery.channel.value, receipt.state.value)
        return Resent(
            delivery_id=delivery.delivery_id,
            channel=delivery.channel,
            stage=delivery.notice.stage,
            state=receipt.state,
            documents=len(delivery.loans),
            left_out=len(last.loans) - len(delivery.loans),
        )


def _never_left(delivery: Delivery, reason: Reason) -> Receipt:
    return Receipt(delivery_id=delivery.delivery_id, state=S.CANCELLED, reason=reason)


def resend_email(
    work: Resending,
    patron_id: str,
    *,
    composer: Callable[[Stage], Callable[[Delivery], RenderedEmail]],
    open_relay: Callable[[], MailRelay],
    bounce_address: str = "",
) -> Resent:
    """Send a reader's last e-mail once more, with the same templates and what is true today.

    `composer` writes the e-mails of a stage; with a `bounce_address` the message has a return path of its own there.
    Raises ResendRefused, TemplateError, what the ILS raises, and MailRelayUnavailable or MailRelayRejected when the
    server takes nothing: nothing left then.
    """
    last, delivery = work.prepare(patron_id, Channel.EMAIL)
    message = composer(delivery.notice.stage)(delivery)
    if bounce_address:
        message = replace(message, envelope_sender=return_path(bounce_address, message.delivery_id))
    words = SentWords(delivery_id=message.delivery_id, subject=message.subject, body=message.text)
    with closing(open_relay()) as relay:
        return work.send(last, delivery, words, lambda: relay.send(message), redirected=message.redirected)


def resend_text(
    work: Resending,
    patron_id: str,
    *,
    composer: Callable[[Stage], Callable[[Delivery], RenderedText]],
    open_provider: Callable[[Stage], SmsProvider],
    budget: SmsBudget,
    window: SendingWindow,
) -> Resent:
    """Send a reader's last SMS once more, within the window and the budget, while nobody else texts.

    Raises ResendRefused, TemplateError, what the ILS raises, SmsBudgetExceeded, LedgerUnavailable when a run is
    texting, and SmsGatewayUnavailable or SmsAccountRejected: nothing left then.
    """
    if not window.is_open(work.now):
        raise ResendRefused(ResendRefusal.WINDOW_CLOSED, opens_at=window.next_opening(work.now))
    last, delivery = work.prepare(patron_id, Channel.SMS)
    message = composer(delivery.notice.stage)(delivery)
    words = SentWords(delivery_id=message.delivery_id, subject="", body=message.text)
    with work.resends.texting_alone(), closing(open_provider(delivery.notice.stage)) as provider:
        check_budget(work.resends, provider, budget, forecast=message.segments, now=work.now)
        return work.send(
            last,
            delivery,
            words,
            lambda: provider.send([message])[0],
            redirected=message.redirected,
            segments=message.segments,
        )
