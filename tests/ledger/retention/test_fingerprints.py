"""A cycle that was removed is never told again, whatever becomes of the loan; and who said STOP still is not texted."""

from __future__ import annotations

import hashlib
import hmac
from datetime import date, timedelta

import pytest

from loan_reminders.domain.notices import LoanKey
from loan_reminders.domain.stages import Channel, Slot, Stage
from loan_reminders.domain.states import SkipReason
from loan_reminders.domain.suppressions.suppression import HIDDEN, SuppressionReason, SuppressionSource
from loan_reminders.ledger.retention.fingerprints import erased, fingerprints, hidden, make_fingerprints
from loan_reminders.ledger.suppressions import suppression_list
from loan_reminders.ledger.suppressions.suppression_list import Entry
from loan_reminders.services.runs.plan import plan_run
from tests.scenes.builders import DUE_DATE, a_loan
from tests.scenes.ledger_runs import extracted, rows
from tests.scenes.miniature import POLICY
from tests.scenes.planted import NUMBER, Planted, plant, remove


@pytest.fixture
def removed(ledger, tmp_path):
    """A reader who was told by each channel, never came back with the book, and was removed."""
    plant(ledger, tmp_path, [Planted(number=1)])
    remove(ledger, tmp_path)
    assert rows(ledger, "SELECT count(*) FROM delivery_loans")[0][0] == 0
    return ledger


def again(ledger, due=DUE_DATE, stage=Stage.OVERDUE_NOTICE):
    """The loan in a run's extraction, on the very day of the stage; the slots told anew, and why not."""
    loan = a_loan(loan_id="ZPRET1Z", patron=Planted(number=1).patron, due_date=due, loan_date=due - timedelta(days=28))
    offset = POLICY.rule(stage).offset_days
    run = extracted(ledger, [loan], dag_run_id=f"again {stage} {due}", stage=stage, due_date=due,
                    today=due + timedelta(days=offset), reference_date=due + timedelta(days=offset))  # fmt: skip
    plan_run(ledger, run_id=run.run_id, policy=POLICY)
    told = rows(ledger, "SELECT channel FROM deliveries WHERE run_id = :run", run=run.run_id)
    why = rows(ledger, "SELECT reason FROM skips WHERE run_id = :run", run=run.run_id)
    return {row[0] for row in told}, {row[0] for row in why}


@pytest.mark.parametrize("stage", Stage)
def test_a_loan_that_comes_again_years_later_is_told_by_no_stage(removed, stage):
    assert again(removed, stage=stage) == (set(), {SkipReason.ALREADY_SENT.value})


def test_another_due_date_is_another_cycle_and_is_told(removed):
    told, _ = again(removed, due=DUE_DATE - timedelta(days=30))
    assert told == {Channel.EMAIL.value}
    told, _ = again(removed, due=DUE_DATE + timedelta(days=400))
    assert told == {Channel.EMAIL.value}


def test_a_later_due_date_than_any_removed_is_not_looked_for(removed):
    with removed.engine.connect() as connection:
        later = LoanKey(loan_id="ZPRET1Z", due_date=DUE_DATE + timedelta(days=1))
        assert erased(connection, "demo", [later]) == frozenset()
        assert erased(connection, "demo", [LoanKey(loan_id="ZPRET1Z", due_date=DUE_DATE)])
        assert erased(connection, "autre", [LoanKey(loan_id="ZPRET1Z", due_date=DUE_DATE)]) == frozenset()


def test_the_hash_is_an_hmac_of_the_librarys_own_key(ledger):
    with ledger.engine.begin() as connection:
        assert fingerprints(connection, "demo") is None
        ours, other = make_fingerprints(connection, "demo"), make_fingerprints(connection, "autre")
        assert make_fingerprints(connection, "demo").key == ours.key
    assert len(ours.key) == 32
    assert ours.key != other.key
    cycle = LoanKey(loan_id="L1", due_date=date(2026, 11, 26))
    said = b"demo\0loan\0L1\0002026-11-26"
    assert ours.of_cycle(cycle) == hmac.new(ours.key, said, hashlib.sha256).digest()


def test_who_said_stop_is_not_texted_when_nothing_else_is_known_of_him(removed):
    [[recipient, detail]] = rows(removed, "SELECT recipient, detail FROM suppressions")
    assert recipient.startswith(HIDDEN)
    assert detail == ""
    mobile = Planted(number=1).patron.mobile
    with removed.engine.begin() as connection:
        assert suppression_list.suppressed(connection, "demo", [mobile]) == {mobile: SkipReason.OPTED_OUT}
        assert suppression_list.suppressed(connection, "demo", [Planted(number=2).patron.mobile]) == {}
        assert hidden(connection, "demo", []) == {}
    [line] = removed.feedback().suppressions(recipient=NUMBER.format(1))
    assert line.in_force


@pytest.mark.parametrize("reason", [SuppressionReason.BLACKLIST, SuppressionReason.STOP])
def test_the_providers_list_does_not_bring_the_number_back(removed, reason):
    entry = Entry(recipient=NUMBER.format(1), reason=reason, source=SuppressionSource.PROVIDER)
    with removed.engine.begin() as connection:
        assert suppression_list.add(connection, "demo", [entry]) == 0
    assert len(rows(removed, "SELECT * FROM suppressions")) == 1


def test_a_librarian_lifts_it_and_the_number_is_texted_again_until_the_next_stop(removed):
    [line] = removed.feedback().suppressions(recipient=NUMBER.format(1))
    mobile = Planted(number=1).patron.mobile
    with removed.engine.begin() as connection:
        assert suppression_list.lift(connection, "demo", line.suppression_id, who="zoé", why="demandé au guichet")
        assert suppression_list.suppressed(connection, "demo", [mobile]) == {}
        of_provider = Entry(
            recipient=mobile.value, reason=SuppressionReason.BLACKLIST, source=SuppressionSource.PROVIDER
        )
        assert suppression_list.add(connection, "demo", [of_provider]) == 0
        new = Entry(recipient=mobile.value, reason=SuppressionReason.STOP, source=SuppressionSource.REPLY)
        assert suppression_list.add(connection, "demo", [new]) == 1
        assert suppression_list.suppressed(connection, "demo", [mobile]) == {mobile: SkipReason.OPTED_OUT}


def test_a_slot_of_each_kind_is_taken_for_a_removed_cycle(removed):
    run = extracted(removed, [a_loan()], dag_run_id="history")
    key = LoanKey(loan_id="ZPRET1Z", due_date=DUE_DATE)
    with removed.planning(run.run_id) as planning:
        assert set(planning.history([key])) == {(key, slot) for slot in Slot}
