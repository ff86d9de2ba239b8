"""Which numbers no SMS has reached: what counts as reached, and what makes a number begin anew."""

from __future__ import annotations

from datetime import timedelta

import pytest

from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState, Reason
from tests.scenes.ledger_runs import offered, planned, rows
from tests.scenes.ledger_sms import NUMBER, an_sms, left
from tests.scenes.planted import TERMS, remove

S = DeliveryState


def is_first(ledger, number=NUMBER):
    """Whether the next SMS to a number would be offered as the first one."""
    run = planned(ledger, [an_sms(number)], dag_run_id=f"look {len(rows(ledger, 'SELECT FROM runs'))}", dry_run=True)
    with ledger.sender(run.run_id, Channel.SMS) as sender:
        [delivery] = offered(sender)
    return delivery.first


@pytest.mark.parametrize(
    ("state", "reason", "first"),
    [
        (S.ACCEPTED, None, False),
        (S.IN_DOUBT, Reason.NO_ANSWER, True),
        (S.REFUSED, Reason.INVALID_RECIPIENT, True),
        (S.PLANNED, Reason.NOT_SENT, True),
    ],
)
def test_a_number_is_reached_by_an_sms_that_the_provider_took(ledger, state, reason, first):
    assert is_first(ledger)
    left(ledger, state=state, reason=reason)
    assert is_first(ledger) is first
    assert is_first(ledger, "33639980002")


@pytest.mark.parametrize(("state", "first"), [("delivered", False), ("bounced", True), ("cancelled", True)])
def test_what_is_learnt_of_it_later_decides(ledger, state, first):
    left(ledger)
    rows(ledger, "UPDATE deliveries SET state = :state", state=state)
    assert is_first(ledger) is first


def dies(ledger, number=NUMBER):
    for _ in range(2):
        left(ledger, number, S.REFUSED, Reason.INVALID_RECIPIENT)
    ledger.feedback().settle(failures=2, again=True)
    [line] = [one for one in ledger.feedback().suppressions(recipient=number) if one.in_force]
    ledger.feedback().lift(line.suppression_id, who="zoé", why="nouveau propriétaire")


def test_a_number_that_was_dead_begins_anew(ledger):
    left(ledger)
    assert not is_first(ledger)
    dies(ledger)
    assert is_first(ledger)
    left(ledger)
    assert not is_first(ledger)


def test_a_librarians_line_does_not_make_it_a_stranger(ledger):
    left(ledger)
    rows(ledger, "INSERT INTO suppressions (library, channel, recipient, reason, source, since, lifted_at)"
                 " VALUES (:library, 'sms', :number, 'stop', 'reply', now(), now())",
         library=ledger.library, number=NUMBER)  # fmt: skip
    assert not is_first(ledger)


def removed(ledger, tmp_path, *, sent_on, redirected=False):
    """Its loan is returned and its time has come: the message goes, the number was reached on a day."""
    left(ledger)
    rows(ledger, "UPDATE deliveries SET claimed_at = :day, redirected = :redirected WHERE state = 'accepted'",
         day=sent_on, redirected=redirected)  # fmt: skip
    for [run_id] in rows(ledger, "SELECT run_id FROM runs"):
        ledger.close_run(run_id)
    rows(ledger, "UPDATE loan_ends SET open_on = least(open_on, :day), ended_on = :day, how = 'returned'",
         day=TERMS.loans_until)  # fmt: skip
    remove(ledger, tmp_path)
    assert rows(ledger, "SELECT FROM deliveries WHERE state = 'accepted'") == []


def test_a_reached_number_is_known_when_its_messages_are_gone_and_nowhere_written(ledger, tmp_path):
    removed(ledger, tmp_path, sent_on=TERMS.readers_until + timedelta(days=1))
    assert not is_first(ledger)
    assert NUMBER not in str(rows(ledger, "SELECT * FROM numbers_known"))
    dies(ledger)
    assert is_first(ledger)


def test_a_number_that_none_reached_for_a_year_is_a_stranger_again(ledger, tmp_path):
    removed(ledger, tmp_path, sent_on=TERMS.readers_until - timedelta(days=1))
    assert rows(ledger, "SELECT FROM numbers_known") == []
    assert is_first(ledger)


def test_an_sms_that_went_to_a_test_number_has_reached_nobody(ledger):
    left(ledger)
    rows(ledger, "UPDATE deliveries SET redirected = true")
    assert is_first(ledger)
    left(ledger)
    assert not is_first(ledger)


def test_nor_has_it_once_it_is_removed_and_its_run_still_says_that_it_was_a_trial(ledger, tmp_path):
    removed(ledger, tmp_path, sent_on=TERMS.readers_until + timedelta(days=1), redirected=True)
    assert rows(ledger, "SELECT FROM numbers_known") == []
    assert is_first(ledger)
    [[run_id]] = rows(ledger, "SELECT run_id FROM runs WHERE NOT dry_run")
    assert ledger.close_run(run_id).redirected == 1
