"""Send the e-mails of a run: many connections, one writer, at most two messages a connection in flight."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass

from loan_reminders.domain.errors import DeliveriesDeferred, PermanentError, TemporaryError
from loan_reminders.domain.messages import Receipt, RenderedEmail
from loan_reminders.domain.notices import Delivery
from loan_reminders.domain.ports import Ledger, MailRelay
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState, Reason
from loan_reminders.services.dispatch import Tally, hold_deferred, not_sent, render_all
from loan_reminders.services.still_due import StillDue

log = logging.getLogger(__name__)

IN_FLIGHT_PER_CONNECTION = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent:
    """What one connection did with its share; `error` stops the run once everything is recorded."""

    receipts: tuple[Receipt, ...]
    error: Exception | None


def send_emails(
    ledger: Ledger,
    open_relay: Callable[[], MailRelay],
    render: Callable[[Delivery], RenderedEmail],
    *,
    run_id: int,
    connections: int,
    still_due: StillDue,
    last_try: bool,
    first_try: bool = False,
) -> dict[str, int]:
    """Send what waits and is still due; returns deliveries by state.

    Each message is marked as attempted, in a committed transaction, before it leaves. Killed at any instant, at
    most `2 × connections` messages are in doubt. Raises MailRelayUnavailable or MailRelayRejected with everything
    recorded, and DeliveriesDeferred when recipients asked for a later try (`last_try` gives them up instead), or
    when answers are missing after the `first_try`: e-mails in doubt are sent once more, with the same Message-ID.
    """
    tally = Tally(channel="E-mails")
    with ExitStack() as stack:
        sender = stack.enter_context(ledger.sender(run_id, Channel.EMAIL))
        relays = [stack.enter_context(closing(open_relay())) for _ in range(connections)]
        pool = stack.enter_context(ThreadPoolExecutor(max_workers=connections, thread_name_prefix="smtp"))
        receipts: list[Receipt] = []
        size = connections * IN_FLIGHT_PER_CONNECTION
        still_due.settle(sender)
        for page in sender.waiting():
            messages, ready = render_all(page[:size], render), page[size:]
            while messages[0] or messages[1] or ready:
                rendered, failed = messages
                claimed = sender.exchange([*receipts, *failed], [message.delivery_id for message in rendered])
                tally.count([*receipts, *failed])
                ours = [message for message in rendered if message.delivery_id in claimed]
                futures = [
                    pool.submit(_send_share, relay, ours[index::connections]) for index, relay in enumerate(relays)
                ]
                messages, ready = render_all(ready[:size], render), ready[size:]
                shares = [future.result() for future in futures]
                receipts = [receipt for share in shares for receipt in share.receipts]
                error = next((share.error for share in shares if share.error), None)
                if error is not None:
                    sender.exchange(receipts, [])
                    raise error
            still_due.settle(sender)
        sender.exchange(receipts, [])
        tally.count(receipts)
        log.info("E-mails : %s", tally.summary())
        deferred = tally.states[DeliveryState.PLANNED]
        in_doubt = tally.states[DeliveryState.IN_DOUBT]
        if in_doubt and first_try:
            raise DeliveriesDeferred(f"{in_doubt} e-mails sans réponse certaine : renvoyés une fois au prochain essai")
        given_up = hold_deferred(deferred, give_up=sender.fail_deferred, last_try=last_try)
        if given_up:
            log.warning("%d e-mails abandonnés après le dernier essai", given_up)
    return tally.summary()


def _send_share(relay: MailRelay, messages: Sequence[RenderedEmail]) -> _Sent:
    """Send one connection's share, in order; whatever happens, every message has its receipt."""
    receipts: list[Receipt] = []
    for index, message in enumerate(messages):
        try:
            receipts.append(relay.send(message))
        except Exception as error:
            if not _left_nothing(error):
                receipts.append(
                    Receipt(
                        delivery_id=message.delivery_id,
                        state=DeliveryState.IN_DOUBT,
                        reason=Reason.INTERRUPTED,
                        raw=type(error).__name__,
                    )
                )
            unsent = messages[index:] if _left_nothing(error) else messages[index + 1 :]
            return _Sent(receipts=(*receipts, *not_sent(unsent)), error=error)
    return _Sent(receipts=tuple(receipts), error=None)


def _left_nothing(error: Exception) -> bool:
    """The relay's own errors say that the message did not leave; any other leaves it in doubt."""
    return isinstance(error, TemporaryError | PermanentError)
