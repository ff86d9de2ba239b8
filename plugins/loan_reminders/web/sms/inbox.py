"""Callbacks on their way to the ledger: many requests share one transaction, and each waits until it is kept.

While one lot is being kept the next one gathers, so a single thread keeps up with a burst. What is kept is settled by
a second thread, which no request waits for.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from loan_reminders.domain.errors import PermanentError
from loan_reminders.domain.sms.feedback import SmsAck, SmsReply

log = logging.getLogger(__name__)

Callback = SmsAck | SmsReply


class InboxFull(Exception):
    """Too many callbacks wait to be kept."""


class Inbox:
    """Keeps callbacks with `keep`, lot by lot, and has `settle` called after them.

    A lot that is refused (PermanentError) is tried again one by one, so that one callback never loses the others;
    `keep` must therefore bear the same callback twice.
    """

    def __init__(
        self,
        *,
        keep: Callable[[Sequence[Callback]], object],
        settle: Callable[[], object],
        lot: int = 500,
        most_waiting: int = 20_000,
    ) -> None:
        self._keep, self._settle = keep, settle
        self._lot, self._most_waiting = lot, most_waiting
        self._waiting: deque[tuple[Callback, Future[None]]] = deque()
        self._lock = threading.Lock()
        self._keeping = self._to_settle = False
        self._keeper = ThreadPoolExecutor(1, thread_name_prefix="callbacks-keep")
        self._settler = ThreadPoolExecutor(1, thread_name_prefix="callbacks-settle")

    def put(self, callback: Callback) -> Future[None]:
        """Line up a callback; the future is done once it is kept for good. Raises InboxFull."""
        kept: Future[None] = Future()
        with self._lock:
            if len(self._waiting) >= self._most_waiting:
                raise InboxFull
            self._waiting.append((callback, kept))
            if not self._keeping:
                self._keeper.submit(self._keep_all)
                self._keeping = True
        return kept

    def close(self) -> None:
        """Keep and settle what waits, then stop the threads."""
        self._keeper.shutdown(wait=True)
        self._settler.shutdown(wait=True)

    def _keep_all(self) -> None:
        while True:
            with self._lock:
                lot = [self._waiting.popleft() for _ in range(min(self._lot, len(self._waiting)))]
                if not lot:
                    self._keeping = False
                    return
            callbacks = [callback for callback, _ in lot]
            # Whoever gave up waiting is not told any more; the callback is kept all the same.
            told = [kept if kept.set_running_or_notify_cancel() else None for _, kept in lot]
            error = self._try(callbacks)
            if isinstance(error, PermanentError) and len(lot) > 1:
                for callback, kept in zip(callbacks, told, strict=True):
                    _tell([kept], self._try([callback]))
            else:
                _tell(told, error)
            self._ask_to_settle()

    def _try(self, callbacks: Sequence[Callback]) -> Exception | None:
        try:
            self._keep(callbacks)
        except Exception as error:
            log.warning("Rappels du prestataire SMS qui n'ont pu être gardés : %d (%s)", len(callbacks), _name(error))
            return error
        return None

    def _ask_to_settle(self) -> None:
        with self._lock:
            if not self._to_settle:
                self._settler.submit(self._settle_all)
                self._to_settle = True

    def _settle_all(self) -> None:
        with self._lock:
            self._to_settle = False
        try:
            self._settle()
        except Exception as error:
            log.warning("Rappels du prestataire SMS gardés, pas encore traités (%s)", _name(error))


def _tell(waiting: Sequence[Future[None] | None], error: Exception | None) -> None:
    for kept in waiting:
        if kept is not None and error is not None:
            kept.set_exception(error)
        elif kept is not None:
            kept.set_result(None)


def _name(error: Exception) -> str:
    return type(error).__name__
