"""How much the tests that live many lives try: a short sample in `make test`, far more in `make faults`."""

from __future__ import annotations

import os

FULL = os.environ.get("SAMPLES") == "full"


def sample(short: int, *, full: int) -> int:
    """The number of lives, orders or texts to try; `SAMPLES=full` asks for the large one."""
    return full if FULL else short
