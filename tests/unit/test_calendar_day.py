"""The day a run is about, in the library's zone, midnight and clock changes included."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from loan_reminders.domain.calendar_day import reference_date
from loan_reminders.domain.errors import SettingsError

PARIS = ZoneInfo("Europe/Paris")
NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        (datetime(2026, 11, 22, 23, 30, tzinfo=UTC), date(2026, 11, 23)),
        (datetime(2026, 11, 23, 22, 59, tzinfo=UTC), date(2026, 11, 23)),
        (datetime(2026, 11, 23, 23, 0, tzinfo=UTC), date(2026, 11, 24)),
        (datetime(2026, 7, 1, 21, 59, tzinfo=UTC), date(2026, 7, 1)),
        (datetime(2026, 7, 1, 22, 30, tzinfo=UTC), date(2026, 7, 2)),
        (datetime(2026, 3, 29, 0, 30, tzinfo=PARIS), date(2026, 3, 29)),
        (datetime(2026, 3, 29, 1, 30, tzinfo=UTC), date(2026, 3, 29)),
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), date(2026, 10, 25)),
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), date(2026, 10, 25)),
        (datetime(2026, 10, 25, 23, 59, tzinfo=PARIS), date(2026, 10, 25)),
    ],
)
def test_an_instant_belongs_to_the_librarys_day(instant, day):
    assert reference_date(param=None, logical_date=instant, run_after=NOON, time_zone=PARIS) == day
    assert reference_date(param="", logical_date=None, run_after=instant, time_zone=PARIS) == day


def test_the_param_wins():
    assert reference_date(param="2026-02-03", logical_date=NOON, run_after=NOON, time_zone=PARIS) == date(2026, 2, 3)


def test_without_logical_date_the_run_is_about_run_after():
    assert reference_date(param=None, logical_date=None, run_after=NOON, time_zone=PARIS) == date(2026, 6, 15)


@pytest.mark.parametrize("param", ["hier", "23/11/2026", "2026-02-30", "2026-13-01"])
def test_a_param_that_is_no_day_is_told(param):
    with pytest.raises(SettingsError, match="AAAA-MM-JJ") as raised:
        reference_date(param=param, logical_date=NOON, run_after=NOON, time_zone=PARIS)
    assert param in str(raised.value)
