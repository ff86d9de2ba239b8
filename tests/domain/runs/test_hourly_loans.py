"""A loan of hours has a time of day in its due date: due today at 14 h, it is not late today, and never « hier »."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from loan_reminders.domain.notices import LoanKey
from loan_reminders.domain.runs.extraction import CodeMapping, parse_row
from loan_reminders.domain.runs.planning import out_of_time, plan_notices
from loan_reminders.domain.runs.reading.cells import read_day
from loan_reminders.domain.stages import Stage
from loan_reminders.services.runs.gone_loans import gone_loans
from tests.scenes.world import SETTINGS

CODES = CodeMapping(zone=ZoneInfo("Europe/Paris"))
DAY = date(2026, 3, 3)
AT_TWO = [
    datetime(2026, 3, 3, 14),
    "2026-03-03 14:00:00",
    datetime(2026, 3, 3, 13, tzinfo=UTC),
    "2026-03-03T13:00:00Z",
    datetime(2026, 3, 2, 23, 30, tzinfo=UTC),
    datetime(2026, 3, 3, 0, 0),
    datetime(2026, 3, 3, 23, 59, 59),
]


def loan(due):
    row = {"loan_key": "K", "patron_id": "P", "loan_date": "2026-03-03T09:00:00Z", "due_date": due}
    return parse_row(row, CODES)


@pytest.mark.parametrize("due", AT_TWO)
def test_it_is_late_from_the_next_day_on(due):
    policy, found = SETTINGS.policy(), loan(due)
    assert (found.due_date, found.length_days) == (DAY, 0)
    assert policy.stage_due(found.due_date, DAY) is Stage.COURTESY_NOTICE
    assert policy.stage_due(found.due_date, DAY + timedelta(days=1)) is Stage.OVERDUE_NOTICE
    assert out_of_time(found.due_date, stage=Stage.OVERDUE_NOTICE, policy=policy, today=DAY) is not None
    for today, notices in ((DAY, 0), (DAY + timedelta(days=1), 1)):
        plan = plan_notices([found], stage=Stage.OVERDUE_NOTICE, policy=policy, today=today, history={})
        assert len(plan.notices) == notices


class Asked:
    """An ILS that gives its due dates with their hour; `renewed` is the hour to which each was renewed."""

    def __init__(self, open_today, renewed):
        self.open_today, self.renewed = open_today, renewed

    def loan_ids_due(self, due_date, *, today):
        return iter(self.open_today)

    def due_dates_now(self, loan_ids):
        return {
            one: read_day(self.renewed[one], "due_date", zone=CODES.zone) for one in loan_ids if one in self.renewed
        }

    on_loan_now = due_dates_now


@pytest.mark.parametrize("due", AT_TWO)
def test_before_sending_it_is_known_again_by_its_day(due):
    key = LoanKey(loan_id="K", due_date=loan(due).due_date)
    # Renewed from 14 h to 18 h of the same day, it is still due that day, whatever the statement says of the hour.
    assert gone_loans(Asked(["K"], {}), [key], since=DAY, today=DAY, doubt="{count}") == {}
    later = gone_loans(Asked([], {"K": "2026-03-04T14:00:00"}), [key], since=DAY, today=DAY, doubt="{count}")
    assert [str(reason) for reason in later.values()] == ["renewed"]
    back = gone_loans(Asked([], {}), [key], since=DAY, today=DAY, doubt="{count}")
    assert [str(reason) for reason in back.values()] == ["returned"]
