"""An accident in the ILS must not text every student: a run of an unusual size waits for a librarian."""

from __future__ import annotations

from dataclasses import replace

import pytest

from loan_reminders.domain.runs.volume import alarms
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.services.runs.check_volume import refuse, volume_question
from tests.scenes.builders import a_mobile, an_email
from tests.scenes.world import SETTINGS, loan, loans, reader

GUARD = SETTINGS.guard()
E, T = Channel.EMAIL, Channel.SMS


@pytest.mark.parametrize(
    ("planned", "past", "asks"),
    [
        ({E: 250}, [{E: 240}, {E: 260}], []),
        ({E: 5001}, [], [E]),
        ({E: 5000}, [], []),
        ({E: 900}, [{E: 310}, {E: 290}, {E: 300}], []),
        ({E: 901}, [{E: 310}, {E: 290}, {E: 300}], [E]),
        ({E: 300}, [{E: 10}], []),
        ({E: 301}, [{E: 10}], [E]),
        ({E: 100, T: 400}, [{E: 100, T: 70}] * 5, [T]),
        ({E: 100, T: 501}, [{E: 100, T: 400}] * 5, [T]),
        ({T: 151}, [{E: 10}], [T]),
        ({}, [{E: 10}], []),
    ],
)
def test_what_is_unusual(planned, past, asks):
    assert [alarm.channel for alarm in alarms(planned, past, GUARD)] == asks


def many(count):
    return [
        loan(
            number,
            patron=reader(number, email=an_email(f"l{number}@etu.example.org"), mobile=a_mobile(f"336{number:08d}")),
        )
        for number in range(1, count + 1)
    ]


def question(world, run_id, guard=GUARD):
    return volume_question(world.ledger, run_id=run_id, guard=guard, past_runs=10, library=SETTINGS.identity())


def test_an_ils_where_every_loan_was_due_yesterday_asks_and_a_refusal_sends_nothing(world):
    world.whole_run(*loans(3))
    sent = len(world.sms.provider.accepted)
    run_id = world.begin(*(replace(one, loan_id=f"A{one.loan_id}") for one in many(5000)))
    asked = question(world, run_id)
    assert "| SMS | 5000 | 3 | 500 |" in asked
    assert "@" not in asked
    assert "3360000" not in asked
    assert refuse(world.ledger, run_id=run_id, who="biblio") == 10_000
    assert world.send_sms(run_id) == {}
    assert world.send_emails(run_id) == {}
    assert len(world.sms.provider.accepted) == sent
    books = world.close(run_id)
    assert books.deliveries[T] == {"cancelled": 5000}
    assert books.problems() == ()


def test_after_a_refusal_a_new_run_prepares_everything_again(world):
    run_id = world.begin(*loans(3))
    refuse(world.ledger, run_id=run_id, who="biblio")
    assert world.plan(world.extract()) == {"email": 3, "sms": 3}


def test_the_usual_volume_asks_nothing(world):
    assert question(world, world.begin(*loans(3))) is None


def test_a_dry_run_asks_nothing(world):
    guard = replace(GUARD, caps=dict.fromkeys(Channel, 0))
    assert question(world, world.begin(*loans(1), dry_run=True), guard) is None
    assert question(world, world.begin(*loans(1)), guard)


def test_only_green_runs_of_the_stage_count_as_usual(world):
    world.whole_run(*loans(2))
    red = world.begin(*loans(4))
    run_id = world.begin(*loans(5))
    assert red < run_id
    assert world.ledger.past_volumes(run_id, runs=10) == ({E: 2, T: 2},)
    world.stage = Stage.COURTESY_NOTICE
    other = world.extract(*loans(1))
    assert world.ledger.past_volumes(other, runs=10) == ()
