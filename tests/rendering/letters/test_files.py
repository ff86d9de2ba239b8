"""The files of a batch: archivable, accessible, in volumes; what a bad logo, a full disk, a rare script do to them."""

from __future__ import annotations

import errno
import re
import shutil
import struct
import zlib
from datetime import date
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from loan_reminders.domain.errors import LetterStoreUnavailable, TemplateError
from loan_reminders.domain.letters.batches import EarlierReminder, EnvelopeWindow, LetterLayout, PrintedBatch
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.rendering.letters.facts import WINDOWS
from loan_reminders.rendering.letters.renderer import check_letter_templates
from loan_reminders.rendering.letters.tagged_pdf import TaggedVolume
from loan_reminders.rendering.templates import TEMPLATES_FOLDER
from tests.scenes.builders import a_delivery, a_library, a_loan, a_patron, an_address, some_loans, today_for
from tests.scenes.printed_letters import KINDS, a_letter, find_nothing_wrong, pages, printed, renderer, squeezed, words

MARKED = re.compile(rb"/MCID\s+(\d+)")


def a_batch(folder: Path, **changes: Any) -> PrintedBatch:
    letters = [a_letter(number, count=1 if number % 3 else 40) for number in range(1, 9)]
    return printed(folder, letters, by=renderer(chunk_size=3, **changes))


def numbers_of(node: Any) -> dict[int, Any]:
    """A number tree (ISO 32000-1, 7.9.7) as a dictionary."""
    found: dict[int, Any] = {}
    if "/Nums" in node:
        nums = list(node.Nums)
        found |= dict(zip(map(int, nums[::2]), nums[1::2], strict=True))
    for kid in node.get("/Kids", []):
        within = numbers_of(kid)
        assert [int(limit) for limit in kid.Limits] == [min(within), max(within)]
        found |= within
    return found


class TestTheStandards:
    def test_the_file_says_what_it_is(self, tmp_path: Path) -> None:
        (pdf,) = a_batch(tmp_path).pdfs
        with pikepdf.open(pdf) as file:
            assert file.Root.MarkInfo.Marked
            assert str(file.Root.Lang).startswith("fr")
            assert file.Root.ViewerPreferences.DisplayDocTitle
            assert file.Root.OutputIntents[0].S == "/GTS_PDFA1"
            assert "/DestOutputProfile" in file.Root.OutputIntents[0]
            xmp = file.Root.Metadata.read_bytes().decode()
            said = ("pdfaid:part>2<", "pdfaid:conformance>A<", "pdfuaid:part>1<", f"NPages>{len(file.pages)}<")
            assert [words_ for words_ in said if words_ not in xmp] == []
            assert str(file.docinfo["/Title"]) in xmp
            assert file.trailer.ID[0] == file.trailer.ID[1]

    def test_every_marked_content_of_every_page_has_its_element_in_the_tree(self, tmp_path: Path) -> None:
        batch = a_batch(tmp_path)
        with pikepdf.open(batch.pdfs[0]) as file:
            tree = file.Root.StructTreeRoot
            parents = numbers_of(tree.ParentTree)
            assert int(tree.ParentTreeNextKey) > max(parents)
            document = tree.K[0]
            children = {kid.objgen for kid in document.K}
            seen: set[int] = set()
            for page in file.pages:
                contents = page.obj.get("/Contents")
                marked = {int(number) for number in MARKED.findall(contents.read_bytes())} if contents else set()
                if not marked:
                    continue
                key = int(page.obj.StructParents)
                assert key not in seen
                seen.add(key)
                elements = parents[key]
                for number in marked:
                    element = elements[number]
                    assert element.Type == "/StructElem"
                    assert element.Pg.objgen == page.obj.objgen
                    assert number in [int(kid) for kid in element.K if isinstance(kid, int)]
                    while element.P.objgen != document.objgen:
                        element = element.P
                    assert element.objgen in children
            blank = sum(1 for page in file.pages if "/Contents" not in page.obj)
            assert len(seen) >= len(file.pages) - blank - sum(letter.pages % 2 for letter in batch.letters)

    def test_table_cells_name_headings_that_exist_once(self, tmp_path: Path) -> None:
        (pdf,) = a_batch(tmp_path).pdfs
        with pikepdf.open(pdf) as file:
            listed: list[str] = []
            for kid in file.Root.StructTreeRoot.IDTree.Kids:
                names = list(kid.Names)
                listed += map(str, names[::2])
                assert all(str(element.ID) == str(name) for name, element in zip(names[::2], names[1::2], strict=True))
            assert listed == sorted(set(listed))
            asked = {
                str(name)
                for element in file.objects
                if isinstance(element, pikepdf.Dictionary) and element.get("/S") == "/TD"
                for attributes in element.get("/A", [])
                for name in attributes.get("/Headers", [])
            }
            assert asked
            assert asked <= set(listed)

    def test_every_font_is_embedded(self, tmp_path: Path) -> None:
        letters = [a_letter(1, title="日本語 العربية עברית Русский")]
        (pdf,) = printed(tmp_path, letters).pdfs
        with pikepdf.open(pdf) as file:
            fonts = [one for one in file.objects if isinstance(one, pikepdf.Dictionary) and "/FontDescriptor" in one]
            assert len(fonts) >= 4
            assert all({"/FontFile2", "/FontFile3"} & set(font.FontDescriptor.keys()) for font in fonts)

    @pytest.mark.parametrize("stage", KINDS)
    def test_two_programs_find_nothing_wrong(self, tmp_path: Path, stage: Stage) -> None:
        (pdf,) = printed(tmp_path, [a_letter(1, stage=stage), a_letter(2, stage=stage, count=30)], stage=stage).pdfs
        find_nothing_wrong(pdf)


