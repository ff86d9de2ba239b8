"""SMS held back from a random share of readers for a while, so that what SMS do can be measured.

The reader's own number and the library's seed decide, by a keyed hash: the same reader is on the same side in every
run of the period, nobody chooses, and whoever knows the seed can check it. Only the SMS is held back: the e-mail leaves
as ever, and a reader who cannot be written to by e-mail is never held back. `docs/bibliothecaires/effet_des_sms.md`
says what is told to readers, and how the figures will be read.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import date

LARGEST_SHARE = 0.5
"""No more than one reader of two: that is where a comparison is the most exact."""

_ALL = 1 << 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdback:
    """The `share` of readers (0 to 0.5) whose SMS is held back from the day `first` to `last`, both included."""

    share: float
    first: date
    last: date
    seed: str

    def runs_on(self, day: date) -> bool:
        """Whether SMS are held back on a day."""
        return self.first <= day <= self.last

    def is_control(self, patron_id: str) -> bool:
        """Whether a reader is of those whose SMS is held back: the same answer on every day.

        HMAC-SHA-256 (RFC 2104) of the reader's number, keyed by the seed: its first eight bytes are a number, evenly
        spread, that is compared with the share.
        """
        digest = hmac.digest(self.seed.encode(), patron_id.encode(), "sha256")
        return int.from_bytes(digest[:8]) < self.share * _ALL

    def holds_back(self, patron_id: str, day: date) -> bool:
        """Whether the SMS to a reader is held back on a day."""
        return self.runs_on(day) and self.is_control(patron_id)
