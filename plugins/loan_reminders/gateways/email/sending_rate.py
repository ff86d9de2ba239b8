"""How many e-mails leave in a minute, and how long to wait when the server asks for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


class RateLimit:
    """So many messages a minute at most, evenly, for all connections together; 0 is as fast as can be.

    `clock` and `sleep` are in seconds. May be shared between threads.
    """

    def __init__(
        self,
        per_minute: int = 0,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._interval = 60 / per_minute if per_minute else 0.0
        self._clock, self._sleep = clock, sleep
        self._next = float("-inf")
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Return when the next message may leave. A time without messages is not made up for."""
        if not self._interval:
            return
        with self._lock:
            now = self._clock()
            turn = max(now, self._next)
            self._next = turn + self._interval
        if turn > now:
            self._sleep(turn - now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """The pauses, in seconds, before each new try when the server asks to wait; after the last one it is « later »."""

    pauses: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
    sleep: Callable[[float], object] = time.sleep
