"""SMS cost money and intrude: the budget is checked first, a number gets one a day, and late ones are of no use."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from loan_reminders.domain.errors import (
    BooksDoNotBalance,
    SmsAnswerUnreadable,
    SmsBudgetExceeded,
    SmsGatewayUnavailable,
)
from loan_reminders.domain.sms.budget import SmsBudget
from loan_reminders.domain.stages import Channel, PatronCategory, Stage
from loan_reminders.gateways.sms.allmysms_rest import AllMySmsRestGateway
from tests.scenes.builders import a_mobile
from tests.scenes.world import BUDGET, DUE, loan, loans, reader
from tests.simulators.allmysms_server import Fault
from tests.simulators.sms_provider import EUROS_PER_SMS


@pytest.mark.parametrize(
    ("budget", "credit", "told"),
    [
        ({"floor": 8}, 10, ["3 segments et en garder 8", "en a 10", "acheter"]),
        ({}, 2, ["3 segments et en garder 0", "en a 2"]),
        ({"daily": 2}, 1000, ["plafond du jour : 0 envoyé + 3 prévus > 2"]),
        ({"monthly": 2}, 1000, ["plafond du mois : 0 envoyé + 3 prévus > 2"]),
        ({"daily": 2, "floor": 1000}, 1000, ["acheter", "plafond du jour"]),
    ],
)
def test_a_run_that_cannot_be_paid_sends_nothing_rather_than_half_and_says_so(world, budget, credit, told):
    world.budget = replace(BUDGET, **budget)
    world.sms.provider.credit = credit * 15
    run_id = world.begin(*loans(3))
    with pytest.raises(SmsBudgetExceeded) as raised:
        world.send_sms(run_id)
    for words in ("Aucun SMS n'est parti", *told):
        assert words in str(raised.value)
    assert world.texted_to() == []
    world.send_emails(run_id)
    with pytest.raises(BooksDoNotBalance, match="SMS"):
        world.close(run_id)
    world.budget, world.sms.provider.credit = BUDGET, 150_000
    assert world.send_sms(run_id) == {"accepted": 3}


def test_what_left_today_counts_against_the_cap_of_the_day(world):
    world.now = datetime.now(UTC)
    world.send_sms(world.begin(*loans(3)))
    world.budget = SmsBudget(daily=5, monthly=100, reserve=0, floor=0)
    run_id = world.begin(*(loan(number) for number in (4, 5, 6)))
    with pytest.raises(SmsBudgetExceeded, match="3 envoyés \\+ 3 prévus > 5"):
        world.send_sms(run_id)
    world.now += timedelta(days=1)
    assert world.send_sms(run_id) == {"accepted": 3}


def test_a_reserve_that_is_reached_is_a_warning(world, caplog):
    world.budget = replace(BUDGET, reserve=9_999)
    world.sms.provider.credit = 10_000 * 15
    assert world.send_sms(world.begin(*loans(3))) == {"accepted": 3}
    assert "moins que la réserve de 9999" in caplog.text


def test_a_credit_that_cannot_be_read_holds_the_run(world):
    world.sms.fail_next(Fault.TRUNCATED_JSON, asking="getInfo")
    run_id = world.begin(*loans(1))
    with pytest.raises(SmsAnswerUnreadable):
        world.send_sms(run_id)
    assert world.texted_to() == []


def test_two_readers_who_share_a_number_get_one_sms(world):
    shared = a_mobile("33639980001")
    books = world.whole_run(loan(1, patron=reader(1, mobile=shared)), loan(2, patron=reader(2, mobile=shared)))
    assert world.texted_to() == ["33639980001"]
    assert len(world.mail.messages()) == 2
    assert books.deliveries[Channel.SMS] == {"accepted": 1, "cancelled": 1}
    assert books.problems() == ()


def test_a_number_gets_one_sms_a_day_from_all_runs(world):
    world.now = datetime.now(UTC)
    world.send_sms(world.begin(*loans(1)))
    later = world.begin(loan(2, patron=reader(2, mobile=a_mobile("33639980001"))))
    assert world.send_sms(later) == {"cancelled": 1}
    tomorrow = world.begin(loan(3, patron=reader(3, mobile=a_mobile("33639980001"))))
    world.now += timedelta(days=1)
    assert world.send_sms(tomorrow) == {"accepted": 1}


def test_an_sms_that_waited_too_long_is_of_no_use(world):
    run_id = world.begin(*loans(2))
    world.today = DUE + timedelta(days=4)
    assert world.send_sms(run_id) == {}
    assert world.send_emails(run_id) == {"accepted": 2}
    assert world.close(run_id).deliveries[Channel.SMS] == {"cancelled": 2}


def test_what_sms_cost_by_day_stage_and_category(world):
    world.whole_run(*loans(3))
    day = datetime.now(UTC).date()
    (cost,) = world.ledger.sms_costs(first=day, last=day, zone="UTC")
    assert (cost.day, cost.stage, cost.category) == (day, Stage.OVERDUE_NOTICE, PatronCategory.STUDENT)
    assert (cost.sms, cost.segments, cost.cost, cost.unpriced) == (3, 3, 0.0, 3)
    assert world.ledger.sms_costs(first=day + timedelta(days=1), last=day + timedelta(days=30), zone="UTC") == ()


def test_a_month_by_both_apis_adds_up_and_what_is_in_doubt_has_no_price(world):
    day = datetime.now(UTC).date()
    world.now = datetime.now(UTC)
    world.send_sms(world.begin(*loans(2)))
    world.gateway = AllMySmsRestGateway
    world.send_sms(world.begin(loan(3), loan(4)))
    world.sms.fail_next(Fault.CUT_AFTER_ACCEPTING, asking="sms/send")
    run_id = world.begin(loan(5))
    with pytest.raises(SmsGatewayUnavailable):
        world.send_sms(run_id)
    (cost,) = world.ledger.sms_costs(first=day, last=day, zone="UTC")
    assert (cost.sms, cost.segments, cost.cost, cost.unpriced) == (5, 5, pytest.approx(2 * EUROS_PER_SMS), 3)
