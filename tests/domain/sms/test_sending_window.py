"""SMS leave at decent hours: a table of moments, holidays and clock changes included."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from loan_reminders.domain.sms.sending_window import SendingWindow
from loan_reminders.settings.library_toml import ROOT, read_settings

PARIS = ZoneInfo("Europe/Paris")
WINDOW = read_settings(ROOT / "library.toml").sms_window()


def paris(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS)


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-11-23T10:00", "2026-11-23T10:00"),  # Monday
        ("2026-11-23T18:59:59", "2026-11-23T18:59:59"),
        ("2026-11-23T09:59:59", "2026-11-23T10:00"),
        ("2026-11-23T00:00", "2026-11-23T10:00"),
        ("2026-11-23T19:00", "2026-11-24T10:00"),
        ("2026-11-28T18:00", "2026-11-28T18:00"),  # Saturday
        ("2026-11-28T19:00", "2026-11-30T10:00"),
        ("2026-11-29T12:00", "2026-11-30T10:00"),  # Sunday
        ("2026-12-24T20:00", "2026-12-26T10:00"),  # Christmas
        ("2026-12-25T12:00", "2026-12-26T10:00"),
        ("2027-04-30T19:30", "2027-05-03T10:00"),  # 1 May is a Saturday
        ("2026-07-14T11:00", "2026-07-15T10:00"),
        ("2026-04-06T11:00", "2026-04-07T10:00"),  # Easter Monday
        ("2026-03-28T20:00", "2026-03-30T10:00"),  # the clock goes forward on the Sunday
        ("2026-10-24T20:00", "2026-10-26T10:00"),  # and back
    ],
)
def test_the_next_opening(now, opens):
    found = WINDOW.next_opening(paris(now))
    assert found == paris(opens)
    assert found.utcoffset() == paris(opens).utcoffset()
    assert WINDOW.is_open(paris(now)) is (now == opens)


def test_a_window_without_any_day_is_told_rather_than_waited_for():
    never = SendingWindow(opens=time(10), closes=time(19), weekdays=frozenset({1}), is_holiday=lambda day: True)
    with pytest.raises(ValueError, match="never opens"):
        never.next_opening(paris("2026-11-23T10:00"))


def test_until_midnight():
    always = SendingWindow(
        opens=time(0), closes=None, weekdays=frozenset(range(1, 8)), is_holiday=lambda day: day == date(1900, 1, 1)
    )
    assert always.is_open(paris("2026-11-29T23:59:59"))
    assert always.is_open(paris("2026-11-29T00:00"))