class TestVolumes:
    def test_a_batch_beyond_the_limit_is_several_files_each_counted_from_its_first_page(self, tmp_path: Path) -> None:
        batch = a_batch(tmp_path, layout=LetterLayout(letters_per_file=3))
        assert [letter.volume for letter in batch.letters] == [1, 1, 1, 2, 2, 2, 3, 3]
        lengths = []
        for number, pdf in enumerate(batch.pdfs, start=1):
            with pikepdf.open(pdf) as file:
                lengths.append(len(file.pages))
                with file.open_outline() as outline:
                    assert len(outline.root) == sum(letter.volume == number for letter in batch.letters)
        assert sum(lengths) == batch.pages
        texts = pages(batch)
        for letter in batch.letters:
            before = sum(lengths[: letter.volume - 1])
            assert letter.reference in texts[before + letter.first_page - 1]
            assert letter.reference in texts[before + letter.last_page - 1]

    @pytest.mark.parametrize("recto", [True, False])
    def test_a_letter_begins_on_the_front_of_a_sheet_when_asked(self, tmp_path: Path, recto: bool) -> None:
        batch = a_batch(tmp_path, layout=LetterLayout(recto_start=recto))
        starts = [letter.first_page for letter in batch.letters]
        assert all(start % 2 for start in starts) is recto
        if recto:
            printed_on = {page for letter in batch.letters for page in range(letter.first_page, letter.last_page + 1)}
            texts = pages(batch)
            blanks = [text for number, text in enumerate(texts, start=1) if number not in printed_on]
            assert blanks
            assert set(blanks) == {""}


class TestTheWindow:
    @pytest.mark.parametrize("window", EnvelopeWindow)
    @pytest.mark.parametrize("count", [3, 6])
    def test_the_address_stays_in_what_the_window_always_shows(
        self, tmp_path: Path, window: EnvelopeWindow, count: int
    ) -> None:
        lines = (*(f"LIGNE {number}" for number in range(1, count)), "06000 NICE")
        batch = printed(tmp_path, [a_letter(lines=lines)], by=renderer(layout=LetterLayout(window=window)))
        seen = [run for run in words(batch) if run[0] > 95 and 40 < run[1] < 82]
        assert squeezed("".join(text for *_, text in seen)) == squeezed("".join(lines))
        assert all(x >= 109.9 for x, *_ in seen)
        assert all(baseline - 0.75 * size / 72 * 25.4 >= WINDOWS[window] for _, baseline, size, _ in seen)
        assert all(baseline + 0.25 * size / 72 * 25.4 <= 79 for _, baseline, size, _ in seen)


