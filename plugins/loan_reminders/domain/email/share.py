"""How the e-mails of one run are shared out among several senders, each on whatever machine Airflow puts it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LEAST = 500
"""E-mails of a share at least: sending them takes longer than beginning one more task (0.6 s in Airflow 3.3)."""

_IDS = 1 << 128
"""How many ids there are (RFC 9562). Those of deliveries are random, so equal ranges of them hold equal parts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """The deliveries of a run whose ids lie in one of `of` equal ranges: the `number`-th, from 1.

    A range says which deliveries are meant without naming any. Each delivery is in exactly one share, whenever it was
    planned, and whichever share is begun again.
    """

    number: int = 1
    of: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.of:
            raise ValueError("a share is numbered from 1 to how many there are")

    @property
    def whole(self) -> bool:
        """Whether it is all of the run."""
        return self.of == 1

    @property
    def first(self) -> uuid.UUID:
        """The first id of the range."""
        return uuid.UUID(int=_IDS * (self.number - 1) // self.of)

    @property
    def last(self) -> uuid.UUID:
        """The last id of the range."""
        return uuid.UUID(int=_IDS * self.number // self.of - 1)

    def part(self, total: int) -> int:
        """This share's part of something the library has `total` of; the parts of all shares are `total` together.

        At least 1, so that a share is never without any: a library has no more shares than connections.
        """
        return max(1, total * self.number // self.of - total * (self.number - 1) // self.of)

    def numbers(self) -> dict[str, int]:
        """What a task tells another of it."""
        return {"number": self.number, "of": self.of}

    @classmethod
    def told(cls, numbers: Mapping[str, int] | None) -> Share:
        """The share that `numbers` tell; the whole run without any."""
        return cls(number=int(numbers["number"]), of=int(numbers["of"])) if numbers else WHOLE


WHOLE = Share()
"""All of a run."""


def shares(emails: int, *, workers: int) -> Sequence[Share]:
    """The shares of so many e-mails for at most so many senders: one where there are few, or none."""
    count = max(1, min(workers, emails // LEAST))
    return tuple(Share(number=number, of=count) for number in range(1, count + 1))
