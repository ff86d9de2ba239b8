"""The sending of e-mails alone: read and rendered before, each is claimed before it leaves and recorded after."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from tests.bench.baselines import waiting
from tests.bench.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from loan_reminders.domain.messages import RenderedEmail
    from loan_reminders.domain.notices import Delivery
    from loan_reminders.domain.stages import Channel


class TrueStill:
    """The ILS is not asked: what waits is still due."""

    def settle(self, _sender: object) -> None:
        """Nothing to take out."""

    def cancel_when_over(self, _sender: object) -> bool:
        """The day does not end."""
        return False


class ReadLedger:
    """The ledger, with what waits in the run already read: only claims, answers and words go to it."""

    def __init__(self, books: Any, deliveries: Sequence[Delivery]) -> None:
        self._books = books
        self._deliveries = deliveries

    @contextmanager
    def sender(self, run_id: int, channel: Channel, **more: Any) -> Iterator[Any]:
        """The run's own sender; its pages are those read before."""
        with self._books.sender(run_id, channel, **more) as sender:
            sender.waiting = self._pages
            yield sender

    def remember_refused_addresses(self) -> int:
        """The ledger's own."""
        remembered: int = self._books.remember_refused_addresses()
        return remembered

    def _pages(self, page_size: int = 500) -> Iterator[Sequence[Delivery]]:
        for start in range(0, len(self._deliveries), page_size):
            yield self._deliveries[start : start + page_size]


def composer(stage: str, today: str) -> Callable[[Delivery], RenderedEmail]:
    """What the task composes with."""
    from loan_reminders.domain.stages import Stage
    from loan_reminders.services.compose import email_composer
    from loan_reminders.settings.library_toml import TEMPLATES, settings

    now = datetime.combine(date.fromisoformat(today), datetime.min.time(), settings().zone)
    return email_composer(TEMPLATES, settings().email_identity(), stage=Stage(stage), clock=lambda: now)


def send_ready_emails(clock: Clock, *, stage: str, today: str, run_id: int, count: int) -> dict[str, Any]:
    """Send what waits, already composed, through the ledger and the gateway that the task uses."""
    from loan_reminders.domain.stages import Channel
    from loan_reminders.hooks.ledger import ledger
    from loan_reminders.hooks.mail_relay import mail_relay
    from loan_reminders.services.email.send import SendingPlan, send_emails
    from loan_reminders.settings.library_toml import settings

    compose, ours = composer(stage, today), settings().email
    deliveries = waiting(run_id, Channel.EMAIL, count)
    ready = {one.delivery_id: compose(one) for one in deliveries}
    relay = mail_relay("mail_relay", envelope_sender=ours.sender_address)
    with ledger(library=settings().library.code) as books, clock:
        return send_emails(
            ReadLedger(books, deliveries),  # type: ignore[arg-type]
            relay,
            lambda delivery: ready[delivery.delivery_id],
            SendingPlan(run_id=run_id, connections=ours.connections),
            still_due=TrueStill(),  # type: ignore[arg-type]
        )
