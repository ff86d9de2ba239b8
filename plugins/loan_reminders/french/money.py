"""How librarians read sums of money."""

from __future__ import annotations

from decimal import Decimal

from loan_reminders.domain.sms.price import SmsPrice
from loan_reminders.french.plurals import many


def euros(amount: float | Decimal) -> str:
    """`8,80 €`, `1 234,50 €`; below one euro the tenths of a cent too, when there are some: `0,058 €`."""
    digits = f"{amount:,.2f}"
    if -1 < amount < 1 and round(amount, 3) != round(amount, 2):
        digits = f"{amount:.3f}"
    whole, decimals = digits.replace(",", "\N{NARROW NO-BREAK SPACE}").split(".")
    return f"{whole},{decimals}\N{NO-BREAK SPACE}€"


def sms_cost_words(price: SmsPrice, *, told: float, unpriced: int) -> str:
    """What SMS cost: `8,80 €`, and what of it is not known: `12 segments sans prix`, `0,45 € et 1 segment sans prix`.

    `told` are the euros that the provider told, `unpriced` the segments of which it told none.
    """
    cost = price.of_sent(told=told, unpriced=unpriced)
    if cost is not None:
        return euros(cost)
    without = f"{many(unpriced, 'segment', 'segments')} sans prix"
    return f"{euros(told)} et {without}" if told else without
