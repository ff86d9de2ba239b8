"""The connections that send e-mails at once, and what each answer was beside."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable

from loan_reminders.domain.messages import Receipt, RenderedEmail
from loan_reminders.domain.states import DeliveryState, Reason
from loan_reminders.services.email.workers import MailWorkers
from tests.scenes.builders import a_mail


class Connection:
    """A connection to a server that keeps `slow` waiting until it has refused `refused`."""

    def __init__(self, slow: uuid.UUID, refused: uuid.UUID) -> None:
        self.slow, self.refused = slow, refused
        self.begun, self.answered = threading.Event(), threading.Event()

    def send(self, message: RenderedEmail) -> Receipt:
        if message.delivery_id == self.slow:
            self.begun.set()
            assert self.answered.wait(30)
        if message.delivery_id != self.refused:
            return Receipt(delivery_id=message.delivery_id, state=DeliveryState.ACCEPTED)
        assert self.begun.wait(30)
        return Receipt(
            delivery_id=message.delivery_id, state=DeliveryState.REFUSED, reason=Reason.RECIPIENT_REFUSED, raw="550 no"
        )

    def close(self) -> None:
        pass


def all_of(workers: MailWorkers, and_then: Callable[[Receipt], None] = lambda _: None) -> list[Receipt]:
    came: list[Receipt] = []
    while workers.under_way:
        for receipt in workers.collect(1, 0.01):
            and_then(receipt)
            came.append(receipt)
    return came


def test_a_refusal_knows_what_another_connection_had_begun_and_what_came_later():
    slow, refused, later = (a_mail() for _ in range(3))
    server = Connection(slow.delivery_id, refused.delivery_id)
    with MailWorkers(lambda: server, 2) as workers:
        workers.send([slow, refused])
        came = all_of(workers, lambda receipt: server.answered.set())
        workers.send([later])
        came += all_of(workers)
        assert [one.delivery_id for one in came] == [one.delivery_id for one in (refused, slow, later)]
        assert workers.beside == {refused.delivery_id: frozenset({slow.delivery_id})}
