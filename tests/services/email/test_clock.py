"""A night run goes on past midnight: its words and its stage are those of the moment each e-mail leaves."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from email.utils import parsedate_to_datetime

import pytest

from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState
from loan_reminders.services.email.send import SendingPlan
from tests.scenes.clocks import ClockThatJumps
from tests.scenes.world import DUE, SETTINGS, loans

ONE_MINUTE = timedelta(minutes=1)


def midnight_passes(world, day, *, after):
    """The clock stands just before the end of a day, and just after it once so many e-mails have arrived."""
    end = datetime.combine(day + timedelta(days=1), time(), SETTINGS.zone)
    world.today = day
    world.own_clock = ClockThatJumps(
        end - ONE_MINUTE, to=end + ONE_MINUTE, when=lambda: len(world.mail.messages()) >= after
    )


def test_after_midnight_no_email_says_yesterday_of_the_day_before(world):
    run_id = world.begin(*loans(20))
    midnight_passes(world, DUE + timedelta(days=1), after=5)
    assert world.send_emails(run_id, connections=1) == {"accepted": 20}
    said = ["hier" in message.get_body(("plain",)).get_content() for message in world.mail.messages()]
    assert all(said[:5])
    # What was claimed or written before the clock passed midnight is on its way: two a connection, and as many ready.
    assert not any(said[5 + 4 :])
    dates = {parsedate_to_datetime(message["Date"]).date() for message in world.mail.messages()}
    assert dates == {DUE + timedelta(days=1), DUE + timedelta(days=2)}


def test_at_midnight_a_stage_that_is_over_stops_even_in_the_middle_of_a_page(world):
    world.stage, last_day = Stage.OVERDUE_NOTICE, DUE + timedelta(days=7)
    world.today = last_day
    run_id = world.begin(*loans(20))
    midnight_passes(world, last_day, after=5)
    world.send_emails(run_id, connections=1)
    assert 5 <= len(world.mailed_to()) <= 5 + 4
    emails = world.close(run_id).deliveries[Channel.EMAIL]
    assert set(emails) == {DeliveryState.ACCEPTED, DeliveryState.CANCELLED}


@pytest.mark.parametrize(("pace", "in_flight"), [(0, 16), (6, 1), (30, 5), (6000, 16)])
def test_at_a_slow_pace_no_more_is_written_than_leaves_in_ten_seconds(pace, in_flight):
    assert SendingPlan(run_id=1, connections=8, messages_per_minute=pace).in_flight == in_flight
