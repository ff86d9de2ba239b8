"""Batches of letters: whose go together and in which order, and that a closed batch never changes nor doubles."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from unittest import mock

import pytest

from loan_reminders.domain.errors import LedgerUnavailable, LetterStoreUnavailable
from loan_reminders.domain.letters import LetterLayout
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState, Refusal
from loan_reminders.gateways.letter_store import FolderLetterStore
from loan_reminders.rendering import letters as rendering
from loan_reminders.services.letter_batches import branch_of, posting_order, sweep_work_folders
from tests.builders import a_delivery, a_library, a_loan, an_address
from tests.orchestration.outside import Killed, MemoryPress, Outside
from tests.orchestration.world import DUE, loan, reader

S = DeliveryState
L, R = Channel.LETTER, Channel.REGISTERED_LETTER


@pytest.fixture(autouse=True)
def press():
    """Pages that only name their deliveries: what is tried here is which letters go where."""
    with mock.patch.object(rendering, "LetterRenderer", partial(MemoryPress, Outside())):
        yield


@pytest.fixture
def letters(world, tmp_path):
    """The world at the first reminder, where readers without e-mail get letters."""
    world.stage, world.today = Stage.FIRST_REMINDER, DUE + timedelta(days=8)
    return tmp_path / "letters"


def by_post(number, *lines, postcode="06000", **changes):
    address = an_address(*(lines or (f"LECTEUR {number}", "1 RUE A", "06000 NICE")), postcode=postcode)
    patron = reader(number, name=f"Lecteur {number}", email=Refusal.MISSING, address=address)
    return loan(number, patron=patron, **changes)


def listed(folder: Path) -> list[dict[str, str]]:
    content = (folder / "destinataires.csv").read_text(encoding="utf-8-sig")
    return list(csv.DictReader(io.StringIO(content, newline=""), delimiter=";"))


def batches(world):
    return sorted(world.ledger.letters().batches(), key=lambda view: view.batch_id)


def held(world, view):
    return [letter.patron_id for letter in world.ledger.letters().letters_of(view.batch_id)]


class TestOrder:
    def test_letters_go_by_postcode_then_country_then_name(self, world, letters):
        run_id = world.begin(
            by_post(1, "A", "1 RUE A", "75005 PARIS", postcode="75005"),
            by_post(2, "B", "STRASSE 1", "10115 BERLIN", "ALLEMAGNE", postcode="10115"),
            by_post(3, "C", "1 RUE A", "06000 NICE"),
            by_post(4, "D", "RUE 1", "1000 BRUXELLES", "BELGIQUE", postcode="1000"),
            by_post(5, "E", "1 RUE A", "06000 NICE"),
            by_post(6, "F", "STRASSE 1", "01067 DRESDEN", "ALLEMAGNE", postcode="01067"),
        )
        world.print_letters(run_id, letters)
        (view,) = batches(world)
        assert held(world, view) == ["P3", "P5", "P1", "P6", "P2", "P4"]
        rows = listed(letters / view.name)
        assert [row["ligne1"] for row in rows] == ["C", "E", "A", "F", "B", "D"]
        assert [row["page_debut"] for row in rows] == ["1", "2", "3", "4", "5", "6"]
        assert view.pdfs == (f"{view.name}/lettres.pdf",)
        assert view.slip == ""

    def test_names_are_sorted_without_their_accents(self):
        def named(name):
            return replace(
                rendering.LetterRenderer(library=a_library(), templates_folder=Path(), workers=1).letter(
                    a_delivery(channel=L), today=date(2026, 12, 4)
                ),
                patron_name=name,
            )

        names = ["Zoé", "Éric", "eve", "Eva"]
        assert sorted(names, key=lambda name: posting_order(named(name))) == ["Éric", "Eva", "eve", "Zoé"]


class TestBranches:
    @pytest.mark.parametrize(
        ("branches", "found"),
        [
            (("VALROSE", "SJA", "VALROSE"), "VALROSE"),
            (("VALROSE", "SJA"), "SJA"),
            (("inconnue",), "inconnue"),
        ],
    )
    def test_a_letter_is_of_the_branch_with_most_of_its_loans(self, branches, found):
        loans = tuple(a_loan(loan_id=str(number), branch=code) for number, code in enumerate(branches))
        assert branch_of(a_delivery(channel=L, loans=loans), a_library()) == found

    def test_each_branch_has_its_batch_when_the_library_says_so(self, world, letters):
        world.split_by_branch = True
        codes = {1: "B", 2: "A", 3: "B"}
        run_id = world.begin(*(by_post(number, branch=code) for number, code in codes.items()))
        assert world.print_letters(run_id, letters) == {"accepted": 3}
        assert [(view.branch, held(world, view)) for view in batches(world)] == [("A", ["P2"]), ("B", ["P1", "P3"])]
        assert len({view.name for view in batches(world)}) == 2
        assert all((letters / view.pdfs[0]).exists() for view in batches(world))

    def test_otherwise_one_batch_holds_them_all(self, world, letters):
        run_id = world.begin(by_post(1, branch="B"), by_post(2, branch="A"))
        world.print_letters(run_id, letters)
        (view,) = batches(world)
        assert (view.branch, view.letters) == ("", 2)

    def test_a_dry_run_shows_each_branch_and_records_none(self, world, letters):
        world.split_by_branch = True
        run_id = world.begin(by_post(1, branch="B"), by_post(2, branch="A"), dry_run=True)
        assert world.print_letters(run_id, letters) == {"cancelled": 2}
        assert len(list(letters.glob("essai-a-blanc/*/lettres.pdf"))) == 2
        assert batches(world) == []


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
        with world.ledger.sender(run_id, L), pytest.raises(LedgerUnavailable, match="imprime déjà"):
            world.print_letters(run_id, letters)
        assert world.print_letters(run_id, letters) == {"accepted": 2}
        assert len(list(letters.iterdir())) == 1


class KilledAfterStoring(FolderLetterStore):
    """The process dies between the folder and the ledger, at the batch of this number."""

    def __init__(self, root, at=1):
        super().__init__(root)
        self.left = at

    def store(self, name, files, *, replace=False):
        stored = super().store(name, files, replace=replace)
        self.left -= 1
        if not self.left:
            raise Killed
        return stored


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


class FullDisk(FolderLetterStore):
    """A store without room left after some batches."""

    def __init__(self, root, after=0):
        super().__init__(root)
        self.left = after

    def store(self, name, files, *, replace=False):
        self.left -= 1
        if self.left < 0:
            raise LetterStoreUnavailable("No space left on device")
        return super().store(name, files, replace=replace)


def test_registered_letters_have_their_posting_slip_and_are_followed(world, tmp_path):
    world.stage, world.today = Stage.REGISTERED_LETTER, DUE + timedelta(days=21)
    run_id = world.begin(by_post(1), by_post(2))
    assert world.print_letters(run_id, tmp_path / "letters") == {"accepted": 2}
    (view,) = batches(world)
    assert view.slip == f"{view.name}/bordereau-de-depot.pdf"
    assert (tmp_path / "letters" / view.slip).read_bytes().startswith(b"%PDF")
    with world.ledger.engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT state FROM registered_letters").scalars().all()
    assert found == ["to_print", "to_print"]


def test_earlier_reminders_reach_the_letter(world, tmp_path):
    told = []

    class Press(MemoryPress):
        def letter(self, delivery, *, today, earlier=()):
            told.append([(one.stage, one.channel) for one in earlier])
            return super().letter(delivery, today=today, earlier=earlier)

    world.stage, world.today = Stage.FIRST_REMINDER, DUE + timedelta(days=8)
    world.print_letters(world.begin(by_post(1)), tmp_path / "letters")
    world.stage, world.today = Stage.SECOND_REMINDER, DUE + timedelta(days=15)
    with mock.patch.object(rendering, "LetterRenderer", partial(Press, Outside())):
        world.print_letters(world.begin(by_post(1)), tmp_path / "letters")
    assert told == [[(Stage.FIRST_REMINDER, L)]]


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


def test_a_layout_of_several_volumes_is_recorded_volume_by_volume(world, letters):
    class TwoVolumes(MemoryPress):
        def print_batch(self, letters, *, folder, **kwargs):
            printed = super().print_batch(letters, folder=folder, **kwargs)
            second = folder / "letters-2.pdf"
            second.write_bytes(b"x")
            placed = tuple(
                replace(letter, volume=number, first_page=1) for number, letter in enumerate(printed.letters, 1)
            )
            return replace(printed, pdfs=(*printed.pdfs, second), letters=placed)

    world.layout = LetterLayout(letters_per_file=1)
    run_id = world.begin(by_post(1), by_post(2))
    with mock.patch.object(rendering, "LetterRenderer", partial(TwoVolumes, Outside())):
        world.print_letters(run_id, letters)
    (view,) = batches(world)
    assert view.pdfs == (f"{view.name}/lettres-1.pdf", f"{view.name}/lettres-2.pdf")
    assert view.csv == f"{view.name}/destinataires.csv"
    assert [letter.volume for letter in world.ledger.letters().letters_of(view.batch_id)] == [1, 2]
    assert [row["fichier"] for row in listed(letters / view.name)] == ["lettres-1.pdf", "lettres-2.pdf"]
