"""Numbers of registered letters as they are typed, scanned and imported."""

from __future__ import annotations

import pytest

from loan_reminders.domain.errors import TrackingNumberError
from loan_reminders.domain.registered.tracking_number import TrackingNumber, clean_reference
from loan_reminders.french.refusals import sentence

OURS, OTHER = "1A23456789012", "2C00000000018"


@pytest.mark.parametrize(
    ("text", "value", "printed"),
    [
        ("1A 234 567 8901 2", OURS, "1A 234 567 8901 2"),
        ("1A23456789012", OURS, "1A 234 567 8901 2"),
        ("1a 234 567 8901 2", OURS, "1A 234 567 8901 2"),
        (" 1A2345 6789 012 ", OURS, "1A 234 567 8901 2"),
        ("1A\u00a0234\u202f567 8901\t2", OURS, "1A 234 567 8901 2"),
        ("*1A23456789012*", OURS, "1A 234 567 8901 2"),
        ("1A23456789012\r\n", OURS, "1A 234 567 8901 2"),
        ("%01A23456789012", OURS, "1A 234 567 8901 2"),
        ("*%01a23456789012*\n", OURS, "1A 234 567 8901 2"),
        ("\x021A23456789012\x03", OURS, "1A 234 567 8901 2"),
        ("2C 000 000 0001 8", OTHER, "2C 000 000 0001 8"),
        ("0O12345678901", "0O12345678901", "0O 123 456 7890 1"),
        ("RK123456785FR", "RK123456785FR", "RK 123 456 785 FR"),
        ("rk 123 456 785 fr", "RK123456785FR", "RK 123 456 785 FR"),
        ("RR473124829GB", "RR473124829GB", "RR 473 124 829 GB"),
        ("RA000000005FR", "RA000000005FR", "RA 000 000 005 FR"),
        ("RZ000000080DE", "RZ000000080DE", "RZ 000 000 080 DE"),
    ],
)
def test_numbers_that_are_read(text, value, printed):
    number = TrackingNumber.parse(text)
    assert (number.value, number.printed) == (value, printed)
    assert TrackingNumber.parse(number.printed) == number


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "missing"),
        (" \r\n", "missing"),
        ("**", "missing"),
        ("%0", "missing"),
        ("1A2345678901", "too_short"),
        ("1A234567890123", "too_long"),
        ("1A23456789012 1A23456789012", "too_long"),
        ("RK123456785F", "too_short"),
        ("RK123456784FR", "wrong_check_digit"),
        ("RK132456785FR", "wrong_check_digit"),
        ("RR473124820GB", "wrong_check_digit"),
        ("CP473124829FR", "not_registered"),
        ("EE473124829FR", "not_registered"),
        ("1A2345678901O", "letter_for_digit"),
        ("1AO3456789012", "letter_for_digit"),
        ("IA23456789012", "letter_for_digit"),
        ("RK12345678SFR", "letter_for_digit"),
        ("1123456789012", "wrong_shape"),
        ("1A2345678901X", "wrong_shape"),
        ("AA23456789012", "wrong_shape"),
        ("1É23456789012", "wrong_shape"),
        ("1A２3456789012", "wrong_shape"),
        ("1A-23456789012"[:13], "wrong_shape"),
        ("ABCDEFGHIJKLM", "wrong_shape"),
    ],
)
def test_numbers_that_are_refused(text, code):
    with pytest.raises(TrackingNumberError) as refused:
        TrackingNumber.parse(text)
    assert refused.value.code == code
    assert sentence(refused.value).endswith(".")
    assert text.strip() == "" or text not in sentence(refused.value)


def test_a_reference_is_cleaned_of_what_typing_and_scanning_add():
    assert clean_reference(" *r3-261217-7zk3qd*\r\n") == "R3-261217-7ZK3QD"
