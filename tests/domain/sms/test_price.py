"""What SMS cost in money."""

from __future__ import annotations

import pytest

from loan_reminders.domain.sms.price import SmsPrice

UNKNOWN, KNOWN = SmsPrice(), SmsPrice(segment=0.058)


@pytest.mark.parametrize(
    ("price", "told", "unpriced", "of_sent"),
    [
        (UNKNOWN, 0.0, 2, None),
        (UNKNOWN, 0.9, 2, None),
        (UNKNOWN, 0.9, 0, 0.9),
        (UNKNOWN, 0.0, 0, 0.0),
        (KNOWN, 0.0, 2, 0.116),
        (KNOWN, 0.9, 2, 1.016),
        (KNOWN, 0.9, 0, 0.9),
    ],
)
def test_what_the_provider_told_counts_and_the_rest_by_the_price_of_a_segment(price, told, unpriced, of_sent):
    assert price.of_sent(told=told, unpriced=unpriced) == of_sent


def test_a_text_costs_its_segments_where_their_price_is_known():
    assert (UNKNOWN.of_text(2), KNOWN.of_text(2)) == (None, 0.116)
