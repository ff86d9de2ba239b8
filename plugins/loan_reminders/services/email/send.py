"""Send the e-mails of a run: many connections, two messages in flight on each, one thread that writes the ledger."""

from __future__ import annotations

import logging
import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TypeVar

from loan_reminders.domain.email.return_path import return_path
from loan_reminders.domain.email.share import WHOLE, Share
from loan_reminders.domain.errors import DeliveriesDeferred, MailRelayRejected
from loan_reminders.domain.messages import Receipt, RenderedEmail, SentWords
from loan_reminders.domain.notices import Delivery
from loan_reminders.domain.ports.outside import Ledger, MailRelay, Sender
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState
from loan_reminders.french.plurals import many
from loan_reminders.services.dispatch import Tally, hold_deferred, render_all
from loan_reminders.services.email.refusals_in_a_row import RefusalsInARow, Settled
from loan_reminders.services.email.workers import MailWorkers
from loan_reminders.services.runs.still_due import StillDue

log = logging.getLogger(__name__)

IN_FLIGHT_PER_CONNECTION = 2
_AGE_WHEN_SLOW_S = 10
"""How long, in seconds, a message may wait for its turn at a slow pace: its words are those of when it was written."""
_LOOK_AGAIN_S = 0.5
"""Seconds until a sender without any connection asks for one again."""
_One = TypeVar("_One")
_GATHER_S = 0.02
"""How long, in seconds, a first answer waits for others, to be recorded with them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingPlan:
    """How one try sends the e-mails of a run.

    `share` is the part of the run that this sender sends. `connections` and `messages_per_minute` (0: as fast as the
    server takes them) are those of the library: its senders share them. With a `bounce_address`, each message has
    a return path of its own there.
    """

    run_id: int
    connections: int
    share: Share = WHOLE
    first_try: bool = False
    last_try: bool = False
    messages_per_minute: int = 0
    bounce_address: str = ""

    @property
    def page_size(self) -> int:
        """How many deliveries to read at a time: five minutes' worth at a slow pace, 0 for the ledger's usual."""
        return max(10, min(500, 5 * self.own_pace)) if self.messages_per_minute else 0

    @property
    def own_pace(self) -> int:
        """How many messages a minute are this sender's, when the others of the run send as well."""
        return self.share.part(self.messages_per_minute)

    @property
    def in_flight(self) -> int:
        """How many messages may be claimed without a recorded answer: at a slow pace, no more than soon leave."""
        most = self.connections * IN_FLIGHT_PER_CONNECTION
        if not self.messages_per_minute:
            return most
        return max(1, min(most, self.own_pace * _AGE_WHEN_SLOW_S // 60))


def send_emails(
    ledger: Ledger,
    open_relay: Callable[[], MailRelay],
    render: Callable[[Delivery], RenderedEmail],
    plan: SendingPlan,
    *,
    still_due: StillDue,
) -> dict[str, int]:
    """Send what waits and is still due in a run, or in a share of it; returns deliveries by state.

    Other senders of the run may be at work, each on its share, and other runs of the library: it waits until one of the
    library's connections is free, and takes no more of them than its part.

    Each message is marked as attempted, in a committed transaction that also keeps its words, before it leaves. Killed
    at any instant, at most `2 × connections` messages are in doubt. `render` is called shortly before a message
    leaves: neither its words nor its stage outlive their day. Between two pages `still_due` asks the ILS again.

    Raises MailRelayUnavailable or MailRelayRejected with everything recorded (also when the server refuses everybody,
    or puts everybody off to the end: see `refusals_in_a_row`), and DeliveriesDeferred when recipients asked for a later
    try (the last try gives them up instead), or when answers are missing after the first try:
    e-mails in doubt are sent once more, with the same Message-ID.
    """
    tally = Tally(channel="E-mails")
    with ExitStack() as stack:
        sender = stack.enter_context(ledger.sender(plan.run_id, Channel.EMAIL, share=plan.share))
        plan = replace(plan, connections=_connections(sender, plan))
        workers = stack.enter_context(MailWorkers(open_relay, plan.connections))
        out = _Outgoing(sender=sender, workers=workers, tally=tally, plan=plan, still_due=still_due)
        still_due.settle(sender)
        for page in sender.waiting(plan.page_size) if plan.page_size else sender.waiting():
            out.send_page(page, render)
            still_due.settle(sender)
        out.finish()
        if not sender.others_at_work():  # else the last of them sees all the refusals
            _remember_refused(ledger)
        log.info("E-mails : %s", tally.summary())
        deferred = tally.states[DeliveryState.PLANNED]
        in_doubt = tally.states[DeliveryState.IN_DOUBT]
        if in_doubt and plan.first_try:
            raise DeliveriesDeferred(f"E-mails sans réponse certaine, renvoyés une fois au prochain essai : {in_doubt}")
        if plan.last_try:
            out.refusals.before_giving_up(sender.refused_elsewhere, sender.put_off_since_last_accepted)
        given_up = hold_deferred(deferred, give_up=sender.fail_deferred, last_try=plan.last_try)
        if given_up:
            log.warning("%s après le dernier essai", many(given_up, "e-mail abandonné", "e-mails abandonnés"))
    return tally.summary()


def _connections(sender: Sender, plan: SendingPlan) -> int:
    """How many SMTP connections are this sender's; waits for one while other senders of the library have them all."""
    wanted, told = plan.share.part(plan.connections), False
    while not (taken := sender.take_mail_connections(of=plan.connections, wanted=wanted)):
        if not told:
            log.info("Les connexions SMTP de la bibliothèque servent toutes à d'autres envois : attente")
        told = True
        time.sleep(_LOOK_AGAIN_S)
    return taken


def _remember_refused(ledger: Ledger) -> None:
    dead = ledger.remember_refused_addresses()
    if dead:
        log.info("Adresses électroniques mortes, mises sur la liste « Désinscriptions » : %d", dead)


@dataclass(slots=True, kw_only=True)
class _Outgoing:
    """The messages between the ledger and the connections; their number is bounded, however long the run.

    `held` are claimed messages whose answer is not recorded yet, with their recipients' domains: never more than
    `plan.in_flight`. While some are under way, the answers of others are recorded and the next ones claimed.
    """

    sender: Sender
    workers: MailWorkers
    tally: Tally
    plan: SendingPlan
    still_due: StillDue
    held: dict[uuid.UUID, str] = field(default_factory=dict)
    answered: list[Receipt] = field(default_factory=list)
    refusals: RefusalsInARow = field(default_factory=RefusalsInARow)

    def send_page(self, page: Sequence[Delivery], render: Callable[[Delivery], RenderedEmail]) -> None:
        """Send these deliveries: all are claimed on return, some of them still under way."""
        waiting, ready = deque(page), deque[RenderedEmail]()
        limit = self.plan.in_flight
        at_once = min(self.plan.connections, limit)
        while waiting or ready:
            if len(ready) < limit and waiting:
                if self.still_due.cancel_when_over(self.sender):
                    waiting.clear()
                messages, failed = render_all(_taken(waiting, at_once), render)
                ready += [self._addressed(message) for message in messages]
                self.answered += failed
                continue
            room = limit - self.workers.under_way
            if ready and room >= min(at_once, len(ready)):
                self._claim_and_send(_taken(ready, room))
            else:
                self._collect()

    def finish(self) -> None:
        """Wait for every answer and record it."""
        while self.workers.under_way or self.answered:
            self._collect()
            self._record(self._settle())
        self._record(self.refusals.finish(self.sender.refused_elsewhere))

    def _addressed(self, message: RenderedEmail) -> RenderedEmail:
        if not self.plan.bounce_address:
            return message
        return replace(message, envelope_sender=return_path(self.plan.bounce_address, message.delivery_id))

    def _collect(self) -> None:
        self.answered += self.workers.collect(self.plan.in_flight, _GATHER_S)
        if self.workers.error is not None:
            self._stop(self.workers.error)

    def _settle(self) -> Settled:
        """What the answers in hand come to; their messages are held no more."""
        answers, self.answered = self.answered, []
        settled = self.refusals.settle(answers, self.held, self.workers.beside)
        for receipt in answers:
            self.held.pop(receipt.delivery_id, None)
            self.workers.beside.pop(receipt.delivery_id, None)
        return settled

    def _record(self, settled: Settled) -> None:
        """Record and count what is settled. Stops, with an error, when the server refuses everybody."""
        self.sender.record(settled.record)
        self.tally.count(settled.decided)
        if self.refusals.everybody:
            self._stop(self.refusals.error())

    def _claim_and_send(self, messages: Sequence[RenderedEmail]) -> None:
        """Record the answers in hand, claim these messages and let them leave."""
        settled = self._settle()
        if self.refusals.everybody:
            self._record(settled)
            return
        words = [
            SentWords(delivery_id=message.delivery_id, subject=message.subject, body=message.text)
            for message in messages
            if message.text
        ]
        redirected = [message.delivery_id for message in messages if message.redirected]
        asked = [message.delivery_id for message in messages]
        claimed = self.sender.record_and_claim(settled.record, asked, words, redirected=redirected)
        self.tally.count(settled.decided)
        ours = [message for message in messages if message.delivery_id in claimed]
        self.held.update((message.delivery_id, message.recipient.value.rpartition("@")[2]) for message in ours)
        self.workers.send(ours)

    def _stop(self, error: Exception) -> None:
        """Call back what has not left, wait for the rest, record everything, and raise."""
        self.answered += self.workers.call_back()
        while self.workers.under_way:
            self.answered += self.workers.collect(self.workers.under_way, _GATHER_S)
        self.sender.record(self._settle().record)
        with suppress(MailRelayRejected):  # it refuses everybody, which is for this error to say, or for the next try
            self.sender.record(self.refusals.finish(self.sender.refused_elsewhere).record)
        raise error


def _taken(waiting: deque[_One], count: int) -> list[_One]:
    taken = list(islice(waiting, count))
    for _ in taken:
        waiting.popleft()
    return taken
