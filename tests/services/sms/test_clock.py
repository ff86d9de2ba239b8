"""SMS take time, and the clock goes on: past the end of the window, and past midnight."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest

from loan_reminders.domain.errors import SendingWindowClosed
from loan_reminders.domain.sms.sending_window import SendingWindow
from loan_reminders.domain.states import Refusal
from tests.scenes.clocks import ClockThatJumps
from tests.scenes.world import DUE, SETTINGS, loan, loans, reader

WINDOW = SendingWindow(opens=time(10), closes=time(19), weekdays=frozenset(range(1, 8)), is_holiday=lambda _: False)
DAY_AFTER = DUE + timedelta(days=1)
ONE_MINUTE = timedelta(minutes=1)


def at(day, hour, minute=0):
    return datetime.combine(day, time(hour, minute), SETTINGS.zone)


def jump(world, moment, *, after):
    """Give the world a clock that stands just before a moment and passes it once so many SMS have left."""
    world.own_clock = ClockThatJumps(
        moment - ONE_MINUTE, to=moment + ONE_MINUTE, when=lambda: len(world.sms.provider.accepted) >= after
    )


def test_before_the_window_nothing_leaves_and_the_opening_is_told(world):
    world.window, world.own_clock = WINDOW, lambda: at(DAY_AFTER, 8)
    run_id = world.begin(*loans(3))
    with pytest.raises(SendingWindowClosed) as refused:
        world.send_sms(run_id)
    assert refused.value.opens_at == at(DAY_AFTER, 10)
    assert world.texted_to() == []


def test_when_nothing_waits_a_closed_window_holds_nobody(world):
    world.window, world.own_clock = WINDOW, lambda: at(DAY_AFTER, 8)
    assert world.send_sms(world.begin(loan(1, patron=reader(1, mobile=Refusal.MISSING)))) == {}


def test_no_request_leaves_once_the_window_has_closed_and_the_rest_goes_at_the_next_opening(world):
    run_id = world.begin(*loans(5))
    world.window = WINDOW
    jump(world, at(DAY_AFTER, 19), after=2)
    with pytest.raises(SendingWindowClosed) as refused:
        world.send_sms(run_id, at_once=2)
    assert refused.value.opens_at == at(DAY_AFTER + timedelta(days=1), 10)
    assert len(world.texted_to()) == 2
    world.own_clock = lambda: refused.value.opens_at
    assert world.send_sms(run_id, at_once=2) == {"accepted": 3}
    assert len(set(world.texted_to())) == 5


def test_after_midnight_a_text_does_not_say_yesterday_of_the_day_before(world):
    run_id = world.begin(*loans(4))
    jump(world, at(DAY_AFTER + timedelta(days=1), 0), after=2)
    assert world.send_sms(run_id, at_once=1) == {"accepted": 4}
    said = [sms.text for sms in world.sms.provider.accepted]
    assert all("hier" in text for text in said[:2])
    assert not any("hier" in text for text in said[2:])


def test_at_midnight_a_text_whose_time_is_over_stays_here(world):
    last_day = DUE + timedelta(days=SETTINGS.sms.expires_after_days)
    world.today = last_day
    run_id = world.begin(*loans(4))
    jump(world, at(last_day + timedelta(days=1), 0), after=1)
    assert world.send_sms(run_id, at_once=1) == {"accepted": 1}
    with world.ledger.engine.connect() as connection:
        states = connection.exec_driver_sql("SELECT state FROM deliveries WHERE channel = 'sms' ORDER BY state").all()
    assert [state for (state,) in states] == ["accepted", "cancelled", "cancelled", "cancelled"]
