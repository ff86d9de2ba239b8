"""What SMS cost in money."""

from __future__ import annotations

import pytest

from loan_reminders.domain.sms.price import SmsPrice


@pytest.mark.parametrize(
    ("price", "in_euros", "of_text", "of_sent"),
    [
        (SmsPrice(), False, None, 30.0),
        (SmsPrice(segment=0.058), True, 0.116, 0.116),
        (SmsPrice(says_euros=True), True, None, 30.0),
        (SmsPrice(segment=0.058, says_euros=True), True, 0.116, 30.0),
    ],
    ids=["credits only", "the contract says", "the provider says", "the provider's own figure counts"],
)
def test_two_segments_for_which_the_provider_says_thirty(price, in_euros, of_text, of_sent):
    assert (price.in_euros, price.of_text(2), price.of_sent(2, 30.0)) == (in_euros, of_text, of_sent)
