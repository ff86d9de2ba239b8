"""The nightly look at loans: unhappy nights first."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from loan_reminders.domain.errors import IlsUnavailable
from loan_reminders.domain.messages import Receipt
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState
from loan_reminders.services.runs.close import close_run
from loan_reminders.services.statistics import look_at_loans as module
from loan_reminders.services.statistics.look_at_loans import look_at_loans
from tests.scenes.builders import a_delivery, a_loan, a_notice, a_patron
from tests.scenes.counters import assert_counters_are_true
from tests.scenes.ledger_runs import ids, planned, rows
from tests.scenes.world import ListedLoans

DUE = date(2026, 11, 26)
DAY_AFTER = DUE + timedelta(days=1)


@pytest.fixture
def ils() -> ListedLoans:
    return ListedLoans()


def told_of(ledger, ils, count=3, *, due=DUE, today=DAY_AFTER, stage=Stage.OVERDUE_NOTICE, prefix="L", close=True):
    """A run that told of as many loans by e-mail, all of them open in the ILS."""
    loans = [
        a_loan(loan_id=f"{prefix}{n}", due_date=due, patron=a_patron(patron_id=f"P{prefix}{n}")) for n in range(count)
    ]
    ils.rows += loans
    deliveries = [a_delivery(notice=a_notice(stage=stage, loans=(loan,))) for loan in loans]
    run = planned(
        ledger, deliveries, stage=stage, due_date=due, today=today, reference_date=today, dag_run_id=f"{prefix} {today}"
    )
    with ledger.sender(run.run_id, Channel.EMAIL) as sender:
        sender.claim(ids(deliveries))
        sender.record([Receipt(delivery_id=one.delivery_id, state=DeliveryState.ACCEPTED) for one in deliveries])
    if close:
        close_run(ledger, run_id=run.run_id)
    return run.run_id


def look(ledger, ils, day, months=12):
    return look_at_loans(ledger.loan_ends(), ils, today=day, months=months)


def ends(ledger):
    found = rows(ledger, "SELECT loan_id, open_on, ended_on, how FROM loan_ends ORDER BY loan_id, due_date")
    return [tuple(row) for row in found]


def returns(ledger):
    found = rows(ledger, "SELECT loans, known_1, returned_1, known_3, returned_3, renewed_7 FROM return_counters")
    return [tuple(row) for row in found]


def test_an_ils_that_does_not_answer_leaves_everything_as_it_was(ledger, ils):
    told_of(ledger, ils)
    before = ends(ledger)
    ils.down = True
    with pytest.raises(IlsUnavailable):
        look(ledger, ils, DAY_AFTER)
    assert ends(ledger) == before
    assert rows(ledger, "SELECT * FROM loan_looks") == []


def test_an_ils_that_knows_none_of_many_loans_is_doubted(ledger, ils):
    told_of(ledger, ils, 30)
    ils.rows = []
    with pytest.raises(IlsUnavailable, match="30 prêts"):
        look(ledger, ils, DAY_AFTER)
    assert {row[2] for row in ends(ledger)} == {None}


def test_a_few_loans_may_all_be_returned(ledger, ils):
    told_of(ledger, ils, 3)
    ils.rows = []
    assert look(ledger, ils, DAY_AFTER)["returned"] == 3


def test_a_look_that_is_killed_has_kept_whole_pages_and_is_done_again(ledger, ils, monkeypatch):
    told_of(ledger, ils, 6)
    ils.rows = ils.rows[:5]
    monkeypatch.setattr(module, "PAGE", 2)
    asked, whole = [], ils.on_loan_now

    def dies(loan_ids):
        asked.append(loan_ids)
        if len(asked) == 2:
            raise KeyboardInterrupt
        return whole(loan_ids)

    monkeypatch.setattr(ils, "on_loan_now", dies)
    with pytest.raises(KeyboardInterrupt):
        look(ledger, ils, DAY_AFTER)
    assert look(ledger, ils, DAY_AFTER) == {"asked": 6, "returned": 1, "renewed": 0, "given_up": 0}
    assert_counters_are_true(ledger)


def test_a_second_look_on_the_same_day_changes_nothing(ledger, ils):
    told_of(ledger, ils)
    ils.rows = ils.rows[1:]
    look(ledger, ils, DAY_AFTER)
    before = ends(ledger), returns(ledger)
    assert look(ledger, ils, DAY_AFTER)["returned"] == 0
    assert (ends(ledger), returns(ledger)) == before


def test_returned_and_renewed_are_told_apart_and_the_ils_is_never_written_to(ledger, ils):
    told_of(ledger, ils, 3)
    from dataclasses import replace

    ils.rows = [ils.rows[0], replace(ils.rows[1], due_date=DUE + timedelta(days=14))]
    look(ledger, ils, DAY_AFTER)
    assert ends(ledger) == [
        ("L0", DAY_AFTER, None, None),
        ("L1", DAY_AFTER, DAY_AFTER, "renewed"),
        ("L2", DAY_AFTER, DAY_AFTER, "returned"),
    ]


def test_a_lost_loan_is_not_returned_and_stays_until_it_is(ledger, ils):
    told_of(ledger, ils, 2)
    ils.lost = {"L1"}
    assert look(ledger, ils, DAY_AFTER) == {"asked": 2, "returned": 0, "renewed": 0, "given_up": 0}
    assert ends(ledger)[1] == ("L1", DAY_AFTER, None, None)
    ils.rows = ils.rows[:1]
    found = DAY_AFTER + timedelta(days=1)
    assert look(ledger, ils, found)["returned"] == 1
    assert ends(ledger)[1] == ("L1", DAY_AFTER, found, "returned")
    assert_counters_are_true(ledger)


def test_shares_count_only_the_loans_whose_end_is_known_by_then(ledger, ils):
    told_of(ledger, ils, 4)
    for day in range(4):
        if day:
            ils.rows = ils.rows[1:]
        look(ledger, ils, DAY_AFTER + timedelta(days=day))
    assert returns(ledger) == [(4, 4, 1, 4, 3, 0)]


def test_what_ended_during_nights_without_a_look_is_known_for_none_of_them(ledger, ils):
    told_of(ledger, ils, 4)
    look(ledger, ils, DAY_AFTER)
    ils.rows = ils.rows[2:]
    look(ledger, ils, DAY_AFTER + timedelta(days=5))
    # Two are still open: they were on every day before. Of the two others nobody knows on which day they ended.
    assert returns(ledger) == [(4, 2, 0, 2, 0, 0)]


def test_a_loan_seen_again_by_a_later_stage_was_open_until_that_day(ledger, ils):
    told_of(ledger, ils, 1)
    rows(ledger, "UPDATE loan_ends SET ended_on = :day, how = 'returned'", day=DAY_AFTER)
    told_of(ledger, ils, 1, today=DUE + timedelta(days=8), stage=Stage.FIRST_REMINDER)
    assert ends(ledger) == [("L0", DUE + timedelta(days=8), None, None)]


def test_what_a_run_found_returned_just_before_sending_is_kept(ledger, ils):
    from loan_reminders.domain.notices import LoanKey
    from loan_reminders.domain.states import Reason

    loan = a_loan(loan_id="L0", due_date=DUE)
    delivery = a_delivery(notice=a_notice(loans=(loan,)))
    run = planned(ledger, [delivery], due_date=DUE, today=DAY_AFTER)
    with ledger.sender(run.run_id, Channel.EMAIL) as sender:
        sender.drop({LoanKey(loan_id="L0", due_date=DUE): Reason.RENEWED})
    close_run(ledger, run_id=run.run_id)
    assert ends(ledger) == [("L0", DAY_AFTER, DAY_AFTER, "renewed")]


def test_a_loan_overdue_for_too_long_is_not_asked_about_any_more(ledger, ils):
    told_of(ledger, ils, 1)
    late = DUE + timedelta(days=13 * 30)
    assert look(ledger, ils, late)["given_up"] == 1
    assert ends(ledger) == [("L0", DAY_AFTER, late, "given_up")]
    assert look(ledger, ils, late + timedelta(days=1))["asked"] == 0


def test_long_overdues_are_those_of_fifteen_days_that_are_still_open(ledger, ils):
    told_of(ledger, ils, 2)
    told_of(ledger, ils, 1, due=DUE + timedelta(days=10), today=DUE + timedelta(days=11), prefix="M")
    counted = []
    for days in (14, 15, 16):
        if days == 16:
            del ils.rows[0]
        look(ledger, ils, DUE + timedelta(days=days))
        [row] = rows(ledger, "SELECT overdue, long_overdue FROM overdue_counters ORDER BY day DESC LIMIT 1")
        counted.append(tuple(row))
    assert counted == [(3, 0), (3, 2), (2, 1)]
    assert_counters_are_true(ledger)


def test_runs_of_before_there_were_figures_are_counted_the_first_night(ledger, ils):
    told_of(ledger, ils, 2)
    for table in ("message_counters", "return_counters", "counted_runs", "loan_ends"):
        rows(ledger, f"DELETE FROM {table}")
    look(ledger, ils, DAY_AFTER)
    [told] = rows(ledger, "SELECT sum(told) FROM message_counters")
    assert told[0] == 2
    assert_counters_are_true(ledger)