class TestWords:
    def test_a_formal_notice_names_its_deadline_its_rules_its_signatory_and_the_reminders_before(
        self, tmp_path: Path
    ) -> None:
        stage = Stage.REGISTERED_LETTER
        layout = LetterLayout(
            deadline_days=21, rules_reference="l'article 12 du règlement", signature=("Pour la présidente,", "A. Leroy")
        )
        patron = a_patron(address=an_address("LECTEUR", "1 RUE C", "06000 NICE"))
        loans = (*some_loans(2, patron=patron), a_loan(patron=patron, loan_id="L9", price_text="NC"))
        earlier = (
            EarlierReminder(stage=Stage.FIRST_REMINDER, channel=Channel.LETTER, left_on=date(2026, 12, 4)),
            EarlierReminder(stage=Stage.OVERDUE_NOTICE, channel=Channel.EMAIL, left_on=date(2026, 11, 27)),
            EarlierReminder(stage=Stage.OVERDUE_NOTICE, channel=Channel.EMAIL, left_on=date(2026, 11, 27)),
        )
        by = renderer(layout=layout)
        delivery = a_delivery(channel=KINDS[stage], stage=stage, loans=loans)
        letter = by.letter(delivery, today=today_for(stage), earlier=earlier)
        assert letter.earlier == (
            "avis de retard par courriel le 27\u00a0novembre\u00a02026",
            "première relance par courrier le 4\u00a0décembre\u00a02026",
        )
        text = squeezed("".join(pages(printed(tmp_path, [letter], stage=stage, by=by)))).replace("’", "'")
        for said in (
            "délai de 21 jours", "l'article 12 du règlement", "Pour la présidente,", "A. Leroy", *letter.earlier,
            "Total des prix connus (un document est sans prix connu) : 70,00 €", "lundi-vendredi 8h-20h",
            "24 avenue des Diables Bleus",
        ):  # fmt: skip
            assert squeezed(said) in text, said

    def test_a_reference_outlives_the_day(self) -> None:
        delivery = a_delivery(channel=Channel.LETTER)
        by = renderer()
        first = by.letter(delivery, today=date(2026, 12, 4))
        assert by.letter(delivery, today=date(2026, 12, 9)).reference == first.reference

    def test_a_script_without_a_font_is_written_in_latin_letters(self, tmp_path: Path) -> None:
        batch = printed(tmp_path, [a_letter(1, lines=("தமிழ்", "1 RUE C", "06000 NICE")), a_letter(2)])
        assert (len(batch.letters), batch.set_aside) == (2, ())
        assert "TMIL1RUEC" in squeezed(pages(batch)[0])


def a_png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\x00" + b"\x80" * width) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


class TestTheLogo:
    @pytest.fixture
    def templates(self, tmp_path: Path) -> Path:
        return Path(shutil.copytree(TEMPLATES_FOLDER, tmp_path / "templates"))

    def test_it_is_drawn_once_a_letter_and_kept_once_a_file(self, tmp_path: Path, templates: Path) -> None:
        (templates / "_layouts/logo.png").write_bytes(a_png(600, 60))
        by = renderer(templates, layout=LetterLayout(logo="_layouts/logo.png"), chunk_size=1)
        (pdf,) = printed(tmp_path / "out", [a_letter(1), a_letter(2)], by=by).pdfs
        with pikepdf.open(pdf) as file:
            images = [
                one for one in file.objects if isinstance(one, pikepdf.Stream) and one.get("/Subtype") == "/Image"
            ]
            assert len(images) == 1
            figures = [
                one for one in file.objects if isinstance(one, pikepdf.Dictionary) and one.get("/S") == "/Figure"
            ]
            assert [str(figure.Alt) for figure in figures] == [f"Logo de {a_library().name}"] * 2

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (None, "n'existe pas"),
            (b"\x89PNG not really", "PNG ou JPEG lisible"),
            (b"\x89PNG\r\n\x1a\n" + b"\x00" * 8 + struct.pack(">II", 10_001, 5), "10001 × 5 pixels ; 10000 au plus"),
            (a_png(4, 4) + b"\x00" * 5 * 1024 * 1024, "5.0 Mo ; 5 Mo au plus"),
        ],
    )
    def test_a_bad_one_is_told_before_anything_is_laid_out(
        self, tmp_path: Path, templates: Path, content: bytes | None, said: str
    ) -> None:
        if content is not None:
            (templates / "_layouts/logo.png").write_bytes(content)
        layout = LetterLayout(logo="_layouts/logo.png")
        with pytest.raises(TemplateError, match=said):
            printed(tmp_path / "out", [a_letter()], by=renderer(templates, layout=layout))
        with pytest.raises(TemplateError, match=said):
            check_letter_templates(templates, library=a_library(), layout=layout, today=date(2026, 12, 4))


def test_the_delivered_templates_pass_their_check() -> None:
    check_letter_templates(TEMPLATES_FOLDER, library=a_library(), layout=LetterLayout(), today=date(2026, 12, 4))


def test_a_disk_full_while_binding_is_worth_another_try_and_leaves_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(TaggedVolume, "save", full)
    with pytest.raises(LetterStoreUnavailable, match="No space left"):
        printed(tmp_path, [a_letter()])
    assert list(tmp_path.iterdir()) == []
