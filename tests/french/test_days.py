"""Days as librarians write them."""

from __future__ import annotations

from datetime import date

import pytest

from loan_reminders.french.days import written_day


@pytest.mark.parametrize(
    "text", ["", "hier", "31/02/2026", "03/2026", "1/3/26", "2026-02-30", "13/13/2026", "٣/٣/2026x"]
)
def test_what_is_no_day(text):
    with pytest.raises(ValueError, match=r".*"):
        written_day(text)


@pytest.mark.parametrize("text", ["2026-03-01", "01/03/2026", "1/3/2026", " 01.03.2026 "])
def test_the_day_comes_first_as_in_france_and_a_browsers_own_form_is_read_too(text):
    assert written_day(text) == date(2026, 3, 1)
