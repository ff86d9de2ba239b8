"""Before a missed day is caught up: whom a run would still tell, by the real rules; nothing is written."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from loan_reminders.domain.errors import IlsUnavailable
from loan_reminders.domain.ports.outside import Run
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import Refusal
from loan_reminders.ledger.run_pages.foreseeing import PostgresForeseeing
from loan_reminders.services.runs.catch_up import foresee
from tests.scenes.world import DUE, SETTINGS, loans

TABLES = ("runs", "loans_seen", "skips", "notices", "deliveries", "delivery_loans", "receipts")


def contents(world):
    with world.ledger.engine.connect() as connection:
        return {name: connection.exec_driver_sql(f"SELECT * FROM {name} ORDER BY 1, 2").all() for name in TABLES}


def seen(world, *, days_late=0, stage=Stage.OVERDUE_NOTICE):
    policy = SETTINGS.policy()
    today = DUE + timedelta(days=policy.rule(stage).offset_days + days_late)
    day = today - timedelta(days=days_late)
    run = Run(run_id=0, stage=stage, reference_date=day, due_date=DUE, today=today, dry_run=True, planned=False)
    before = contents(world)
    with PostgresForeseeing(world.ledger.engine, run, library="demo") as planning:
        found = foresee(planning, world.ils, run=run, policy=policy)
    assert contents(world) == before
    return found


def test_readers_who_still_have_their_loans_would_be_told_once(world):
    world.ils.rows = list(loans(3))
    found = seen(world, days_late=2)
    assert (found.loans, found.told, found.superseded) == (3, 3, 0)
    assert found.by_channel == {Channel.EMAIL: 3, Channel.SMS: 3}


def test_what_a_later_stage_took_over_is_superseded(world):
    world.ils.rows = list(loans(2))
    found = seen(world, days_late=8)
    assert (found.told, found.superseded, found.by_channel) == (0, 2, {})
    assert {one.patron_id for one in found.taken_over} == {one.patron.patron_id for one in world.ils.rows}
    assert seen(world, days_late=2).taken_over == []


def test_a_courtesy_notice_comes_too_late(world):
    world.ils.rows = list(loans(2))
    found = seen(world, days_late=3, stage=Stage.COURTESY_NOTICE)
    assert (found.told, found.expired) == (0, 2)


def test_who_was_told_is_not_told_again_and_what_a_dead_run_left_would_leave_now(world):
    sent = world.begin(*loans(2))
    world.send_emails(sent)
    world.send_sms(sent)
    assert (seen(world).told, seen(world).told_already) == (0, 2)


def test_what_waits_in_a_run_that_was_cut_short_would_leave(world):
    world.begin(*loans(2))
    assert (seen(world).told, seen(world).told_already) == (2, 0)


def test_a_reader_without_an_address_is_told_apart(world):
    first, second = loans(2)
    lost = replace(second, patron=replace(second.patron, email=Refusal.MISSING, mobile=Refusal.MISSING))
    world.ils.rows = [first, lost, first]
    found = seen(world)
    assert (found.loans, found.told, found.not_reached, found.others) == (2, 1, 1, 0)


def test_a_silent_ils_is_said(world):
    world.ils.rows, world.ils.fails_after = list(loans(3)), 1
    with pytest.raises(IlsUnavailable):
        seen(world)
