"""Killed in the middle, then the day is triggered anew: a new DAG run recovers what the dead one left."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest
from sqlalchemy import text

from loan_reminders.domain.letters.batches import BatchState
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState
from loan_reminders.french.desk import stuck_words
from loan_reminders.ledger.connect import connect
from loan_reminders.ledger.runs.planning import PostgresPlanning
from tests.scenes.builders import a_mobile
from tests.scenes.letter_approval import ApprovalDesk
from tests.scenes.letter_readers import KilledAfterStoring, batches, by_post, held
from tests.scenes.outside import Killed, Outside
from tests.scenes.world import DUE, loan, reader

S = DeliveryState
E, T, L, R = Channel.EMAIL, Channel.SMS, Channel.LETTER, Channel.REGISTERED_LETTER


@pytest.fixture(autouse=True)
def printer(world):
    world.printer = Outside().printer()


@pytest.fixture
def letters(world, tmp_path):
    world.stage, world.today = Stage.FIRST_REMINDER, DUE + timedelta(days=8)
    return tmp_path / "letters"


@pytest.fixture
def dying(ledger_url):
    """A process's own ledger: at the end of the block its connections are gone, as after `kill -9`."""

    def process():
        return connect(ledger_url, library="demo")

    return process


def twenty():
    return [loan(n, patron=reader(n, mobile=a_mobile(f"33639980{n:03d}"))) for n in range(1, 21)]


def killed_with_in_hand(world, dying, run_id, channel, *, answered, in_hand):
    """A sender of a run claims messages; some are answered, the others are in its hands when it is killed."""
    from loan_reminders.domain.messages import Receipt

    with dying() as ledger, ExitStack() as stack:
        sender = stack.enter_context(ledger.sender(run_id, channel))
        page = next(iter(sender.waiting()))
        ids = [delivery.delivery_id for delivery in page]
        assert len(sender.claim(ids[: answered + in_hand])) == answered + in_hand
        sender.record([Receipt(delivery_id=one, state=S.ACCEPTED) for one in ids[:answered]])
        return {delivery.recipient.value for delivery in page[:answered] if hasattr(delivery.recipient, "value")}


def at_the_desk(world):
    ever = datetime(2000, 1, 1, tzinfo=UTC)
    return world.ledger.desk().work(since=ever, doubtful_before=ever)


def resent(world):
    with world.ledger.engine.connect() as connection:
        return connection.execute(text("SELECT count(*) FROM deliveries WHERE resent_in_doubt")).scalar_one()


@pytest.mark.parametrize("in_hand", [0, 5, 12])
def test_of_twenty_readers_eight_were_mailed_the_new_run_mails_the_other_twelve(world, dying, in_hand):
    first = world.begin(*twenty())
    mailed = killed_with_in_hand(world, dying, first, E, answered=8, in_hand=in_hand)
    second = world.begin(*twenty())
    assert world.send_emails(second) == {"accepted": 12}
    assert len(world.mailed_to()) == 12
    assert not set(world.mailed_to()) & mailed
    assert resent(world) == in_hand
    world.send_sms(second)
    books = world.close(second)
    assert (books.deliveries[E], books.problems()) == ({S.ACCEPTED: 12}, ())
    assert (books.loans_in_notices, books.loans_extracted) == (20, 20)
    assert world.ledger.close_run(first).problems() == ()


def test_a_third_run_adds_nothing(world, dying):
    first = world.begin(*twenty())
    killed_with_in_hand(world, dying, first, E, answered=8, in_hand=12)
    second = world.begin(*twenty())
    world.send_emails(second)
    world.send_sms(second)
    third = world.begin(*twenty())
    assert (world.send_emails(third), world.send_sms(third)) == ({}, {})
    assert world.close(third).skipped == {"already_sent": 20}


def test_the_new_run_may_come_a_day_later_with_the_day_of_the_dead_one(world, dying):
    first = world.begin(*twenty())
    killed_with_in_hand(world, dying, first, E, answered=8, in_hand=6)
    world.today += timedelta(days=1)
    assert world.send_emails(world.begin(*twenty())) == {"accepted": 12}


def test_two_deaths_in_a_row_lose_nothing(world, dying):
    for answered in (8, 3):
        killed_with_in_hand(world, dying, world.begin(*twenty()), E, answered=answered, in_hand=4)
    assert world.send_emails(world.begin(*twenty())) == {"accepted": 9}


def test_a_sender_that_lives_is_not_robbed(world, dying):
    first = world.begin(*twenty())
    with dying() as ledger, ledger.sender(first, E) as alive:
        ids = [delivery.delivery_id for delivery in next(iter(alive.waiting()))]
        alive.claim(ids[:5])
        second = world.begin(*twenty())
        assert world.send_emails(second) == {"accepted": 15}
        from loan_reminders.domain.messages import Receipt

        alive.record([Receipt(delivery_id=one, state=S.ACCEPTED) for one in ids[:5]])
    assert world.ledger.close_run(first).deliveries[E] == {S.ACCEPTED: 5}
    assert resent(world) == 0


