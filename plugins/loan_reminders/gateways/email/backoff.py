"""How long to wait when the mail server asks for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """The pauses, in seconds, before each new try when the server asks to wait; after the last one it is « later »."""

    pauses: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
    sleep: Callable[[float], object] = time.sleep
