"""How librarians read sums of money."""

from __future__ import annotations

from decimal import Decimal


def euros(amount: float | Decimal) -> str:
    """`8,80 €`, `1 234,50 €`; below one euro the tenths of a cent too, when there are some: `0,058 €`."""
    digits = f"{amount:,.2f}"
    if -1 < amount < 1 and round(amount, 3) != round(amount, 2):
        digits = f"{amount:.3f}"
    whole, decimals = digits.replace(",", "\N{NARROW NO-BREAK SPACE}").split(".")
    return f"{whole},{decimals}\N{NO-BREAK SPACE}€"
