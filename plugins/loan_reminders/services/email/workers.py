"""The threads that send e-mails, one for each connection: messages go in, receipts come out in any order."""

from __future__ import annotations

import queue
import threading
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from types import TracebackType
from typing import Self

from loan_reminders.domain.errors import PermanentError, TemporaryError
from loan_reminders.domain.messages import Receipt, RenderedEmail
from loan_reminders.domain.ports.outside import MailRelay
from loan_reminders.domain.states import DeliveryState, Reason
from loan_reminders.services.dispatch import not_sent

Outcome = tuple[RenderedEmail, Receipt | BaseException]


class MailWorkers:
    """So many connections at work; a context manager that waits for what is under way.

    A connection that the server does not serve (a temporary error) hands its message to the others and is given up;
    with the last of them, or at any other error, nothing more leaves: see `error`.
    """

    def __init__(self, open_relay: Callable[[], MailRelay], connections: int) -> None:
        self._open_relay = open_relay
        self._working = connections
        self._connections = connections
        self._todo: queue.SimpleQueue[RenderedEmail | None] = queue.SimpleQueue()
        self._done: deque[Outcome] = deque()
        self._wanted = 1
        self._enough = threading.Event()
        self._stack = ExitStack()
        self._begun: set[uuid.UUID] = set()
        self.under_way = 0
        self.beside: dict[uuid.UUID, frozenset[uuid.UUID]] = {}
        """Of each message that the server did not accept, those that other connections had begun before its answer."""
        self.error: Exception | None = None

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            relays = [stack.enter_context(closing(self._open_relay())) for _ in range(self._connections)]
            pool = stack.enter_context(ThreadPoolExecutor(max_workers=self._connections, thread_name_prefix="smtp"))
            stack.callback(self._end)
            for relay in relays:
                pool.submit(self._work, relay)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def send(self, messages: Sequence[RenderedEmail]) -> None:
        """Give messages to whichever connection is free next."""
        self.under_way += len(messages)
        for message in messages:
            self._todo.put(message)

    def collect(self, at_least: int, timeout_s: float) -> list[Receipt]:
        """Receipts, as soon as there are so many or nothing is under way, or those that came within `timeout_s`.

        Without any message under way there are none. Waits for the first one as long as it takes.
        """
        receipts: list[Receipt] = []
        while self.under_way and not receipts:
            if not self._came(min(at_least, self.under_way), timeout_s):
                self._came(1, None)
            while self._done:
                receipts += self._take(*self._done.popleft())
        return receipts

    def _came(self, wanted: int, timeout_s: float | None) -> bool:
        """Wait until so many have come, without being woken for each; whether any has."""
        self._wanted = wanted
        self._enough.clear()
        if len(self._done) < wanted:
            self._enough.wait(timeout_s)
        return bool(self._done)

    def _take(self, message: RenderedEmail, came: Receipt | BaseException) -> list[Receipt]:
        if isinstance(came, Receipt):
            self.under_way -= 1
            return [came]
        if not isinstance(came, Exception):  # the process is being stopped: its messages are in doubt, and found so
            self.under_way -= 1
            raise came
        left_nothing = isinstance(came, TemporaryError | PermanentError)
        self._working -= 1
        if isinstance(came, TemporaryError) and self._working and self.error is None:
            self._todo.put(message)
            return []
        self.error = self.error or came
        self.under_way -= 1
        return [*(not_sent([message]) if left_nothing else [_interrupted(message, came)]), *self.call_back()]

    def call_back(self) -> list[Receipt]:
        """Take back what no connection has begun; its receipts."""
        waiting: list[RenderedEmail] = []
        while True:
            try:
                message = self._todo.get_nowait()
            except queue.Empty:
                break
            if message is not None:
                waiting.append(message)
        self.under_way -= len(waiting)
        return not_sent(waiting)

    def _work(self, relay: MailRelay) -> None:
        while (message := self._todo.get()) is not None:
            came: Receipt | BaseException
            self._begun.add(message.delivery_id)
            try:
                came = relay.send(message)
            except BaseException as error:  # handed to `collect`, which would wait for ever without it
                came = error
            if isinstance(came, Receipt) and came.state is not DeliveryState.ACCEPTED:
                self.beside[message.delivery_id] = frozenset(self._begun) - {message.delivery_id}
            self._done.append((message, came))
            self._begun.discard(message.delivery_id)  # last: another's answer sees it begun, or finds it come before
            if len(self._done) >= self._wanted:
                self._enough.set()
            if isinstance(came, BaseException):
                return

    def _end(self) -> None:
        self.call_back()
        for _ in range(self._connections):
            self._todo.put(None)


def _interrupted(message: RenderedEmail, error: Exception) -> Receipt:
    """The relay's own errors say that the message did not leave; any other leaves it in doubt."""
    return Receipt(
        delivery_id=message.delivery_id,
        state=DeliveryState.IN_DOUBT,
        reason=Reason.INTERRUPTED,
        raw=type(error).__name__,
    )
