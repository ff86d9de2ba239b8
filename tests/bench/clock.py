"""A stopwatch that is started around the work alone."""

from __future__ import annotations

import time
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.bench.sampler import Sampler


class Clock:
    """Adds up the seconds spent in its `with` blocks, and those that this process computed in them.

    With a `sampler`, the blocks are looked into, and their seconds are not to be used.
    """

    def __init__(self, sampler: Sampler | None = None) -> None:
        self.seconds = self.cpu = 0.0
        self.sampler = sampler
        self._since = self._cpu_since = 0.0
        self._looking = ExitStack()

    def __enter__(self) -> None:
        if self.sampler is not None:
            self._looking.enter_context(self.sampler)
        self._since, self._cpu_since = time.perf_counter(), time.process_time()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.seconds += time.perf_counter() - self._since
        self.cpu += time.process_time() - self._cpu_since
        self._looking.close()

    @property
    def steps(self) -> list[str]:
        """Which steps took most, when somebody looked."""
        return [] if self.sampler is None else self.sampler.top()
