"""Who is told today: the rules of time, of grouping and of what was already done."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from loan_reminders.domain.notices import LoanKey
from loan_reminders.domain.runs.planning import plan_notices
from loan_reminders.domain.stages import Slot, Stage
from loan_reminders.domain.states import DeliveryState, SkipReason
from loan_reminders.settings.library_toml import ROOT, read_settings
from tests.scenes.builders import a_loan, a_patron

POLICY = read_settings(ROOT / "library.toml").policy()
DUE = date(2026, 11, 26)

ON_TIME = "on time"
TIMES = [
    # stage, days from the due date to today, outcome
    (Stage.COURTESY_NOTICE, -3, SkipReason.NOT_YET_DUE),
    (Stage.COURTESY_NOTICE, -2, ON_TIME),
    (Stage.COURTESY_NOTICE, -1, ON_TIME),
    (Stage.COURTESY_NOTICE, 0, ON_TIME),
    (Stage.COURTESY_NOTICE, 1, SkipReason.EXPIRED),
    (Stage.COURTESY_NOTICE, 40, SkipReason.EXPIRED),
    (Stage.OVERDUE_NOTICE, -5, SkipReason.NOT_YET_DUE),
    (Stage.OVERDUE_NOTICE, 0, SkipReason.NOT_YET_DUE),
    (Stage.OVERDUE_NOTICE, 1, ON_TIME),
    (Stage.OVERDUE_NOTICE, 7, ON_TIME),
    (Stage.OVERDUE_NOTICE, 8, SkipReason.SUPERSEDED),
    (Stage.FIRST_REMINDER, 7, SkipReason.NOT_YET_DUE),
    (Stage.FIRST_REMINDER, 8, ON_TIME),
    (Stage.FIRST_REMINDER, 14, ON_TIME),
    (Stage.FIRST_REMINDER, 15, SkipReason.SUPERSEDED),
    (Stage.SECOND_REMINDER, 14, SkipReason.NOT_YET_DUE),
    (Stage.SECOND_REMINDER, 15, ON_TIME),
    (Stage.SECOND_REMINDER, 20, ON_TIME),
    (Stage.SECOND_REMINDER, 21, SkipReason.SUPERSEDED),
    (Stage.REGISTERED_LETTER, 20, SkipReason.NOT_YET_DUE),
    (Stage.REGISTERED_LETTER, 21, ON_TIME),
    (Stage.REGISTERED_LETTER, 400, ON_TIME),
]


def plan(*loans, stage=Stage.OVERDUE_NOTICE, today=DUE + timedelta(days=1), history=None):
    return plan_notices(loans, stage=stage, policy=POLICY, today=today, history=history or {})


@pytest.mark.parametrize(("stage", "days", "outcome"), TIMES)
def test_a_late_or_early_run_tells_only_what_holds_today(stage, days, outcome):
    found = plan(a_loan(due_date=DUE), stage=stage, today=DUE + timedelta(days=days))
    if outcome is ON_TIME:
        assert [len(notice.loans) for notice in found.notices] == [1]
        assert found.skipped == ()
    else:
        assert found.notices == ()
        assert [skip.reason for skip in found.skipped] == [outcome]


@pytest.mark.parametrize("days", range(-10, 60))
def test_on_any_day_at_most_one_stage_speaks(days):
    speaking = [
        stage for stage in Stage if plan(a_loan(due_date=DUE), stage=stage, today=DUE + timedelta(days=days)).notices
    ]
    assert len(speaking) <= 1


def test_a_reader_gets_one_notice_for_all_loans_of_the_day():
    marie, paul = a_patron(patron_id="P1"), a_patron(patron_id="P2")
    found = plan(a_loan(loan_id="1", patron=marie), a_loan(loan_id="2", patron=paul), a_loan(loan_id="3", patron=marie))
    assert [(one.patron.patron_id, [loan.loan_id for loan in one.loans]) for one in found.notices] == [
        ("P1", ["1", "3"]),
        ("P2", ["2"]),
    ]


def test_two_due_dates_are_two_notices():
    found = plan(a_loan(loan_id="1", due_date=DUE), a_loan(loan_id="2", due_date=DUE - timedelta(days=1)))
    assert [one.due_date for one in found.notices] == [DUE, DUE - timedelta(days=1)]


def taken(loan_id: str, *slots: Slot, due_date: date = DUE, state=DeliveryState.ACCEPTED):
    return {(LoanKey(loan_id=loan_id, due_date=due_date), slot): state for slot in slots}


def test_a_loan_told_in_every_slot_is_already_sent():
    found = plan(a_loan(loan_id="1"), history=taken("1", Slot.WRITTEN, Slot.SMS))
    assert found.notices == ()
    assert [(skip.loan_id, skip.reason) for skip in found.skipped] == [("1", SkipReason.ALREADY_SENT)]


def test_a_loan_told_in_one_slot_only_is_still_planned():
    assert plan(a_loan(loan_id="1"), history=taken("1", Slot.WRITTEN)).notices


def test_one_slot_is_all_there_is_at_a_written_stage():
    found = plan(
        a_loan(loan_id="1"),
        stage=Stage.FIRST_REMINDER,
        today=DUE + timedelta(days=8),
        history=taken("1", Slot.WRITTEN),
    )
    assert [skip.reason for skip in found.skipped] == [SkipReason.ALREADY_SENT]


def test_a_renewal_opens_a_new_cycle():
    earlier = taken("1", Slot.WRITTEN, Slot.SMS, due_date=DUE - timedelta(days=14))
    assert plan(a_loan(loan_id="1", due_date=DUE), history=earlier).notices


def test_every_loan_is_in_a_notice_or_skipped():
    loans = [a_loan(loan_id=str(number), due_date=DUE - timedelta(days=number)) for number in range(30)]
    found = plan(*loans)
    told = sum(len(notice.loans) for notice in found.notices)
    assert told + len(found.skipped) == 30
    assert told == 7


@pytest.mark.parametrize("stage", Stage)
def test_a_stage_that_fell_before_the_first_day_is_never_told_not_even_late(stage):
    day = DUE + timedelta(days=POLICY.rule(stage).offset_days)
    for starts_on, left_out in ((day + timedelta(days=1), True), (day, False)):
        found = plan_notices(
            [a_loan(due_date=DUE)], stage=stage, policy=replace(POLICY, starts_on=starts_on), today=day, history={}
        )
        assert [skip.reason for skip in found.skipped] == ([SkipReason.BEFORE_START] if left_out else [])
        assert bool(found.notices) is not left_out


def test_what_another_stage_tells_by_now_is_told_so_whatever_the_first_day():
    policy = replace(POLICY, starts_on=DUE + timedelta(days=100))
    found = plan_notices(
        [a_loan(due_date=DUE)], stage=Stage.OVERDUE_NOTICE, policy=policy, today=DUE + timedelta(days=9), history={}
    )
    assert [skip.reason for skip in found.skipped] == [SkipReason.SUPERSEDED]
