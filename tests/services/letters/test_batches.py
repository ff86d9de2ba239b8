"""Batches of letters: whose go together and in which order, and what is beside them."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState
from loan_reminders.rendering.letters.renderer import LetterRenderer
from loan_reminders.services.letters.batches import branch_of, posting_order
from tests.scenes.builders import a_delivery, a_library, a_loan
from tests.scenes.letter_readers import batches, by_post, held
from tests.scenes.outside import MemoryPrinter, Outside
from tests.scenes.world import DUE

pytestmark = pytest.mark.usefixtures("printer")

S = DeliveryState
L, R = Channel.LETTER, Channel.REGISTERED_LETTER


def listed(folder: Path) -> list[dict[str, str]]:
    content = (folder / "destinataires.csv").read_text(encoding="utf-8-sig")
    return list(csv.DictReader(io.StringIO(content, newline=""), delimiter=";"))


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
                LetterRenderer(library=a_library(), templates_folder=Path(), workers=1).letter(
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


@pytest.mark.parametrize(("printed", "found"), [(True, [(Stage.FIRST_REMINDER, L)]), (False, [])])
def test_a_letter_names_the_earlier_ones_that_somebody_printed(world, tmp_path, printed, found):
    told = []

    class Witness(MemoryPrinter):
        def letter(self, delivery, *, today, earlier=()):
            told.append([(one.stage, one.channel) for one in earlier])
            return super().letter(delivery, today=today, earlier=earlier)

    world.stage, world.today = Stage.FIRST_REMINDER, DUE + timedelta(days=8)
    world.print_letters(world.begin(by_post(1)), tmp_path / "letters")
    if printed:
        world.ledger.letters().mark_printed(batches(world)[0].batch_id, who="zoé")
    world.stage, world.today = Stage.SECOND_REMINDER, DUE + timedelta(days=15)
    world.printer = Witness(Outside())
    world.print_letters(world.begin(by_post(1)), tmp_path / "letters")
    assert told == [found]


def test_a_layout_of_several_volumes_is_recorded_volume_by_volume(world, letters):
    class TwoVolumes(MemoryPrinter):
        def print_batch(self, letters, *, folder, **kwargs):
            printed = super().print_batch(letters, folder=folder, **kwargs)
            second = folder / "letters-2.pdf"
            second.write_bytes(b"x")
            placed = tuple(
                replace(letter, volume=number, first_page=1) for number, letter in enumerate(printed.letters, 1)
            )
            return replace(printed, pdfs=(*printed.pdfs, second), letters=placed)

    world.printer = TwoVolumes(Outside())
    run_id = world.begin(by_post(1), by_post(2))
    world.print_letters(run_id, letters)
    (view,) = batches(world)
    assert view.pdfs == (f"{view.name}/lettres-1.pdf", f"{view.name}/lettres-2.pdf")
    assert view.csv == f"{view.name}/destinataires.csv"
    assert [letter.volume for letter in world.ledger.letters().letters_of(view.batch_id)] == [1, 2]
    assert [row["fichier"] for row in listed(letters / view.name)] == ["lettres-1.pdf", "lettres-2.pdf"]
