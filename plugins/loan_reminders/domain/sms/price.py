"""What SMS cost in money: the euros that the provider told, and the price of a segment in the contract for the rest."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsPrice:
    """Euros of one segment, 0 when nobody said."""

    segment: float = 0.0

    def of_text(self, segments: int) -> float | None:
        """Euros of one SMS that is to be sent; None when the price of a segment is not known."""
        return round(self.segment * segments, 5) if self.segment else None

    def of_sent(self, *, told: float, unpriced: int) -> float | None:
        """Euros of SMS that were sent: those the provider told, and the price of the segments of which it told none.

        None when there are such segments and their price is not known.
        """
        if unpriced and not self.segment:
            return None
        return round(told + self.segment * unpriced, 5)