def test_an_sms_in_the_hands_of_the_dead_stays_in_doubt_and_is_at_the_desk(world, dying):
    first = world.begin(*twenty())
    world.send_emails(first)
    texted = killed_with_in_hand(world, dying, first, T, answered=8, in_hand=5)
    second = world.begin(*twenty())
    assert world.send_sms(second) == {"accepted": 7}
    assert not set(world.texted_to()) & texted
    assert world.close(second).problems() == ()
    assert {(line.channel, stuck_words(line)) for line in at_the_desk(world).in_doubt} == {
        (T, "tâche interrompue pendant l'envoi")
    }
    assert len(at_the_desk(world).in_doubt) == 5
    assert world.send_sms(world.begin(*twenty())) == {}


def test_killed_while_extracting_or_planning_the_new_run_does_it_all(world):
    from loan_reminders.domain.errors import IlsUnavailable

    world.ils.fails_after = 7
    with pytest.raises(IlsUnavailable):
        world.extract(*twenty())
    world.ils.fails_after = None
    dead = world.extract(*twenty())
    with pytest.raises(Killed), mock.patch.object(PostgresPlanning, "record", side_effect=Killed):
        world.plan(dead)
    assert world.send_emails(world.begin(*twenty())) == {"accepted": 20}


def test_a_batch_that_the_dead_had_stored_is_printed_once_and_nothing_of_it_stays(world, letters, dying):
    rows = [by_post(1), by_post(2)]
    first = world.begin(*rows)
    with dying() as ledger, suppress(Killed):
        replace(world, ledger=ledger).print_letters(first, letters, store=KilledAfterStoring(letters))
    assert len(list(letters.iterdir())) == 1
    second = world.begin(*rows)
    assert world.print_letters(second, letters) == {"accepted": 2}
    [batch] = batches(world)
    assert held(world, batch) == ["P1", "P2"]
    assert [folder.name for folder in letters.iterdir()] == [batch.name]
    assert world.close(second).problems() == ()


def test_a_batch_that_the_dead_had_recorded_is_not_touched(world, letters, dying):
    world.split_by_branch = True
    rows = [by_post(1, branch="A"), by_post(2, branch="B")]
    first = world.begin(*rows)
    with dying() as ledger, suppress(Killed):
        replace(world, ledger=ledger).print_letters(first, letters, store=KilledAfterStoring(letters, at=2))
    second = world.begin(*rows)
    assert world.print_letters(second, letters) == {"accepted": 1}
    assert [held(world, batch) for batch in batches(world)] == [["P1"], ["P2"]]
    assert sorted(folder.name for folder in letters.iterdir()) == sorted(batch.name for batch in batches(world))


def test_a_printer_that_lives_keeps_its_letters_and_its_files(world, letters):
    rows = [by_post(1), by_post(2)]
    first = world.begin(*rows)
    with world.ledger.sender(first, L) as alive:
        alive.claim([delivery.delivery_id for delivery in next(iter(alive.waiting()))])
        stored = letters / f"first_reminder-{world.today}-{first}-1"
        stored.mkdir(parents=True)
        second = world.begin(*rows)
        assert world.print_letters(second, letters) == {}
        assert stored.exists()
        assert world.close(second).skipped == {"already_sent": 2}


class TestRegisteredLetters:
    @pytest.fixture
    def desk(self, world, tmp_path):
        world.stage, world.today = Stage.REGISTERED_LETTER, DUE + timedelta(days=21)
        return ApprovalDesk(world, tmp_path / "letters")

    def test_the_draft_of_the_dead_gives_way_to_that_of_the_new_run(self, desk):
        first = desk.drafted(2)
        second = desk.world.begin(by_post(1), by_post(2))
        assert desk.prepare(second) == {"drafts": 1, "letters": 2}
        [draft] = desk.batches(BatchState.DRAFT)
        assert (draft.run_id, desk.stored()) == (second, [draft.name])
        assert desk.question(first) is None
        desk.approve(second)
        assert desk.print(second) == {"accepted": 2}

    def test_approved_then_killed_while_printing_is_asked_about_anew_and_printed_once(self, desk, dying):
        first = desk.drafted(2)
        desk.approve(first)
        with dying() as ledger, suppress(Killed):
            other = ApprovalDesk(replace(desk.world, ledger=ledger), desk.folder)
            other.print(first, store=KilledAfterStoring(desk.folder))
        second = desk.world.begin(by_post(1), by_post(2))
        desk.prepare(second)
        desk.approve(second)
        assert desk.print(second) == {"accepted": 2}
        [batch] = desk.batches(BatchState.READY)
        assert (batch.run_id, desk.stored()) == (second, [batch.name])
