"""When refusals are one reader's lot, and when they are everybody's."""

from __future__ import annotations

import uuid

import pytest

from loan_reminders.domain.errors import MailRelayRejected
from loan_reminders.domain.messages import Receipt
from loan_reminders.domain.states import DeliveryState, Reason
from loan_reminders.services.email.refusals_in_a_row import RefusalsInARow
from tests.scenes.refusals import REFUSALS

S = DeliveryState
DEAD = "550 5.1.1 user unknown"
QUOTA = "550 5.4.5 daily sending limit exceeded"
DEFINITE = [said for said, _ in REFUSALS if said[:1] == "5"]


def receipt(raw: str, state: DeliveryState = S.REFUSED, reason: Reason | None = Reason.RECIPIENT_REFUSED) -> Receipt:
    return Receipt(delivery_id=uuid.uuid4(), state=state, reason=reason, raw=raw)


def accepted() -> Receipt:
    return receipt("250 ok", S.ACCEPTED, None)


def told(row: RefusalsInARow, raws: list[str], domains: int) -> list[DeliveryState]:
    """Every refusal in turn, one domain after the other; the states they are recorded in."""
    states = []
    for number, raw in enumerate(raws):
        one = receipt(raw)
        settled = row.settle([one], {one.delivery_id: f"d{number % domains}.example"})
        states += [each.state for each in settled.record]
        assert settled.decided == ()
    return states


@pytest.mark.parametrize("raw", DEFINITE)
@pytest.mark.parametrize("domains", [1, 12])
def test_ten_in_a_row_are_everybody_whatever_is_said(raw, domains):
    row = RefusalsInARow()
    assert set(told(row, [raw] * 10, domains)) == {S.PLANNED}
    assert row.everybody
    assert "à tous" in str(row.error())


@pytest.mark.parametrize("raw", ["550 5.2.0 no", "550 5.1.90 x", "552 no", QUOTA, "550 5.7.1 no", "552 mailbox full"])
def test_three_domains_in_a_row_are_everybody_unless_the_address_is_named(raw):
    row = RefusalsInARow()
    told(row, [raw] * 2, 12)
    assert not row.everybody
    row = RefusalsInARow()
    told(row, [raw] * 3, 12)
    assert row.everybody
    row = RefusalsInARow()
    told(row, [DEAD] * 9, 12)
    assert not row.everybody


def test_an_acceptance_decides_what_came_before_it_and_a_refusal_for_our_sake_waits():
    row = RefusalsInARow()
    refused, ours, after = receipt("550 no"), receipt(QUOTA), accepted()
    told_of = {refused.delivery_id: "a.example", ours.delivery_id: "b.example"}
    assert row.settle([refused, ours], told_of).decided == ()
    settled = row.settle([after], {})
    assert {one.delivery_id: one.state for one in settled.decided} == {
        refused.delivery_id: S.REFUSED,
        ours.delivery_id: S.PLANNED,
        after.delivery_id: S.ACCEPTED,
    }
    assert row.finish().record == ()


def test_refused_and_decided_in_one_page_is_recorded_once():
    row = RefusalsInARow()
    refused = receipt(DEAD)
    settled = row.settle([refused, accepted()], {refused.delivery_id: "a.example"})
    assert [one.state for one in settled.record] == [S.REFUSED, S.ACCEPTED]
    assert len(settled.decided) == 2


def test_an_acceptance_that_comes_after_the_run_was_stopped_condemns_nobody():
    row = RefusalsInARow()
    told(row, [DEAD] * 10, 12)
    assert [one.state for one in row.settle([accepted()], {}).record] == [S.ACCEPTED]
    assert row.everybody


def test_a_message_that_was_begun_before_a_refusal_decides_nothing_of_it():
    """The server may have begun to refuse everybody in between; the next message tells."""
    row = RefusalsInARow()
    refused, before, after = receipt(DEAD), accepted(), accepted()
    beside = {refused.delivery_id: frozenset({before.delivery_id})}
    settled = row.settle([refused, before], {refused.delivery_id: "a.example"}, beside)
    assert settled.decided == (before,)
    assert [one.state for one in settled.record] == [S.PLANNED, S.ACCEPTED]
    assert [one.state for one in row.settle([after], {}).decided] == [S.REFUSED, S.ACCEPTED]
    assert row.finish().record == ()


def test_what_was_overtaken_stays_planned_when_everybody_is_refused_after_it():
    row = RefusalsInARow()
    refused, before = receipt("550 no"), accepted()
    beside = {refused.delivery_id: frozenset({before.delivery_id})}
    row.settle([refused, before], {refused.delivery_id: "a.example"}, beside)
    told(row, ["550 no"] * 2, 12)
    assert not row.everybody, "an acceptance ended the row of the first"
    told(row, ["550 no"], 1)
    told(row, ["550 no"] * 3, 12)
    assert row.everybody
    with pytest.raises(MailRelayRejected):
        row.finish()


def test_what_was_overtaken_is_decided_at_the_end_as_the_others():
    row = RefusalsInARow()
    dead, ours, before = receipt(DEAD), receipt(QUOTA), accepted()
    beside = dict.fromkeys((dead.delivery_id, ours.delivery_id), frozenset({before.delivery_id}))
    row.settle([dead, ours, before], {dead.delivery_id: "a.example", ours.delivery_id: "a.example"}, beside)
    assert [one.state for one in row.finish().decided] == [S.REFUSED, S.PLANNED]


@pytest.mark.parametrize(
    ("raw", "count", "domains", "stops"),
    [
        (QUOTA, 2, 1, False),
        (QUOTA, 3, 1, True),
        (DEAD, 5, 1, False),
        (DEAD, 6, 1, True),
        (DEAD, 4, 4, False),
        (DEAD, 5, 5, True),
        ("550 no", 5, 1, False),
        ("550 no", 6, 1, True),
        ("550 no", 4, 2, False),
    ],
)
def test_at_the_end_of_a_run_that_served_nobody_too_many_are_everybody(raw, count, domains, stops):
    row = RefusalsInARow()
    told(row, [raw] * count, domains)
    if stops:
        with pytest.raises(MailRelayRejected):
            row.finish()
        return
    expected = S.REFUSED if raw == DEAD else S.PLANNED
    assert {one.state for one in row.finish().record} == {expected}


def test_at_the_end_of_a_run_that_served_somebody_the_dead_are_dead_and_the_others_wait():
    row = RefusalsInARow()
    row.settle([accepted()], {})
    told(row, [DEAD, QUOTA, QUOTA, "550 no", "552 5.2.2 mailbox full", DEAD], 2)
    assert [one.state for one in row.finish().decided] == [
        S.REFUSED, S.PLANNED, S.PLANNED, S.PLANNED, S.REFUSED, S.REFUSED,
    ]  # fmt: skip


def test_what_no_server_refused_is_left_as_it_is():
    row = RefusalsInARow()
    local = receipt("", S.REFUSED, Reason.NOT_RENDERED)
    later = receipt("451 4.7.1 greylisted", S.PLANNED, Reason.RECIPIENT_DEFERRED)
    settled = row.settle([local, later], {})
    assert settled.record == settled.decided == (local, later)
    row.before_giving_up()


def test_put_off_for_our_sake_three_times_without_an_acceptance_is_given_up_for_nobody():
    row = RefusalsInARow()
    for _ in range(3):
        row.settle([receipt("451 sending quota exceeded", S.PLANNED, Reason.RECIPIENT_DEFERRED)], {})
    with pytest.raises(MailRelayRejected):
        row.before_giving_up()
    row.settle([accepted()], {})
    row.before_giving_up()
