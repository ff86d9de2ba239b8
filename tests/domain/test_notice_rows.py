"""When a notice that is not about loans is told, and what a row of its statement becomes."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from loan_reminders.domain.errors import RowError
from loan_reminders.domain.notice_rows import (
    NOTICE_COLUMNS,
    notice_id_of,
    parse_notice_row,
    reject_notice_row,
)
from loan_reminders.domain.runs.extraction import CodeMapping
from loan_reminders.domain.runs.planning import key, out_of_time, plan_notices
from loan_reminders.domain.stages import Channel, ChannelRule, Policy, Stage, StageRule
from loan_reminders.domain.states import DeliveryState, Refusal, SkipReason
from tests.scenes.builders import a_loan

HOLD = Stage("hold_arrived")
DAY = date(2026, 11, 26)
EMAIL = (ChannelRule(channel=Channel.EMAIL),)
PROCEDURE = tuple(
    StageRule(stage=stage, offset_days=offset, channels=EMAIL)
    for stage, offset in ((Stage.COURTESY_NOTICE, -2), (Stage.OVERDUE_NOTICE, 1))
)
ROW = {"notice_key": 12, "notice_date": "2026-11-26", "patron_id": "P1", "email": "camille@etu.example.org",
       "title": "Le livre qui manque"}  # fmt: skip


def policy(**changes):
    hold = StageRule(stage=HOLD, offset_days=0, channels=EMAIL, **{"days_back": 3, **changes})
    return Policy(rules=PROCEDURE, others=(hold,))


@pytest.mark.parametrize(
    ("after", "reason"),
    [(-1, SkipReason.NOT_YET_DUE), (0, None), (3, None), (4, SkipReason.EXPIRED)],
)
def test_it_is_told_from_its_day_on_and_no_stage_takes_its_place(after, reason):
    assert out_of_time(DAY, stage=HOLD, policy=policy(), today=DAY + timedelta(days=after)) is reason


def test_what_arrived_before_its_first_day_is_not_told():
    ours = policy(starts_on=DAY)
    assert out_of_time(DAY - timedelta(days=1), stage=HOLD, policy=ours, today=DAY) is SkipReason.BEFORE_START
    assert out_of_time(DAY, stage=HOLD, policy=ours, today=DAY) is None
    assert out_of_time(DAY, stage=Stage.OVERDUE_NOTICE, policy=ours, today=DAY + timedelta(days=1)) is None


def test_the_procedure_knows_nothing_of_it():
    assert policy().stage_due(DAY, DAY + timedelta(days=30)) is Stage.OVERDUE_NOTICE
    assert out_of_time(DAY, stage=Stage.COURTESY_NOTICE, policy=policy(), today=DAY) is None


def test_one_notice_a_reader_and_day_and_each_request_once():
    requests = [a_loan(loan_id=f"@hold_arrived:{n}", due_date=DAY - timedelta(days=n // 2)) for n in range(3)]
    plan = plan_notices(requests, stage=HOLD, policy=policy(), today=DAY, history={})
    assert [len(notice.loans) for notice in plan.notices] == [2, 1]
    taken = {(key(one), Channel.EMAIL.slot): DeliveryState.ACCEPTED for one in requests}
    again = plan_notices(requests, stage=HOLD, policy=policy(), today=DAY, history=taken)
    assert (again.notices, {skip.reason for skip in again.skipped}) == ((), {SkipReason.ALREADY_SENT})


def test_a_row_is_a_request_with_its_day_and_no_loan():
    request = parse_notice_row(ROW, CodeMapping(), stage=HOLD)
    assert (request.loan_id, request.due_date, request.loan_date) == ("@hold_arrived:12", DAY, DAY)
    assert (request.is_loan, request.title, request.patron.address) == (False, "Le livre qui manque", Refusal.MISSING)
    assert notice_id_of(ROW, stage=HOLD) == request.loan_id
    assert a_loan().is_loan


@pytest.mark.parametrize(
    ("changes", "column", "loan_id"),
    [
        ({"notice_key": None}, "notice_key", ""),
        ({"notice_date": None}, "notice_date", "@hold_arrived:12"),
        ({"notice_date": 20260231}, "notice_date", "@hold_arrived:12"),
        ({"patron_id": ""}, "patron_id", "@hold_arrived:12"),
    ],
)
def test_a_row_that_cannot_be_read_names_the_column_of_its_own_statement(changes, column, loan_id):
    row = {**ROW, **changes}
    with pytest.raises(RowError) as error:
        parse_notice_row(row, CodeMapping(), stage=HOLD)
    assert error.value.column == column
    rejected = reject_notice_row(row, error.value, stage=HOLD)
    assert (rejected.column, rejected.loan_id) == (column, loan_id)
    assert rejected.raw.keys() == row.keys()


def test_its_columns_are_those_of_a_reader_and_a_document():
    assert NOTICE_COLUMNS[:3] == ("notice_key", "notice_date", "patron_id")
    assert not {"due_date", "loan_key", "postcode", "price_text"} & set(NOTICE_COLUMNS)
