"""Sums of money."""

from __future__ import annotations

import pytest

from loan_reminders.french.money import euros


@pytest.mark.parametrize(
    ("amount", "words"),
    [(0, "0,00 €"), (0.05, "0,05 €"), (0.058, "0,058 €"), (8.8, "8,80 €"), (8.805, "8,80 €"), (1234.5, "1_234,50 €")],
)
def test_two_decimals_and_a_third_where_it_matters(amount, words):
    narrow, hard = "\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}"
    assert euros(amount) == words.replace("_", narrow).replace(" ", hard)
