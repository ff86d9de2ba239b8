"""The sending of e-mails alone: the bytes are ready, each message is claimed before it leaves and recorded after."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from tests.bench.baselines import waiting
from tests.bench.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable

    from loan_reminders.domain.messages import RenderedEmail
    from loan_reminders.domain.notices import Delivery


class TrueStill:
    """The ILS is not asked: what waits is still due."""

    def settle(self, _sender: object) -> None:
        """Nothing to take out."""


def composer(stage: str, today: str) -> Callable[[Delivery], RenderedEmail]:
    """What the task composes with."""
    from loan_reminders.domain.stages import Stage
    from loan_reminders.services.compose import email_composer
    from loan_reminders.settings import ROOT, settings

    ours = settings().email
    return email_composer(
        ROOT / "templates",
        stage=Stage(stage),
        library=settings().identity(),
        sender_name=ours.sender_name,
        sender_address=ours.sender_address,
        reply_to=ours.reply_to,
        now=datetime.combine(date.fromisoformat(today), datetime.min.time(), settings().zone),
    )


def send_ready_emails(clock: Clock, *, stage: str, today: str, run_id: int, count: int) -> dict[str, Any]:
    """Send what waits, already composed, through the ledger and the gateway that the task uses."""
    from loan_reminders.domain.stages import Channel
    from loan_reminders.hooks.ledger import ledger
    from loan_reminders.hooks.mail_relay import mail_relay
    from loan_reminders.services.dispatch_emails import send_emails
    from loan_reminders.settings import settings

    compose, ours = composer(stage, today), settings().email
    ready = {one.delivery_id: compose(one) for one in waiting(run_id, Channel.EMAIL, count)}
    relay = mail_relay("mail_relay", envelope_sender=ours.sender_address)
    with ledger(library=settings().library.code) as books, clock:
        return send_emails(
            books,
            relay,
            lambda delivery: ready[delivery.delivery_id],
            run_id=run_id,
            connections=ours.connections,
            still_due=TrueStill(),  # type: ignore[arg-type]
            last_try=False,
        )
