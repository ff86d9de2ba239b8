"""When the ILS knows so few of the loans any more that it is not believed, just before sending and printing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from loan_reminders.domain.errors import IlsUnavailable
from loan_reminders.domain.notices import LoanKey
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState
from loan_reminders.services.runs.gone_loans import TOO_MANY_TO_VANISH, gone_loans
from loan_reminders.services.runs.still_due import StillDue
from tests.scenes.world import DUE, SETTINGS, loan, loans

S = DeliveryState


def test_an_ils_that_forgot_every_loan_is_not_believed(world):
    run_id = world.begin(*loans(TOO_MANY_TO_VANISH))
    world.ils.rows = []
    with pytest.raises(IlsUnavailable, match="plus aucun"):
        world.send_emails(run_id)
    assert world.ledger.planned_count(run_id, Channel.EMAIL) == TOO_MANY_TO_VANISH


@pytest.mark.parametrize(
    ("count", "left", "told"), [(10, 0, "plus aucun des 10 prêts"), (30, 9, "plus que 9 des 30 prêts")]
)
def test_an_ils_that_forgot_most_loans_within_hours_is_not_believed(world, count, left, told):
    """A replica half-way through its load."""
    run_id = world.begin(*loans(count))
    world.ils.rows = world.ils.rows[:left]
    with pytest.raises(IlsUnavailable, match=told):
        world.send_emails(run_id)
    assert world.mailed_to() == []
    assert world.ledger.planned_count(run_id, Channel.EMAIL) == count


@pytest.mark.parametrize(
    ("returned", "of", "days", "believed"),
    [
        (9, 9, 0, True),  # three readers
        (10, 10, 0, False),
        (10, 20, 0, True),
        (11, 20, 0, False),
        (19, 19, 1, True),
        (20, 26, 1, False),  # three in four
        (20, 27, 1, True),
        (25, 25, 6, False),
        (25, 25, 7, True),  # a batch that is printed a week later
        (1000, 1000, 8, False),
        (998, 1000, 8, True),
        (1000, 1000, 9, True),
    ],
)
def test_the_longer_ago_the_more_may_be_back(returned, of, days, believed):
    keys = [LoanKey(loan_id=f"L{number}", due_date=DUE) for number in range(of)]

    class Ils:
        def loan_ids_due(self, due_date, *, today):
            return (key.loan_id for key in keys[returned:])

        def due_dates_now(self, loan_ids):
            return {}

        on_loan_now = due_dates_now

    def ask():
        return gone_loans(Ils(), keys, since=DUE, today=DUE + timedelta(days=days), doubt="{left} {count}")

    if believed:
        assert len(ask()) == returned
    else:
        with pytest.raises(IlsUnavailable):
            ask()


def test_what_is_renewed_is_known_however_much_it_is(world):
    """The library closes, and moves all due dates."""
    run_id = world.begin(*loans(30))
    world.ils.rows = [loan(number, due_date=DUE + timedelta(days=14)) for number in range(1, 31)]
    assert (world.send_emails(run_id), world.send_sms(run_id)) == ({}, {})
    assert world.close(run_id).deliveries[Channel.EMAIL] == {S.CANCELLED: 30}


def test_the_ils_is_doubted_less_on_the_days_after(world):
    """A reminder that waited over two days for a person: most of it is done."""
    run_id = world.begin(*loans(30))
    world.ils.rows = world.ils.rows[:6]
    with pytest.raises(IlsUnavailable):
        world.send_emails(run_id)
    world.today += timedelta(days=2)
    assert world.send_emails(run_id) == {"accepted": 6}


def test_a_few_readers_may_all_have_brought_everything_back(world):
    run_id = world.begin(*loans(2))
    world.ils.rows = []
    assert (world.send_emails(run_id), world.send_sms(run_id)) == ({}, {})
    assert world.close(run_id).deliveries[Channel.EMAIL] == {S.CANCELLED: 2}


def test_an_ils_that_knows_nothing_is_asked_once_whether_all_was_renewed(world):
    run_id = world.begin(*loans(30))
    world.ils.rows = []
    asked = []

    class Silent:
        def loan_ids_due(self, due_date, *, today):
            return iter(())

        def due_dates_now(self, loan_ids):
            asked.append(loan_ids)
            return {}

        on_loan_now = due_dates_now

    still_due = StillDue(source=Silent(), policy=SETTINGS.policy(), run=world.ledger.run(run_id), clock=world.clock)
    with world.ledger.sender(run_id, Channel.EMAIL) as sender, pytest.raises(IlsUnavailable, match="30 prêts"):
        still_due.settle(sender)
    assert [len(loan_ids) for loan_ids in asked] == [30]
