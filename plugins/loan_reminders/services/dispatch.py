"""What the senders of all channels share: render, count, give back what did not leave."""

from __future__ import annotations

import logging
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from loan_reminders.domain.errors import DeliveriesDeferred, RecipientError, ReminderError, TextTooLong
from loan_reminders.domain.messages import Receipt
from loan_reminders.domain.notices import Delivery
from loan_reminders.domain.states import DeliveryState, Reason
from loan_reminders.french.plurals import many

log = logging.getLogger(__name__)


class Addressed(Protocol):
    """A rendered message, of any channel."""

    @property
    def delivery_id(self) -> uuid.UUID:
        """The delivery this message is for."""
        ...


Message = TypeVar("Message", bound=Addressed)


@dataclass(slots=True)
class Tally:
    """What a sender did, counted by state; a progress line every `every` receipts."""

    channel: str
    every: int = 500
    states: Counter[DeliveryState] = field(default_factory=Counter)

    def count(self, receipts: Sequence[Receipt]) -> None:
        """Add what came back."""
        before = self.states.total()
        self.states.update(receipt.state for receipt in receipts)
        if before // self.every != self.states.total() // self.every:
            log.info("%s : %s", self.channel, many(self.states.total(), "traité", "traités"))

    def summary(self) -> dict[str, int]:
        """Deliveries by state, for XCom."""
        return {state.value: count for state, count in sorted(self.states.items())}


def render_all(
    deliveries: Iterable[Delivery], render: Callable[[Delivery], Message]
) -> tuple[list[Message], list[Receipt]]:
    """Render what can be; a delivery that cannot be becomes a receipt with its reason, and stops no other."""
    messages: list[Message] = []
    failed: list[Receipt] = []
    for delivery in deliveries:
        try:
            messages.append(render(delivery))
        except Exception as error:  # one reader's data may break a template; the others still get theirs
            failed.append(_unrendered(delivery, error))
    if failed:
        log.warning(
            "%s : motif dans le registre",
            many(len(failed), "message n'a pas pu être composé", "messages n'ont pas pu être composés"),
        )
    return messages, failed


def _unrendered(delivery: Delivery, error: Exception) -> Receipt:
    reason = Reason.TEXT_TOO_LONG if isinstance(error, TextTooLong) else Reason.NOT_RENDERED
    if isinstance(error, RecipientError):
        reason = Reason.INVALID_RECIPIENT
    detail = str(error) if isinstance(error, ReminderError) else type(error).__name__
    return Receipt(delivery_id=delivery.delivery_id, state=DeliveryState.REFUSED, reason=reason, raw=detail[:500])


def not_sent(messages: Iterable[Addressed]) -> list[Receipt]:
    """Receipts of messages that never left: planned again."""
    return [
        Receipt(delivery_id=message.delivery_id, state=DeliveryState.PLANNED, reason=Reason.NOT_SENT)
        for message in messages
    ]


def hold_deferred(deferred: int, *, give_up: Callable[[], int], last_try: bool) -> int:
    """Some recipients answered "later": ask for another try, or on the last try give them up, with their reason.

    Returns how many were given up. Raises DeliveriesDeferred when a later try may succeed.
    """
    if deferred and not last_try:
        raise DeliveriesDeferred(
            f"{many(deferred, 'destinataire a', 'destinataires ont')} répondu « plus tard » : nouvel essai à venir"
        )
    return give_up() if last_try else 0
