"""Registered letters are laid out as drafts and asked about before anything is printed."""

from __future__ import annotations

from datetime import timedelta
from unittest import mock

import pytest

from loan_reminders.domain.errors import BooksDoNotBalance, LedgerUnavailable, PermanentError
from loan_reminders.domain.letters.batches import BatchState
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState
from tests.scenes.letter_readers import KilledAfterStoring, by_post
from tests.scenes.outside import Killed
from tests.scenes.world import DUE, loan, reader

R, S = Channel.REGISTERED_LETTER, DeliveryState


class TestTheQuestion:
    def test_it_holds_figures_references_and_the_page_and_no_name(self, desk):
        run_id = desk.drafted()
        asked = desk.question(run_id)
        (draft,) = desk.batches(BatchState.DRAFT)
        assert "**3 lettres recommandées**" in asked
        assert f"(/relances/lots/{draft.batch_id})" in asked
        for reference in desk.references(run_id):
            assert f"| {reference} | 1 | 1 |" in asked
        for personal in ("Lecteur", "LECTEUR", "NICE", "RUE"):
            assert personal not in asked

    def test_nothing_is_asked_when_nothing_waits(self, desk):
        run_id = desk.world.begin()
        assert desk.prepare(run_id) == {"drafts": 0, "letters": 0}
        assert desk.question(run_id) is None
        assert desk.print(run_id) == {}

    def test_a_dry_run_needs_no_approval(self, desk):
        run_id = desk.world.begin(by_post(1), dry_run=True)
        assert desk.prepare(run_id) == {}
        assert desk.question(run_id) is None
        assert desk.print(run_id) == {"cancelled": 1}
        assert desk.stored() == [f"essai-a-blanc/registered_letter-{DUE + timedelta(days=21)}-{run_id}-1"]

    def test_a_long_list_is_cut_and_says_so(self, desk):
        run_id = desk.drafted(4)
        with mock.patch("loan_reminders.services.registered.approval.ROWS", 3):
            assert "… et 1 autres" in desk.question(run_id)


class TestADraft:
    def test_its_letters_wait_and_its_files_are_apart(self, desk):
        run_id = desk.drafted()
        assert desk.states() == [("planned", None)] * 3
        (draft,) = desk.batches()
        assert draft.state is BatchState.DRAFT
        assert desk.stored() == [draft.name]
        assert draft.name.startswith("a-valider/registered_letter-")
        assert draft.slip == ""
        with pytest.raises(BooksDoNotBalance, match="en attente"):
            desk.world.close(run_id)

    def test_preparing_again_replaces_it(self, desk):
        run_id = desk.drafted()
        assert desk.prepare(run_id) == {"drafts": 1, "letters": 3}
        (draft,) = desk.batches(BatchState.DRAFT)
        (old,) = desk.batches(BatchState.ABANDONED)
        assert desk.stored() == [draft.name]
        assert old.name != draft.name
        desk.approve(run_id)
        assert desk.print(run_id) == {"accepted": 3}

    def test_what_was_approved_is_not_approved_any_more_once_prepared_again(self, desk):
        run_id = desk.drafted()
        desk.approve(run_id)
        desk.prepare(run_id)
        with pytest.raises(PermanentError, match="sans que personne les ait validées"):
            desk.print(run_id)
        assert desk.states() == [("planned", None)] * 3

    def test_one_killed_before_it_was_recorded_is_made_again_in_its_place(self, desk):
        run_id = desk.world.begin(by_post(1))
        with pytest.raises(Killed):
            desk.prepare(run_id, store=KilledAfterStoring(desk.folder))
        assert desk.prepare(run_id) == {"drafts": 1, "letters": 1}
        assert len(desk.stored()) == 1

    def test_one_left_by_a_killed_try_goes_when_all_is_returned_meanwhile(self, desk):
        run_id = desk.world.begin(by_post(1))
        with pytest.raises(Killed):
            desk.prepare(run_id, store=KilledAfterStoring(desk.folder))
        desk.world.ils.rows = []
        assert desk.prepare(run_id) == {"drafts": 0, "letters": 0}
        assert desk.stored() == []

    def test_a_branch_has_its_own(self, desk):
        desk.world.split_by_branch = True
        run_id = desk.world.begin(by_post(1, branch="A"), by_post(2, branch="B"))
        assert desk.prepare(run_id) == {"drafts": 2, "letters": 2}
        asked = desk.question(run_id)
        assert asked.count("](/relances/lots/") == 2
        desk.approve(run_id, references=desk.references(run_id)[1], detail="vu au guichet")
        assert desk.print(run_id) == {"accepted": 1}
        assert [view.branch for view in desk.batches(BatchState.READY)] == ["A"]
        assert len(desk.batches(BatchState.ABANDONED)) == 2

    def test_the_ils_is_asked_before(self, desk):
        run_id = desk.world.begin(by_post(1), by_post(2))
        desk.world.ils.rows = desk.world.ils.rows[:1]
        assert desk.prepare(run_id) == {"drafts": 1, "letters": 1}

    def test_another_worker_waits(self, desk):
        run_id = desk.world.begin(by_post(1))
        with desk.world.ledger.sender(run_id, R), pytest.raises(LedgerUnavailable):
            desk.prepare(run_id)


class TestSeveralDaysAtOnce:
    def test_a_day_that_waits_does_not_hold_the_next(self, desk, caplog):
        world = desk.world
        first = desk.drafted(2)
        due = DUE + timedelta(days=1)
        world.today += timedelta(days=1)
        caplog.clear()
        second = world.extract_day(due, loan(9, due_date=due, patron=by_post(9).patron))
        world.plan(second)
        assert desk.prepare(second) == {"drafts": 1, "letters": 1}
        desk.approve(second)
        assert desk.print(second) == {"accepted": 1}
        world.close(second)
        world.ils.rows = [by_post(1), by_post(2)]
        assert desk.question(first) is not None
        desk.approve(first)
        assert desk.print(first) == {"accepted": 2}
        world.close(first)
        assert len({view.name for view in desk.batches(BatchState.READY)}) == 2

    def test_a_day_that_waits_is_not_told_as_missed(self, desk, caplog):
        world = desk.world
        for days, answered in ((0, True), (1, False), (2, True)):
            due = DUE + timedelta(days=days)
            world.today = due + timedelta(days=21)
            caplog.clear()
            run_id = world.extract_day(due, loan(days + 1, due_date=due, patron=reader(days + 1)))
            world.plan(run_id)
            desk.prepare(run_id)
            if answered:
                desk.approve(run_id)
                desk.print(run_id)
                world.close(run_id)
        assert "Jours sans tournée" not in caplog.text
