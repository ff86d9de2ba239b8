"""The monthly counts of what SMS do: what must not be counted first, then that they are what the loans say."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.statistics.effect import Change, Findings, ToldBy, Verdict
from loan_reminders.domain.statistics.loan_ends import LoanEnd
from loan_reminders.ledger.repository import PostgresLedger
from loan_reminders.ledger.statistics.effect import PostgresEffect
from loan_reminders.ledger.statistics.holdbacks import keep_holdback
from loan_reminders.ledger.statistics.looks import PostgresLoanEnds
from tests.scenes.ledger_runs import keys, planned, rows, some_deliveries
from tests.scenes.simulated_library import (
    READ_ON,
    TRIAL,
    keep_trial,
    library_of_arms,
    library_of_months,
    tally,
    write,
)

LATER = date(2027, 6, 1)
NOTHING_SAID = Findings(day=date(2026, 12, 1), change=Change(verdict=Verdict.NO_DAY))


def counted(ledger, *, today=LATER, current=None, since=date.min):
    effect = ledger.part(PostgresEffect)
    effect.count(today=today, current=current)
    return effect.counts(since=since, zone="Europe/Paris")


def sorted_(found):
    return sorted(map(str, found))


@pytest.mark.parametrize("holdback", [None, TRIAL])
def test_the_counts_are_those_of_the_loans(ledger, holdback):
    loans = library_of_arms(1, 10, trial=holdback is not None, readers=120)
    write(ledger, loans)
    if holdback:
        keep_trial(ledger)
    found, wanted = counted(ledger, today=READ_ON, current=TRIAL), tally(loans, holdback=holdback)
    assert sorted_(found.returns) == sorted_(wanted.returns)
    assert sorted_(one for one in found.overdues) == sorted_(one for one in wanted.overdues if one.overdue)
    assert sorted_(found.told) == sorted_(wanted.told)
    assert [one.holdback for one in found.holdbacks] == ([TRIAL] if holdback else [])


def test_overdues_are_followed_to_their_fifteenth_day(ledger):
    loans = library_of_months(2, 0, months=3, since=2, each=30, readers=40)
    # Returned on the day after it was due, and found open on the fifteenth day for the last time.
    one = replace(loans[0], loan_id="on the day", delay=1)
    loans += [one, replace(one, loan_id="fifteen", delay=15), replace(one, loan_id="sixteen", delay=16)]
    write(ledger, loans)
    wanted = tally(loans)
    assert sorted_(counted(ledger).overdues) == sorted_(one for one in wanted.overdues if one.overdue)


def test_a_loan_of_which_nobody_knows_what_it_was_counts_nowhere(ledger):
    loans = library_of_months(3, 0, months=1, since=1, each=10, readers=10)
    write(ledger, loans)
    rows(ledger, "UPDATE loan_ends SET open_on = due_date + 3, ended_on = due_date + 25 WHERE loan_id = :loan",
         loan=loans[0].loan_id)  # fmt: skip
    found = counted(ledger)
    assert sum(one.overdue for one in found.overdues) == len(loans) - 1
    returns = found.returns
    assert sum(one.loans - one.known[7] for one in returns) == 1
    assert sum(one.loans - one.known[1] for one in returns) == 0


def test_what_was_to_leave_and_did_not_tells_nobody_and_a_dry_run_is_none(ledger):
    mail = some_deliveries(2)
    planned(ledger, mail)
    planned(ledger, some_deliveries(2, prefix="dry"), dag_run_id="dry", dry_run=True)
    for [run_id] in rows(ledger, "SELECT run_id FROM runs ORDER BY run_id"):
        ledger.close_run(run_id)
    assert counted(ledger).returns == ()
    for state in ("claimed", "accepted"):
        rows(ledger, "UPDATE deliveries SET state = :state WHERE delivery_id = :one", state=state,
             one=mail[0].delivery_id)  # fmt: skip
    [found] = counted(ledger).returns
    assert (found.loans, found.told_by, found.stage) == (1, ToldBy.OTHERWISE, Stage.OVERDUE_NOTICE)


def test_in_a_trial_the_side_is_what_chance_decided_whatever_became_of_the_message(ledger):
    loans = library_of_arms(4, 0, trial=True, readers=60)
    write(ledger, loans)
    keep_trial(ledger)
    rows(ledger, "UPDATE deliveries SET state = 'bounced'")
    found = counted(ledger, today=READ_ON, current=TRIAL).returns
    drawn = [one for one in loans if TRIAL.runs_on(one.told_on)]
    assert sum(one.loans for one in found if one.control) == sum(one.control for one in drawn)
    assert sum(one.loans for one in found if not one.control) == sum(not one.control for one in drawn)
    assert {one.told_by for one in found} == {ToldBy.NOTHING}
    assert {one.holdback_id > 0 for one in found} == {True}


def test_who_had_no_email_is_in_no_trial(ledger):
    loans = library_of_arms(5, 0, trial=True, readers=60)
    write(ledger, loans)
    keep_trial(ledger)
    rows(ledger, "DELETE FROM delivery_loans WHERE slot = 'written'")
    found = counted(ledger, today=READ_ON, current=TRIAL).returns
    assert {(one.holdback_id, one.control) for one in found} == {(0, False)}


def test_a_month_is_counted_again_only_as_long_as_it_changes(ledger):
    loans = library_of_months(6, 0, months=4, since=3, each=20, readers=30)
    write(ledger, loans)
    counted(ledger, today=date(2025, 5, 5))
    effect = ledger.part(PostgresEffect)
    effect.keep(replace(NOTHING_SAID, day=date(2025, 5, 5)))
    before = effect.counts(since=date.min, zone="Europe/Paris")
    # The loans of January and February are removed meanwhile, those of April have a correction.
    for table in ("loan_ends", "loans_seen"):
        rows(ledger, f"DELETE FROM {table} WHERE due_date < '2025-03-01'")
    gone = [one.loan_id for one in loans if one.due >= date(2025, 4, 1)][:3]
    rows(ledger, "DELETE FROM loan_ends WHERE loan_id = ANY(:gone)", gone=gone)
    after = counted(ledger, today=date(2025, 5, 6))

    def of(found, month):
        return sorted_(one for one in found.overdues if one.month == month)

    for month in (date(2025, 1, 1), date(2025, 2, 1), date(2025, 3, 1)):
        assert of(after, month) == of(before, month) != []
    assert sum(one.overdue for one in before.overdues) - sum(one.overdue for one in after.overdues) == 3


def test_months_of_which_loans_are_removed_are_not_counted_again_after_a_long_pause(ledger):
    loans = library_of_months(7, 0, months=6, since=5, each=20, readers=30)
    write(ledger, loans)
    counted(ledger, today=date(2025, 3, 5))
    effect = ledger.part(PostgresEffect)
    effect.keep(replace(NOTHING_SAID, day=date(2025, 3, 5)))
    before = sorted_(one for one in effect.counts(since=date.min, zone="UTC").overdues if one.month < date(2025, 4, 1))
    rows(ledger, "UPDATE retention_state SET ended_until = '2025-03-20'")
    for table in ("loan_ends", "loans_seen"):
        rows(ledger, f"DELETE FROM {table} WHERE due_date < '2025-03-21'")
    after = counted(ledger, today=date(2025, 9, 5)).overdues
    assert sorted_(one for one in after if one.month < date(2025, 4, 1)) == before
    assert {one.month for one in after if one.month >= date(2025, 4, 1)} == {
        date(2025, 4, 1), date(2025, 5, 1), date(2025, 6, 1)
    }  # fmt: skip


def test_ages_are_those_of_the_evening_and_the_last_evening_of_a_month_stays(ledger):
    mail = some_deliveries(5)
    run = planned(ledger, mail)
    ledger.close_run(run.run_id)
    ends = ledger.part(PostgresLoanEnds)
    due = mail[0].loans[0].due_date
    effect = ledger.part(PostgresEffect)
    found = []
    for day in (0, 1, 7, 8, 14, 15, 30, 31, 90, 91):
        today = due + timedelta(days=day)
        effect.count(today=today, current=None)
        found.append([(one.age, one.loans) for one in effect.counts(since=today, zone="UTC").ages if one.day == today])
    assert found == [
        [], [("week", 5)], [("week", 5)], [("fortnight", 5)], [("fortnight", 5)], [("month", 5)], [("month", 5)],
        [("quarter", 5)], [("quarter", 5)], [("longer", 5)],
    ]  # fmt: skip
    ends.record(today=due + timedelta(days=92), still_open=[], ended=dict.fromkeys(keys(mail), LoanEnd.RETURNED))
    effect.count(today=due + timedelta(days=92), current=None)
    kept = effect.counts(since=due, zone="UTC").ages
    months = [one.month for one in kept]
    assert months == [date(2026, 11, 1), date(2026, 12, 1)], (
        "one evening a month; the last one of February knew of none"
    )


def test_a_trial_given_up_is_noted_that_evening(ledger):
    keep_trial(ledger)
    effect = ledger.part(PostgresEffect)
    day = TRIAL.first + timedelta(days=10)
    effect.count(today=day, current=TRIAL)
    assert [one.ended_on for one in effect.counts(since=day, zone="UTC").holdbacks] == [None]
    effect.count(today=day, current=None)
    effect.count(today=day + timedelta(days=1), current=None)
    assert [one.ended_on for one in effect.counts(since=day, zone="UTC").holdbacks] == [day]


def test_a_trial_taken_up_again_is_kept_as_one_that_never_was(ledger):
    keep_trial(ledger)
    effect = ledger.part(PostgresEffect)
    effect.count(today=TRIAL.first + timedelta(days=10), current=None)
    with ledger.engine.begin() as connection:
        keep_holdback(connection, ledger.library, TRIAL)
    assert [one.ended_on for one in effect.counts(since=date.min, zone="UTC").holdbacks] == [TRIAL.first]


def test_a_trial_that_came_to_its_end_was_not_given_up(ledger):
    keep_trial(ledger)
    effect = ledger.part(PostgresEffect)
    effect.count(today=TRIAL.last + timedelta(days=1), current=None)
    assert [one.ended_on for one in effect.counts(since=date.min, zone="UTC").holdbacks] == [None]


def test_planning_keeps_the_trial_once_and_a_dry_run_none(ledger):
    for number, dry_run in enumerate((True, False, False)):
        run = ledger.open_run(
            stage=Stage.OVERDUE_NOTICE, reference_date=TRIAL.first, due_date=TRIAL.first, today=TRIAL.first,
            dag_run_id=f"run {number}", dry_run=dry_run,
        )  # fmt: skip
        ledger.finish_extraction(run.run_id, 0)
        with ledger.planning(run.run_id) as planning:
            planning.keep_holdback(TRIAL)
        kept = rows(ledger, "SELECT first_day, last_day, share, seed FROM holdbacks")
        assert [tuple(row) for row in kept] == ([] if dry_run else [(TRIAL.first, TRIAL.last, 0.5, TRIAL.seed)])


def test_what_was_concluded_is_read_again_as_it_was_and_one_a_month_stays(ledger):
    effect = ledger.part(PostgresEffect)
    assert effect.newest() is None
    for day in (date(2026, 11, 29), date(2026, 11, 30), date(2026, 12, 1), date(2026, 12, 2), date(2026, 12, 2)):
        effect.keep(replace(NOTHING_SAID, day=day))
    assert effect.newest() == replace(NOTHING_SAID, day=date(2026, 12, 2))
    kept = rows(ledger, "SELECT day FROM effect_findings ORDER BY day")
    assert [row.day for row in kept] == [date(2026, 11, 30), date(2026, 12, 2)]
    rows(ledger, 'UPDATE effect_findings SET findings = \'{"day": "2026-12-02"}\'')
    assert effect.newest() is None, "of another version"


def test_each_library_has_counts_of_its_own(ledger):
    write(ledger, library_of_months(8, 0, months=1, since=1, each=10, readers=10))
    other = PostgresLedger(ledger.engine, library="autre")
    assert counted(other).overdues == ()
    assert counted(ledger).overdues


def test_no_reader_is_in_what_is_kept(ledger):
    loans = library_of_arms(9, 0, trial=True, readers=30)
    write(ledger, loans)
    keep_trial(ledger)
    counted(ledger, today=READ_ON, current=TRIAL)
    tables = ("effect_overdues", "effect_returns", "overdue_ages", "holdbacks", "effect_findings")
    kept = " ".join(str(row) for table in tables for row in rows(ledger, f"SELECT * FROM {table}"))
    assert not [one for one in loans if one.patron_id in kept or one.loan_id in kept]


def test_the_first_sms_is_that_of_the_counters(ledger):
    assert counted(ledger).first_sms is None
    sms = some_deliveries(1, channel=Channel.SMS)
    run = planned(ledger, sms)
    rows(ledger, "UPDATE deliveries SET state = 'claimed', claimed_at = '2026-11-27 23:30Z'")
    rows(ledger, "UPDATE deliveries SET state = 'accepted'")
    ledger.close_run(run.run_id)
    assert counted(ledger).first_sms == date(2026, 11, 28), "by the library's clock"
