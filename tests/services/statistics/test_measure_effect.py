"""What may be concluded from the months: when nothing can be, first."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from loan_reminders.domain.holdback import Holdback
from loan_reminders.domain.stages import PatronCategory, Stage
from loan_reminders.domain.statistics.effect import WAITED, Counts, Kept, Verdict
from loan_reminders.gateways.statistics.regressions import Regressions
from loan_reminders.ledger.statistics.effect import PostgresEffect
from loan_reminders.services.statistics.measure_effect import conclude, measure_effect
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
SINCE = date(2026, 1, 1)


def concluded(counts, *, today=LATER, day=SINCE):
    return conclude(counts, Regressions(), today=today, day=day)


def months(points=0.0, seed=1, **more):
    return tally(library_of_months(seed, points, **more))


def test_a_library_of_which_nothing_is_known_says_so():
    found = concluded(Counts(), day=None)
    assert (found.months, found.comparisons, found.trials) == ((), (), ())
    assert found.change.verdict is Verdict.NO_DAY


@pytest.mark.parametrize(
    ("since", "before", "after"),
    [(date(2025, 6, 1), 5, 19), (date(2026, 8, 1), 19, 5), (date(2024, 1, 1), 0, 24), (date(2028, 1, 1), 24, 0)],
)
def test_fewer_than_six_months_on_a_side_are_too_few(since, before, after):
    found = concluded(months(15), day=since).change
    assert (found.verdict, found.estimate) == (Verdict.TOO_FEW, None)
    assert (found.months_before, found.months_after) == (before, after)


def test_a_month_with_few_overdues_does_not_count():
    counts = months(15)
    few = date(2025, 4, 1)
    first = next(one for one in counts.overdues if one.month == few and one.category is PatronCategory.STAFF)
    thin = [
        one for one in counts.overdues if one.month != few or one.category is not PatronCategory.STAFF or one is first
    ]
    found = concluded(replace(counts, overdues=tuple(thin)))
    assert [one.counts for one in found.months if one.month == few] == [False]
    assert found.change.months_before == 11


def test_the_month_of_the_day_counts_on_neither_side():
    found = concluded(months(), day=date(2026, 1, 15)).change
    assert (found.months_before, found.months_after) == (12, 11)


def test_a_month_is_known_fifteen_days_after_its_end():
    counts = months()
    assert concluded(counts, today=date(2026, 4, 15)).months[-1].month == date(2026, 2, 1)
    assert concluded(counts, today=date(2026, 4, 16)).months[-1].month == date(2026, 3, 1)


def test_students_and_staff_who_were_moving_apart_already_are_not_compared():
    found = concluded(months(0, drift=-3.0, each=300)).change
    assert found.verdict is Verdict.NOT_COMPARABLE
    assert found.estimate is not None, "it is shown, and concludes nothing"


@pytest.mark.parametrize(("told", "may_be_read"), [(0, True), (0.06, True), (0.14, False), (1, False)])
def test_staff_who_get_sms_as_well_are_said_and_above_one_in_ten_not_compared(told, may_be_read):
    counts = months(15, seed=4, staff_told=told)
    found = concluded(counts).change
    assert found.staff_told == pytest.approx(told, abs=0.02)
    assert (found.verdict is Verdict.SURE) is may_be_read
    assert found.verdict in (Verdict.SURE, Verdict.NOT_COMPARABLE)
    assert found.estimate is not None, "it is shown, whatever may be concluded"
    # A stage that tells nobody by SMS makes the share no smaller.
    more = tuple(replace(one, stage=Stage.COURTESY_NOTICE, loans=900, by_sms=0) for one in counts.told)
    assert concluded(replace(counts, told=counts.told + more)).change == found
    last = concluded(counts).months[-1].by_sms
    assert last.get(PatronCategory.STAFF, 0) == pytest.approx(told, abs=0.15)


def test_sms_to_staff_before_the_day_are_no_reason():
    counts = months(15, seed=4, staff_told=1)
    early = tuple(one for one in counts.told if one.month < SINCE)
    late = tuple(replace(one, by_sms=0) for one in counts.told if one.month >= SINCE)
    before = tuple(replace(one, by_sms=one.loans) for one in early)
    assert concluded(replace(counts, told=before + late)).change.staff_told == 0


def test_a_large_change_is_found_with_its_sign_and_shares():
    found = concluded(months(15, seed=4)).change
    assert found.verdict is Verdict.SURE
    assert found.estimate
    assert found.estimate.low < -15 < found.estimate.high
    assert found.shares
    fall = found.shares["student_after"] - found.shares["student_before"]
    rise = found.shares["staff_after"] - found.shares["staff_before"]
    assert fall - rise == pytest.approx(found.estimate.value)


@pytest.mark.parametrize("readers", [5, 30])
def test_few_loans_or_few_readers_conclude_nothing(readers):
    counts = tally(library_of_arms(1, 15, trial=False, readers=readers))
    [found] = concluded(counts, today=READ_ON).comparisons
    assert (found.verdict, found.decides) == (Verdict.TOO_FEW, None)


def test_loans_without_a_like_are_not_compared():
    counts = tally(library_of_arms(1, 15, trial=False))
    alike = replace(counts, returns=tuple(
        replace(one, category=PatronCategory.STAFF)
        if one.told_by == "sms" and (one.month.month > 4 or one.length == "long") else one for one in counts.returns
    ))  # fmt: skip
    [found] = concluded(alike, today=READ_ON).comparisons
    assert found.verdict is Verdict.NOT_COMPARABLE
    assert found.alone > 0.5


def test_a_stage_without_sms_has_shares_and_no_comparison():
    counts = tally(library_of_arms(1, 0, trial=False))
    mail = replace(counts, returns=tuple(
        replace(one, stage=Stage.FIRST_REMINDER) for one in counts.returns if one.told_by != "sms"
    ))  # fmt: skip
    [found] = concluded(mail, today=READ_ON).comparisons
    assert (found.with_sms.loans, found.verdict) == (0, Verdict.TOO_FEW)
    share = found.without.shares[7]
    assert share
    assert 30 < share.low < share.value < share.high < 60


def test_a_month_that_all_readers_share_does_not_pass_for_an_effect():
    """Without SMS in a bad month, with SMS in a good one: only loans of one month are compared."""
    counts = tally(library_of_arms(3, 0, trial=False))
    moved = []
    for one in counts.returns:
        good = one.month.month % 2 == 0
        if (one.told_by == "sms") is good:
            share = 0.9 if good else 0.1
            moved.append(replace(one, returned={days: round(one.loans * share) for days in (1, 3, 7)}))
    [found] = concluded(replace(counts, returns=tuple(moved)), today=READ_ON).comparisons
    assert found.verdict is Verdict.TOO_FEW


def trial_of(seed=1, points=15.0, *, today=READ_ON, kept=None, readers=500):
    counts = tally(library_of_arms(seed, points, trial=True, readers=readers), holdback=TRIAL)
    return concluded(replace(counts, holdbacks=kept or counts.holdbacks), today=today).trials


@pytest.mark.parametrize(("waited", "read"), [(-30, False), (0, False), (7, False), (8, True)])
def test_a_trial_is_read_once_its_last_loans_were_followed_and_not_before(waited, read):
    [found] = trial_of(today=TRIAL.last + timedelta(days=waited))
    assert found.read_on == TRIAL.last + WAITED
    assert (found.comparison is not None) is read
    assert found.verdict is (Verdict.SURE if read else Verdict.UNDER_WAY)


def test_loans_of_a_trial_are_in_no_other_comparison_as_those_without_sms():
    counts = tally(library_of_arms(1, 15, trial=True), holdback=TRIAL)
    [found] = concluded(counts, today=TRIAL.last).comparisons
    assert found.without.loans == 0


@pytest.mark.parametrize(
    "other",
    [
        replace(TRIAL, last=TRIAL.last + timedelta(days=30)),
        replace(TRIAL, share=0.3),
        replace(TRIAL, seed="une autre graine"),
        Holdback(share=0.1, first=TRIAL.last, last=TRIAL.last + timedelta(days=9), seed="graine"),
    ],
)
def test_a_trial_whose_rule_changed_meanwhile_is_never_read(other):
    kept = (Kept(holdback_id=1, holdback=TRIAL), Kept(holdback_id=2, holdback=other))
    found = trial_of(kept=kept, today=LATER)
    assert found[0].verdict is Verdict.CHANGED
    assert found[0].comparison is None


def test_a_trial_taken_up_again_after_a_stop_is_never_read():
    kept = (Kept(holdback_id=1, holdback=TRIAL, ended_on=TRIAL.first),)
    assert trial_of(kept=kept, today=LATER)[0].verdict is Verdict.CHANGED


def test_a_trial_stopped_early_is_read_from_that_day_on():
    stop = TRIAL.last - timedelta(days=20)
    earlier = Kept(holdback_id=2, holdback=replace(TRIAL, last=stop))
    for kept in (
        (Kept(holdback_id=1, holdback=TRIAL, ended_on=stop + timedelta(days=1)),),
        (Kept(holdback_id=1, holdback=TRIAL, ended_on=stop - timedelta(days=5)), earlier),
    ):
        [found] = trial_of(kept=kept, today=stop + timedelta(days=8))
        assert (found.last, found.verdict) == (stop, Verdict.SURE)


def test_two_trials_one_after_the_other_are_two():
    then = Holdback(
        share=0.3, first=TRIAL.last + timedelta(days=1), last=TRIAL.last + timedelta(days=90), seed="graine"
    )
    kept = (Kept(holdback_id=1, holdback=TRIAL), Kept(holdback_id=2, holdback=then))
    first, second = trial_of(kept=kept)
    assert (first.verdict, second.verdict) == (Verdict.SURE, Verdict.UNDER_WAY)


def test_a_night_counts_compares_and_keeps(ledger):
    write(ledger, library_of_arms(1, 15, trial=True))
    keep_trial(ledger)
    effect = ledger.part(PostgresEffect)
    made = measure_effect(
        effect, Regressions(), today=READ_ON, zone="Europe/Paris", compare_from=date(2025, 6, 1), current=None
    )
    assert made == effect.newest()
    [trial] = made.trials
    assert trial.comparison
    assert trial.comparison.decides
    assert trial.comparison.decides.low < 15 < trial.comparison.decides.high
    again = measure_effect(
        effect, Regressions(), today=READ_ON, zone="Europe/Paris", compare_from=date(2025, 6, 1), current=None
    )
    assert again == made
