"""Which days of the procedure a person has to see to, out of what the ledger knows."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from loan_reminders.domain.runs.to_do import ToDoItem, ToDoKind, missed_days, not_under_way, oldest_first
from loan_reminders.domain.runs.watched_days import WatchedDay
from loan_reminders.domain.stages import Stage

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 30, 11, tzinfo=PARIS)
STARTS = {Stage.OVERDUE_NOTICE: time(10)}
DAY = date(2026, 11, 27)


def day(on=DAY, *, hours_ago=None, **facts):
    started = None if hours_ago is None else NOW - timedelta(hours=hours_ago)
    return WatchedDay(stage=Stage.OVERDUE_NOTICE, day=on, started_at=started, **facts)


@pytest.mark.parametrize(
    ("watched", "kind"),
    [
        (day(), ToDoKind.MISSED_DAY),
        (day(NOW.date()), None),
        (day(hours_ago=1), None),
        (day(hours_ago=3), ToDoKind.MISSED_DAY),
        (day(hours_ago=3, read=True), None),
        (day(hours_ago=24 * 7, read=True), ToDoKind.STANDS_STILL),
        (day(hours_ago=24 * 7, read=True, asking=True), None),
        (day(hours_ago=3, read=True, closed=True), ToDoKind.BOOKS_WRONG),
        (day(hours_ago=3, read=True, closed=True, asking=True), None),
    ],
)
def test_a_day_is_missed_when_nothing_can_still_come_of_it(watched, kind):
    found = missed_days([watched], starts=STARTS, one_at_a_time=STARTS, now=NOW)
    assert [one for one, _ in found] == ([] if kind is None else [kind])


def test_todays_run_is_missed_two_hours_after_its_time_alone():
    late = NOW.replace(hour=12, minute=1)
    assert missed_days([day(NOW.date())], starts=STARTS, one_at_a_time=STARTS, now=late)[0][0] is ToDoKind.MISSED_DAY


def test_a_run_that_still_sends_holds_back_the_days_that_follow():
    sending = day(DAY, hours_ago=20, read=True)
    waiting = day(DAY + timedelta(days=1))
    assert missed_days([sending, waiting], starts=STARTS, one_at_a_time=STARTS, now=NOW) == ()
    before = day(DAY - timedelta(days=1))
    assert [
        one.day for _, one in missed_days([before, sending, waiting], starts=STARTS, one_at_a_time=STARTS, now=NOW)
    ] == [before.day]


def test_a_run_under_way_holds_nothing_back_where_several_may_be():
    sending = day(DAY, hours_ago=20, read=True)
    never_began = day(DAY + timedelta(days=1))
    found = missed_days([sending, never_began], starts=STARTS, one_at_a_time=(), now=NOW)
    assert found == ((ToDoKind.MISSED_DAY, never_began),)


def test_the_oldest_comes_first_and_what_nobody_can_date_before_all():
    old, new = (ToDoItem(kind=ToDoKind.PRINT, since=NOW - timedelta(days=days)) for days in (3, 1))
    stopped = ToDoItem(kind=ToDoKind.LEDGER_BEHIND)
    assert oldest_first([new, stopped, old]) == (stopped, old, new)


def test_a_run_of_today_that_goes_on_in_airflow_is_no_missed_day():
    today = NOW.date()
    both, alone, wrong = (
        ToDoItem(kind=kind, stage=Stage.OVERDUE_NOTICE, days=days, number=len(days))
        for kind, days in (
            (ToDoKind.MISSED_DAY, (DAY, today)), (ToDoKind.MISSED_DAY, (today,)), (ToDoKind.BOOKS_WRONG, (today,)),
        )
    )  # fmt: skip
    items = (both, alone, wrong)
    assert tuple(not_under_way(items, today=today, going=())) == items
    assert tuple(not_under_way(items, today=today, going={Stage.FIRST_REMINDER})) == items
    [before, still_wrong] = not_under_way(items, today=today, going={Stage.OVERDUE_NOTICE})
    assert (before.days, before.number, still_wrong) == ((DAY,), 1, wrong)
