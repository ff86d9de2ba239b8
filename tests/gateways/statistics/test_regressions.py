"""The figures of the page, from a ledger's rows to what is said, recomputed here loan by loan, without the package.

Nothing of the program is used for it but the rows: plain linear algebra on one line a loan, and the quantiles of
Student's t.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from datetime import date, timedelta

import numpy as np
import pytest
from scipy import stats

from loan_reminders.gateways.statistics.regressions import Regressions
from loan_reminders.ledger.statistics.effect import PostgresEffect
from loan_reminders.services.statistics.measure_effect import measure_effect
from tests.scenes.ledger_runs import rows
from tests.scenes.simulated_library import KEY, READ_ON, keep_trial, library_of_arms, library_of_months, write


def bounds(value, error, degrees):
    quantile = {level: stats.t.ppf(1 - level / 2, degrees) for level in (0.05, 0.01)}
    return (value, value - quantile[0.05] * error, value + quantile[0.05] * error,
            value - quantile[0.01] * error, value + quantile[0.01] * error)  # fmt: skip


def of(estimate):
    assert estimate is not None
    return (estimate.value, estimate.low, estimate.high, estimate.surely_low, estimate.surely_high)


def loan_by_loan(y, treated, strata, groups):
    """A difference within strata, one line a loan, clustered; the factor counts cells as the ledger keeps them."""
    names = sorted(set(strata))
    design = np.zeros((len(y), 1 + len(names)))
    design[:, 0] = treated
    for line, stratum in enumerate(strata):
        design[line, 1 + names.index(stratum)] = 1
    return clustered(y, design, groups, cells=len(set(zip(treated, strata, groups, strict=True))))


def clustered(y, design, groups, *, cells):
    y = np.asarray(y, dtype=float)
    inverse = np.linalg.inv(design.T @ design)
    beta = inverse @ design.T @ y
    left = y - design @ beta
    scores = defaultdict(lambda: np.zeros(design.shape[1]))
    for line, group in enumerate(groups):
        scores[group] += design[line] * left[line]
    many = len(scores)
    meat = sum(np.outer(one, one) for one in scores.values())
    factor = many / (many - 1) * (cells - 1) / (cells - design.shape[1])
    return bounds(beta[0], float(np.sqrt(factor * (inverse @ meat @ inverse)[0, 0])), many - 1)


def group_of(patron_id):
    return hashlib.sha256(KEY + b"bucket " + patron_id.encode()).digest()[0] % 64


def told_loans(ledger):
    """One line a loan that was told of, out of the plain rows."""
    return rows(ledger, """
        SELECT notice.patron_id, run.today, ends.category, ends.ended_on, ends.open_on,
               CAST(seen.record ->> 'due_date' AS date) - CAST(seen.record ->> 'loan_date' AS date) AS length,
               bool_or(sent.channel = 'sms') AS sms,
               bool_or(EXISTS (SELECT FROM skips WHERE skips.run_id = run.run_id AND skips.loan_id = ends.loan_id
                               AND reason = 'control_group')) AS control
        FROM deliveries sent JOIN notices notice USING (notice_id) JOIN runs run ON run.run_id = sent.run_id
        JOIN delivery_loans told USING (delivery_id)
        JOIN loan_ends ends ON ends.loan_id = told.loan_id AND ends.due_date = told.due_date
        JOIN loans_seen seen ON seen.loan_id = told.loan_id AND seen.run_id = run.run_id
        GROUP BY ends.loan_id, 1, 2, 3, 4, 5, 6
    """)  # fmt: skip


def strata_of(loans):
    lengths = ["short" if one.length < 14 else "medium" if one.length < 28 else "long" for one in loans]
    return [f"{one.today:%Y-%m} {one.category} {length}" for one, length in zip(loans, lengths, strict=True)]


@pytest.mark.parametrize("trial", [True, False])
def test_the_differences_are_those_of_the_loans_one_by_one(ledger, trial):
    write(ledger, library_of_arms(11, 8, trial=trial, readers=300))
    if trial:
        keep_trial(ledger)
    made = measured(ledger, today=READ_ON)
    comparison = made.trials[0].comparison if trial else made.comparisons[0]
    assert comparison
    assert comparison.differences
    loans = told_loans(ledger)
    groups = [group_of(one.patron_id) for one in loans]
    for days in (1, 3, 7):
        back = [100.0 * (one.ended_on <= one.today + timedelta(days=days)) for one in loans]
        ours = loan_by_loan(back, [one.sms for one in loans], strata_of(loans), groups)
        assert of(comparison.differences[days]) == pytest.approx(ours, abs=1e-6)
        for arm, sms in ((comparison.with_sms, True), (comparison.without, False)):
            lines = [line for line, one in enumerate(loans) if one.sms is sms]
            assert arm.loans == len(lines)
            cells = len({(strata_of(loans)[line], groups[line]) for line in lines})
            mine = [groups[line] for line in lines]
            share = clustered([back[line] for line in lines], np.ones((len(lines), 1)), mine, cells=cells)
            assert of(arm.shares[days]) == pytest.approx(share, abs=1e-6)


def test_the_difference_of_differences_is_that_of_the_loans(ledger):
    write(ledger, library_of_months(12, 8, months=18, since=9, each=40, staff_told=0.08))
    made = measured(ledger, today=date(2027, 6, 1), since=date(2025, 10, 1)).change
    staff = [one for one in told_loans(ledger) if one.category == "staff" and one.today >= date(2025, 10, 1)]
    assert 0.04 < made.staff_told < 0.12
    assert made.staff_told == pytest.approx(sum(one.sms for one in staff) / len(staff))
    overdue, late = defaultdict(int), defaultdict(int)
    for one in rows(ledger, "SELECT * FROM loan_ends"):
        if one.open_on > one.due_date:
            overdue[one.due_date.strftime("%Y-%m"), one.category] += 1
            late[one.due_date.strftime("%Y-%m"), one.category] += (one.open_on - one.due_date).days >= 15
    months = sorted({month for month, _ in overdue})
    share = {key: 100 * late[key] / overdue[key] for key in overdue}
    gap = np.array([share[month, "student"] - share[month, "staff"] for month in months])
    weight = np.array([1 / (1 / overdue[month, "student"] + 1 / overdue[month, "staff"]) for month in months])
    after = np.array([month >= "2025-10" for month in months])
    value = np.average(gap[after], weights=weight[after]) - np.average(gap[~after], weights=weight[~after])
    left = gap - np.where(
        after, np.average(gap[after], weights=weight[after]), np.average(gap[~after], weights=weight[~after])
    )
    # HC3: each side's leverage is its own weight over that of its side.
    leverage = np.where(after, weight / weight[after].sum(), weight / weight[~after].sum())
    pull = np.where(after, weight / weight[after].sum(), -weight / weight[~after].sum())
    hc3 = np.sqrt(np.sum((pull * left / (1 - leverage)) ** 2))
    # Newey and West over two months, with Bartlett's weights and the factor n / (n - 2).
    score = pull * left
    long_run = np.sum(score**2) + 2 * sum((1 - lag / 3) * np.sum(score[lag:] * score[:-lag]) for lag in (1, 2))
    newey_west = np.sqrt(long_run * len(months) / (len(months) - 2))
    assert of(made.estimate) == pytest.approx(bounds(value, max(hc3, newey_west), len(months) - 2), abs=1e-6)


def measured(ledger, *, today, since=None):
    return measure_effect(
        ledger.part(PostgresEffect), Regressions(), today=today, zone="Europe/Paris", compare_from=since, current=None
    )
