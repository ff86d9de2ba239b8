"""The day a run is about, in the library's zone, midnight and clock changes included."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from loan_reminders.domain.runs.reference_date import ReferenceDateRefused, reference_date
from loan_reminders.french.refusals import sentence
from tests.scenes.sentences import saying

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


@pytest.mark.parametrize(
    "param",
    ["hier", "23/11/2026", "2026-02-30", "2026-13-01", "0000-01-01", "20260203", "2026-W05-2", " 2026-02-03", "\0"],
)
def test_a_param_that_is_no_day_is_told(param):
    with pytest.raises(ReferenceDateRefused) as raised:
        reference_date(param=param, logical_date=NOON, run_after=NOON, time_zone=PARIS)
    assert repr(param) in sentence(raised.value)
    assert "AAAA-MM-JJ" in sentence(raised.value)


@pytest.mark.parametrize("param", ["x" * 100_000, 20260203, True, ["2026-02-03"], {"day": 3}])
def test_a_param_that_is_no_text_or_far_too_long_is_told_in_short(param):
    with pytest.raises(ReferenceDateRefused) as raised:
        reference_date(param=param, logical_date=None, run_after=NOON, time_zone=PARIS)
    assert "AAAA-MM-JJ" in sentence(raised.value)
    assert len(sentence(raised.value)) < 200


def asked(param, *, today=None, logical_date=None, zone=PARIS):
    return reference_date(param=param, logical_date=logical_date, run_after=NOON, time_zone=zone, today=today)


@pytest.mark.parametrize("param", ["9999-12-31", "2026-06-16", "2027-01-01"])
def test_a_day_yet_to_come_is_refused_with_what_to_do(param):
    with pytest.raises(ReferenceDateRefused, check=saying(r"dans l'avenir.*laisser vide")):
        asked(param)


@pytest.mark.parametrize("param", ["0001-01-01", "1926-06-15", "2025-06-13"])
def test_a_day_more_than_a_year_back_is_refused_with_what_to_do(param):
    with pytest.raises(ReferenceDateRefused, check=saying("plus d'un an")):
        asked(param)


def test_today_and_a_year_back_are_days_to_ask_for():
    assert asked("2026-06-15") == date(2026, 6, 15)
    assert asked("2025-06-15") == date(2025, 6, 15)
    assert asked("2026-06-20", today=date(2026, 6, 20)) == date(2026, 6, 20)
    with pytest.raises(ReferenceDateRefused):
        asked("2026-06-21", today=date(2026, 6, 20))


@pytest.mark.parametrize("zone", [PARIS, ZoneInfo("America/Cayenne"), ZoneInfo("Pacific/Noumea")])
def test_a_logical_date_at_the_beginning_of_time_is_told_like_any_day_too_far_back(zone):
    with pytest.raises(ReferenceDateRefused, check=saying("plus d'un an")):
        asked(None, logical_date=datetime(1, 1, 1, tzinfo=UTC), zone=zone)


def test_a_scheduled_run_a_moment_before_the_workers_clock_is_not_refused():
    """The tick of midnight, on a worker whose clock is a second late."""
    late = NOON.date() - timedelta(days=1)
    assert asked(None, logical_date=NOON, today=late) == NOON.date()
