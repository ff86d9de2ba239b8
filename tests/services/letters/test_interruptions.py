"""Printing letters again, interrupted or not: no letter is in two batches, no file is nobody's."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from loan_reminders.domain.errors import LedgerUnavailable, LetterStoreUnavailable
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState
from loan_reminders.gateways.letters.letter_store import FolderLetterStore
from loan_reminders.services.letters.batches import sweep_work_folders
from tests.scenes.letter_readers import FullDisk, KilledAfterStoring, batches, by_post, held
from tests.scenes.outside import Killed
from tests.scenes.sentences import saying
from tests.scenes.world import DUE, loan

S = DeliveryState
L, R = Channel.LETTER, Channel.REGISTERED_LETTER


class TestRunningAgain:
    def test_new_letters_get_a_batch_of_their_own_and_the_first_stays(self, world, letters):
        world.print_letters(world.begin(by_post(1), by_post(2)), letters)
        (first,) = batches(world)
        content = (letters / first.pdfs[0]).read_bytes()
        world.print_letters(world.begin(by_post(1), by_post(2), by_post(3)), letters)
        assert [held(world, view) for view in batches(world)] == [["P1", "P2"], ["P3"]]
        assert (letters / first.pdfs[0]).read_bytes() == content

    def test_the_same_run_again_prints_nothing(self, world, letters):
        run_id = world.begin(by_post(1))
        world.print_letters(run_id, letters)
        assert world.print_letters(run_id, letters) == {}
        assert len(batches(world)) == 1

    def test_two_workers_print_one_batch(self, world, letters):
        run_id = world.begin(by_post(1), by_post(2))
        with world.ledger.sender(run_id, L), pytest.raises(LedgerUnavailable, check=saying("imprime déjà")):
            world.print_letters(run_id, letters)
        assert world.print_letters(run_id, letters) == {"accepted": 2}
        assert len(list(letters.iterdir())) == 1


class TestInterruptions:
    def test_a_batch_stored_and_not_recorded_is_printed_again_in_its_place(self, world, letters):
        run_id = world.begin(by_post(1), by_post(2))
        with pytest.raises(Killed):
            world.print_letters(run_id, letters, store=KilledAfterStoring(letters))
        assert batches(world) == []
        assert world.print_letters(run_id, letters) == {"accepted": 2}
        (view,) = batches(world)
        assert [folder.name for folder in letters.iterdir()] == [view.name]

    def test_the_second_branch_is_printed_again_alone(self, world, letters):
        world.split_by_branch = True
        run_id = world.begin(by_post(1, branch="A"), by_post(2, branch="B"), by_post(3, branch="C"))
        with pytest.raises(Killed):
            world.print_letters(run_id, letters, store=KilledAfterStoring(letters, at=2))
        assert [view.branch for view in batches(world)] == ["A"]
        assert world.print_letters(run_id, letters) == {"accepted": 2}
        assert [view.branch for view in batches(world)] == ["A", "B", "C"]
        assert len(list(letters.iterdir())) == 3

    def test_a_batch_whose_letters_are_all_dropped_meanwhile_is_removed(self, world, letters):
        run_id = world.begin(by_post(1), by_post(2))
        with pytest.raises(Killed):
            world.print_letters(run_id, letters, store=KilledAfterStoring(letters))
        world.ils.rows = []
        assert world.print_letters(run_id, letters) == {}
        assert list(letters.iterdir()) == []
        assert world.close(run_id).deliveries == {L: {S.CANCELLED: 2}}

    def test_files_of_a_larger_try_do_not_stay_beside_those_of_a_smaller_one(self, world, letters):
        run_id = world.begin(by_post(1))
        stale = letters / f"first_reminder-{DUE + timedelta(days=8)}-{run_id}-1"
        stale.mkdir(parents=True)
        for name in (".00ff.part", "lettres-2.pdf"):
            (stale / name).write_bytes(b"old")
        world.print_letters(run_id, letters)
        assert sorted(path.name for path in stale.iterdir()) == ["destinataires.csv", "lettres.pdf"]

    @pytest.mark.parametrize("problem", ["file", "gone"])
    def test_a_store_that_refuses_leaves_the_letters_waiting(self, world, letters, problem):
        run_id = world.begin(by_post(1), by_post(2))
        if problem == "file":
            letters.write_bytes(b"")
            store = FolderLetterStore(letters)
        else:
            store = FullDisk(letters)
        with pytest.raises(LetterStoreUnavailable):
            world.print_letters(run_id, letters, store=store)
        assert world.ledger.planned_count(run_id, L) == 2
        assert batches(world) == []
        letters.unlink(missing_ok=True)
        assert world.print_letters(run_id, letters) == {"accepted": 2}

    def test_a_store_that_fails_at_the_second_branch_keeps_the_first(self, world, letters):
        world.split_by_branch = True
        run_id = world.begin(by_post(1, branch="A"), by_post(2, branch="B"), by_post(3, branch="C"))
        with pytest.raises(LetterStoreUnavailable):
            world.print_letters(run_id, letters, store=FullDisk(letters, after=1))
        assert [view.branch for view in batches(world)] == ["A"]
        assert world.ledger.planned_count(run_id, L) == 2
        assert world.print_letters(run_id, letters) == {"accepted": 2}

    def test_a_run_without_letters_does_not_need_the_store(self, world, letters):
        letters.write_bytes(b"")
        run_id = world.begin(loan(1))
        assert world.print_letters(run_id, letters / "below a file") == {}


class TestSweeping:
    NOW = datetime.fromisoformat("2026-12-05T10:00:00+01:00")

    @pytest.mark.parametrize(
        ("name", "hours", "stays"),
        [
            ("letters-a1b2c3_4", 25, False),
            ("letters-a1b2c3_4", 23, True),
            ("letters-of-mine", 48, True),
            ("other-a1b2c3_4", 48, True),
        ],
    )
    def test_only_our_own_folders_of_yesterday_go(self, tmp_path, monkeypatch, name, hours, stays):
        import os
        import tempfile

        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        folder = tmp_path / name
        (folder / "root").mkdir(parents=True)
        (folder / "root" / "letters.pdf").write_bytes(b"x")
        when = (self.NOW - timedelta(hours=hours)).timestamp()
        os.utime(folder, (when, when))
        assert sweep_work_folders(self.NOW) == (not stays)
        assert folder.exists() == stays

    def test_a_link_is_not_followed(self, tmp_path, monkeypatch):
        import tempfile

        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        (tmp_path / "kept").mkdir()
        (tmp_path / "letters-a1b2c3d4").symlink_to(tmp_path / "kept")
        assert sweep_work_folders(self.NOW + timedelta(days=99999)) == 0
        assert (tmp_path / "kept").exists()
