"""A stopwatch that is started around the work alone."""

from __future__ import annotations

import time
from types import TracebackType


class Clock:
    """Adds up the seconds spent in its `with` blocks, and those that this process computed in them."""

    def __init__(self) -> None:
        self.seconds = self.cpu = 0.0
        self._since = self._cpu_since = 0.0

    def __enter__(self) -> None:
        self._since, self._cpu_since = time.perf_counter(), time.process_time()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.seconds += time.perf_counter() - self._since
        self.cpu += time.process_time() - self._cpu_since
