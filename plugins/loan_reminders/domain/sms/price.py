"""What SMS cost in money: by the price of a segment in the library's contract, or by what the provider says itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsPrice:
    """Euros of one segment, 0 when nobody said; `says_euros`: the provider tells costs in euros, not in credits."""

    segment: float = 0.0
    says_euros: bool = False

    @property
    def in_euros(self) -> bool:
        """Whether what was sent can be told in euros; else it is in the credits of the provider."""
        return self.says_euros or bool(self.segment)

    def of_text(self, segments: int) -> float | None:
        """Euros of one SMS; None when the price of a segment is not known."""
        return round(self.segment * segments, 5) if self.segment else None

    def of_sent(self, segments: int, recorded: float) -> float:
        """What SMS that were sent cost, in euros when that can be told; `recorded` is what the provider said."""
        if self.says_euros or not self.segment:
            return recorded
        return round(self.segment * segments, 5)
