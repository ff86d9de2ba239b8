"""Clocks for what lasts: one that jumps over an hour or a midnight while the work goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime


@dataclass
class ClockThatJumps:
    """Stands at `before` until `when` is true, then at `to`."""

    before: datetime
    to: datetime
    when: Callable[[], bool]

    def __call__(self) -> datetime:
        return self.to if self.when() else self.before
