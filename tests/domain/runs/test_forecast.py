"""About how many readers tomorrow: from those told before, or from the same days of the last weeks, or not at all."""

from __future__ import annotations

from datetime import date, timedelta

from loan_reminders.domain.runs.forecast import PastRun, by_channel, forecast
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.settings.library_toml import ROOT, read_settings

POLICY = read_settings(ROOT / "library.toml").policy()
TODAY = date(2026, 11, 30)
TOMORROW = TODAY + timedelta(days=1)


def run(stage: Stage, day: date, notices: int) -> PastRun:
    return PastRun(stage=stage, day=day, due_date=POLICY.rule(stage).due_date_on(day), notices=notices)


def test_nothing_is_said_out_of_nothing():
    assert set(forecast([], POLICY, TOMORROW).values()) == {None}
    two_weeks = [run(Stage.COURTESY_NOTICE, TOMORROW - timedelta(weeks=back), 100) for back in (1, 2)]
    assert forecast(two_weeks, POLICY, TOMORROW)[Stage.COURTESY_NOTICE] is None


def test_the_first_stage_is_like_the_same_days_of_the_last_weeks():
    weeks = [
        run(Stage.COURTESY_NOTICE, TOMORROW - timedelta(weeks=back), n) for back, n in ((1, 90), (2, 110), (3, 500))
    ]
    other_days = [run(Stage.COURTESY_NOTICE, TOMORROW - timedelta(days=back), 7) for back in (1, 2, 3)]
    assert forecast([*weeks, *other_days], POLICY, TOMORROW)[Stage.COURTESY_NOTICE] == 110


def test_a_later_stage_is_the_usual_share_of_those_told_before():
    past = [run(Stage.COURTESY_NOTICE, TODAY - timedelta(days=back), 200) for back in range(10)]
    past += [run(Stage.OVERDUE_NOTICE, TODAY - timedelta(days=back), 80) for back in range(6)]
    # Twice as many as usual were told of the day that is overdue tomorrow.
    past.append(run(Stage.COURTESY_NOTICE, TOMORROW - timedelta(days=3), 200))
    assert forecast(past, POLICY, TOMORROW)[Stage.OVERDUE_NOTICE] == 160


def test_a_stage_whose_day_before_was_missed_is_like_other_weeks():
    past = [run(Stage.OVERDUE_NOTICE, TOMORROW - timedelta(weeks=back), 50) for back in (1, 2, 3)]
    assert forecast(past, POLICY, TOMORROW)[Stage.OVERDUE_NOTICE] == 50


def test_readers_are_told_by_the_channels_of_the_last_weeks():
    days = [
        PastRun(stage=stage, day=TODAY, due_date=TODAY, notices=100, by_channel={Channel.SMS: sms, Channel.EMAIL: 98})
        for stage, sms in ((Stage.OVERDUE_NOTICE, 60), (Stage.OVERDUE_NOTICE, 40), (Stage.FIRST_REMINDER, 0))
    ]
    assert list(by_channel(days, Stage.OVERDUE_NOTICE, 50).items()) == [(Channel.EMAIL, 49), (Channel.SMS, 25)]
    assert by_channel(days, Stage.FIRST_REMINDER, 10) == {Channel.EMAIL: 10}
    assert by_channel([], Stage.FIRST_REMINDER, 10) == {}
