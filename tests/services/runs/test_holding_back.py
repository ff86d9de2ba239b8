"""A run while SMS are held back from some readers: everybody has the e-mail, the books say who got no SMS and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from loan_reminders.domain.holdback import Holdback
from loan_reminders.domain.stages import Channel, Policy
from loan_reminders.services.runs.plan import plan_run
from tests.scenes.ledger_runs import rows
from tests.scenes.world import DUE, SETTINGS, loan

TODAY = DUE + timedelta(days=1)
HELD_BACK = Holdback(share=0.5, first=TODAY, last=TODAY + timedelta(days=60), seed="graine")


def policy(holdback: Holdback) -> Policy:
    ours = SETTINGS.policy()
    return replace(ours, rules=tuple(
        replace(rule, channels=tuple(
            replace(one, holdback=holdback) if one.channel is Channel.SMS else one for one in rule.channels
        ))
        for rule in ours.rules
    ))  # fmt: skip


@pytest.fixture
def drawn(world):
    """Sixteen readers of one due date, and those of them whose SMS is held back."""
    world.ils.rows = [loan(number) for number in range(16)]
    return {one.patron.patron_id for one in world.ils.rows if HELD_BACK.is_control(one.patron.patron_id)}


def told(world, channel):
    found = rows(
        world.ledger, "SELECT patron_id FROM deliveries JOIN notices USING (notice_id) WHERE channel = :c", c=channel
    )
    return {row.patron_id for row in found}


def test_everybody_is_told_and_the_books_count_who_got_no_sms(world, drawn):
    assert 0 < len(drawn) < 16
    run_id = world._extract(TODAY)
    plan_run(world.ledger, run_id=run_id, policy=policy(HELD_BACK))
    everybody = {one.patron.patron_id for one in world.ils.rows}
    assert told(world, "email") == everybody
    assert told(world, "sms") == everybody - drawn
    books = world.ledger.close_run(run_id)
    assert books.slots_skipped == {"control_group": len(drawn)}
    assert books.skipped == {}
    [kept] = rows(world.ledger, "SELECT seed FROM holdbacks")
    assert kept.seed == HELD_BACK.seed


def test_the_day_done_again_draws_the_same_readers_and_sends_nothing_more(world, drawn):
    for _ in range(2):
        run_id = world._extract(TODAY)
        plan_run(world.ledger, run_id=run_id, policy=policy(HELD_BACK))
    assert told(world, "sms").isdisjoint(drawn)
    [counted] = rows(world.ledger, "SELECT count(*) AS number FROM deliveries WHERE channel = 'email'")
    assert counted.number == 16


def test_after_its_last_day_everybody_has_an_sms_again(world, drawn):
    over = replace(HELD_BACK, first=TODAY - timedelta(days=30), last=TODAY - timedelta(days=1))
    run_id = world._extract(TODAY)
    plan_run(world.ledger, run_id=run_id, policy=policy(over))
    assert told(world, "sms") >= drawn
    assert rows(world.ledger, "SELECT * FROM holdbacks") == []
