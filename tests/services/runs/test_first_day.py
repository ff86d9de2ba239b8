"""The first day in a library that has lent for years: what the past gets, and what `starts_on` keeps it from."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.services.runs.plan import plan_run
from loan_reminders.services.runs.still_due import StillDue
from tests.scenes.letter_readers import by_post
from tests.scenes.world import DUE, SETTINGS, loan, reader

TODAY = DUE + timedelta(days=21)
PAST = (0, 1, 7, 8, 15, 20, 21, 22, 30, 365, 1000)
"""Days overdue, on the first day."""


def overdue(days):
    """A loan that has been overdue for so long, of a reader of its own."""
    return loan(days, due_date=TODAY - timedelta(days=days), patron=by_post(PAST.index(days)).patron)


def first_run(world, stage, *, starts_on=None, reference=TODAY):
    world.stage, world.today = stage, TODAY
    world.ils.rows = [overdue(days) for days in PAST]
    policy = replace(SETTINGS.policy(), starts_on=starts_on)
    run_id = world._extract(reference)
    plan_run(world.ledger, run_id=run_id, policy=policy)
    with world.ledger.engine.connect() as connection:
        told = connection.exec_driver_sql(f"SELECT unnest(loan_ids) FROM notices WHERE run_id = {run_id}").scalars()
        skips = connection.exec_driver_sql(f"SELECT reason, count(*) FROM skips WHERE run_id = {run_id} GROUP BY 1")
        return run_id, sorted(told), dict(skips.all())


@pytest.mark.parametrize("stage", list(Stage)[1:])
def test_the_first_run_is_about_one_day_and_not_about_years_of_overdues(world, stage):
    offset = SETTINGS.policy().rule(stage).offset_days
    _, told, _ = first_run(world, stage)
    assert told == [f"L{offset}"]


@pytest.mark.parametrize("stage", list(Stage)[1:])
def test_before_the_first_day_nothing_is_told_and_it_is_counted_and_the_books_balance(world, stage):
    run_id, told, skips = first_run(world, stage, starts_on=TODAY + timedelta(days=1))
    assert (told, skips) == ([], {"before_start": 1})
    books = world.close(run_id)
    assert (books.problems(), books.skipped) == ((), {"before_start": 1})


def test_on_the_first_day_itself_the_stage_is_told(world):
    _, told, _ = first_run(world, Stage.REGISTERED_LETTER, starts_on=TODAY)
    assert told == ["L21"]


@pytest.mark.parametrize("days", [1, 9, 344])
def test_a_day_before_it_that_is_caught_up_gets_no_registered_letters(world, days):
    """Without a first day it would: whoever is overdue for a year is at the last stage, and was never told by us."""
    reference = TODAY - timedelta(days=days)
    _, told, _ = first_run(world, Stage.REGISTERED_LETTER, reference=reference)
    assert told == [f"L{21 + days}"]
    _, told, skips = first_run(world, Stage.REGISTERED_LETTER, reference=reference, starts_on=TODAY)
    assert (told, skips) == ([], {"before_start": 1})


def test_what_was_planned_before_somebody_set_the_first_day_does_not_leave(world):
    run_id, told, _ = first_run(world, Stage.FIRST_REMINDER)
    assert told == ["L8"]
    policy = replace(SETTINGS.policy(), starts_on=TODAY + timedelta(days=1))
    run = world.ledger.run(run_id)
    with world.ledger.sender(run_id, Channel.LETTER) as sender:
        still_due = StillDue(source=world.ils, policy=policy, run=run, clock=world.clock)
        assert still_due.cancel_when_over(sender)
    assert world.ledger.planned_count(run_id, Channel.LETTER) == 0


def test_a_reader_who_is_told_from_the_first_day_on_is_told_once(world):
    """Day after day over the first day: each stage is told on its own day, from that day on, and never twice."""
    world.ils.rows = [loan(1, patron=reader(1))]
    told = []
    policy = replace(SETTINGS.policy(), starts_on=DUE + timedelta(days=5))
    for days in range(-3, 30):
        for stage in Stage:
            world.stage, world.today = stage, DUE + timedelta(days=days)
            run_id = world._extract(world.today)
            if plan_run(world.ledger, run_id=run_id, policy=policy):
                told.append((stage, days))
    assert told == [(Stage.FIRST_REMINDER, 8), (Stage.SECOND_REMINDER, 15), (Stage.REGISTERED_LETTER, 21)]
