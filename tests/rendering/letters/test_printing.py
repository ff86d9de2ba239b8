"""Letters on paper: the real page engine, the delivered templates and fonts, and what a PDF reader finds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pypdf
import pytest
from fontTools.ttLib import TTFont

from loan_reminders.domain.messages import RenderedLetter
from loan_reminders.domain.stages import Stage
from loan_reminders.rendering.letters.fonts import FONTS_FOLDER
from tests.scenes.builders import a_library, today_for
from tests.scenes.printed_letters import KINDS, MM, a_letter, pages, printed, renderer, squeezed, words


class TestWhatIsPrinted:
    @pytest.mark.parametrize("stage", KINDS)
    def test_every_fact_of_the_letter_is_on_its_page(self, tmp_path: Path, stage: Stage) -> None:
        letter = a_letter(stage=stage, count=2)
        batch = printed(tmp_path, [letter], stage=stage)
        text = squeezed("".join(pages(batch)))
        facts = [letter.reference, letter.patron_name, letter.patron_barcode, letter.due_date, *letter.recipient.lines]
        for line in letter.lines:
            facts += [line.title, line.author, line.call_number, line.branch, line.item_barcode, line.due_date]
            facts.append(line.price)
        library = a_library()
        facts += [library.name, *library.address_lines, library.phone, library.email]
        assert [fact for fact in facts if squeezed(fact) not in text] == []
        assert "Nice,le" in text
        assert "page1/1" in text

    def test_the_registered_letter_says_what_it_must(self, tmp_path: Path) -> None:
        batch = printed(tmp_path, [a_letter(stage=Stage.REGISTERED_LETTER)], stage=Stage.REGISTERED_LETTER)
        text = squeezed("".join(pages(batch)))
        for words_ in (
            "LETTRE RECOMMANDÉE AVEC AVIS DE RÉCEPTION",
            "mise en demeure",
            "15 jours à compter de la réception",
            "exemplaire identique",
            "rembourser le prix",
            "Votre droit d’emprunter est suspendu",
            "titre de recettes",
            "agent comptable",
            "entre-temps",
            "contestation",
            "l'ordonnateur de l'établissement",
            "n'est pas ce titre",
            "ceux de l'achat",
            "vous opposer à leur traitement",
        ):
            assert squeezed(words_).replace("'", "’") in text.replace("'", "’"), words_

    @pytest.mark.parametrize(("count", "said"), [(1, "Le document ci-dessous"), (2, "Les documents ci-dessous")])
    def test_words_agree_with_the_number_of_documents(self, tmp_path: Path, count: int, said: str) -> None:
        batch = printed(tmp_path, [a_letter(stage=Stage.SECOND_REMINDER, count=count)], stage=Stage.SECOND_REMINDER)
        assert squeezed(said) in squeezed(pages(batch)[0])

    @pytest.mark.parametrize(
        "title",
        [
            '#panic("x") #read("/etc/passwd")',
            "$x^2$ *gras* _italique_ `code` = Titre",
            "@ref <label> https://example.org // comment",
            "\\ #{ } [ ] ~ -- ''",
            "{{ patron }} {% raw %}",
        ],
    )
    def test_data_is_never_markup(self, tmp_path: Path, title: str) -> None:
        batch = printed(tmp_path, [a_letter(title=title)])
        assert squeezed(title) in squeezed(pages(batch)[0])

    @pytest.mark.parametrize("title", ["日本語の本", "中国经济史", "한국어 책", "Русский язык", "Ελληνικά", "→ ≤ ∞"])
    def test_other_scripts_are_drawn(self, tmp_path: Path, title: str) -> None:
        assert squeezed(title) in squeezed(pages(printed(tmp_path, [a_letter(title=title)]))[0])

    @pytest.mark.parametrize("title", ["مقدمة في الاقتصاد", "ספר עברי", "หนังสือ", "हिन्दी", "a😀b"])
    def test_no_script_stops_the_batch(self, tmp_path: Path, title: str) -> None:
        batch = printed(tmp_path, [a_letter(1, title=title), a_letter(2)])
        assert (len(batch.letters), batch.set_aside) == (2, ())

    def test_a_title_without_a_space_stays_in_its_column(self, tmp_path: Path) -> None:
        batch = printed(tmp_path, [a_letter(title="W" * 500, item_barcode="1" * 40, call_number="Q" * 60)])
        widths = _advances()
        for x, _, size, text in words(batch):
            if set(text) == {"W"}:
                assert x + sum(widths[c] for c in text) * size / MM < 85

    def test_sixty_documents_take_the_pages_they_need_with_the_heading_on_each(self, tmp_path: Path) -> None:
        batch = printed(tmp_path, [a_letter(1), a_letter(2, count=60), a_letter(3)])
        texts = [squeezed(page) for page in pages(batch)]
        long = batch.letters[1]
        assert long.pages >= 3
        assert [(letter.first_page, letter.last_page) for letter in batch.letters] == [
            (1, 1),
            (3, long.last_page),
            (long.last_page + 1 + long.last_page % 2, long.last_page + 1 + long.last_page % 2),
        ]
        assert batch.pages == len(texts) == batch.letters[2].last_page
        assert texts[1] == ""
        for number, text in enumerate(texts[2 : long.last_page], start=1):
            assert f"page{number}/{long.pages}" in text
            assert long.reference in text
            if "Titren°" in text:
                assert "Code-barres" in text
        assert sum(text.count("Titren°") for text in texts[2 : long.last_page]) == 60


def _advances() -> dict[str, float]:
    with (FONTS_FOLDER / "NotoSans-Regular.ttf").open("rb") as file, TTFont(file, lazy=True) as font:
        glyphs, metrics, unit = font.getBestCmap(), font["hmtx"], font["head"].unitsPerEm
        return {chr(code): metrics[glyph][0] / unit for code, glyph in glyphs.items() if code < 0x250}


class TestTheEnvelope:
    """Mm from the sheet's top left corner; seen whatever way the sheet slips: x 110 to 190, y 55 to 79."""

    @pytest.mark.parametrize("stage", KINDS)
    @pytest.mark.parametrize(
        "lines",
        [
            ("A B", "1 RUE C", "06000 NICE"),
            ("CAMILLE MARTIN", "APT 12", "BAT C", "122 AVENUE DU GENERAL DE GAULLE", "BP 12", "06103 NICE CEDEX 2"),
            ("W" * 38, "1 RUE C", "06000 NICE"),
        ],
    )
    def test_the_address_and_nothing_else_is_seen_through_the_window(
        self, tmp_path: Path, stage: Stage, lines: tuple[str, ...]
    ) -> None:
        batch = printed(tmp_path, [a_letter(stage=stage, lines=lines)], stage=stage)
        advances = _advances()
        seen = [run for run in words(batch) if run[0] > 95 and 40 < run[1] < 82]
        assert squeezed("".join(text for *_, text in seen)) == squeezed("".join(lines))
        for x, baseline, size, text in seen:
            assert x >= 109.9
            assert x + sum(advances[character] for character in text) * size / MM <= 190.1
            assert baseline - size / MM >= 52
            assert baseline + 0.25 * size / MM <= 79
        baselines = sorted({round(baseline, 2) for _, baseline, _, _ in seen})
        pitches = [low - high for high, low in pairwise(baselines)]
        assert all(abs(pitch - 4.0) < 0.05 for pitch in pitches)
        assert abs(baselines[-1] - 77) < 1

    @pytest.mark.parametrize("stage", KINDS)
    def test_the_text_starts_below_the_fold(self, tmp_path: Path, stage: Stage) -> None:
        batch = printed(tmp_path, [a_letter(stage=stage)], stage=stage)
        assert all(baseline > 100 for x, baseline, _, _ in words(batch) if baseline > 95)
        assert all(x < 92 for x, baseline, _, _ in words(batch) if baseline < 40)


class TestTheFile:
    def test_the_same_letters_on_the_same_day_give_the_same_bytes(self, tmp_path: Path) -> None:
        letters = [a_letter(number) for number in range(1, 8)]
        (first,) = printed(tmp_path / "a", letters, by=renderer(chunk_size=3, workers=2)).pdfs
        (second,) = printed(tmp_path / "b", letters, by=renderer(chunk_size=3, workers=1)).pdfs
        (other_day,) = printed(tmp_path / "c", letters, today=date(2026, 12, 5), by=renderer(chunk_size=3)).pdfs
        assert first.read_bytes() == second.read_bytes()
        assert first.read_bytes() != other_day.read_bytes()

    def test_chunks_are_one_file_with_a_bookmark_a_reader_at_the_letters_first_page(self, tmp_path: Path) -> None:
        letters = [a_letter(number, count=1 if number % 2 else 30) for number in range(1, 8)]
        batch = printed(tmp_path, letters, by=renderer(chunk_size=2))
        with pypdf.PdfReader(batch.pdfs[0]) as reader:
            found = [(mark.title, reader.get_destination_page_number(mark)) for mark in reader.outline]
            assert len(reader.pages) == batch.pages
            assert reader.metadata is not None
            assert reader.metadata.title == "Première relance — 4\u00a0décembre\u00a02026"
        assert found == [
            (f"Lecteur {number} — {place.reference}", place.first_page - 1)
            for number, place in enumerate(batch.letters, start=1)
        ]
        texts = pages(batch)
        for letter, place in zip(letters, batch.letters, strict=True):
            assert place.delivery_id == letter.delivery_id
            for page in range(place.first_page, place.last_page + 1):
                assert letter.reference in texts[page - 1]

    def test_nothing_of_the_work_is_left_behind(self, tmp_path: Path) -> None:
        batch = printed(tmp_path, [a_letter()])
        assert [path for path in tmp_path.rglob("*") if path.is_file()] == list(batch.pdfs)

    def test_only_a_few_chunks_are_read_ahead(self, tmp_path: Path) -> None:
        ahead: list[int] = []
        drawn = renderer(chunk_size=1, workers=1)
        real = drawn._done

        def count(*arguments: Any) -> Any:
            ahead.append(read)
            return real(*arguments)

        read = 0

        def letters() -> Iterator[RenderedLetter]:
            nonlocal read
            for number in range(1, 7):
                read = number
                yield a_letter(number)

        drawn._done = count  # type: ignore[method-assign]
        printed(tmp_path, letters(), by=drawn)
        assert ahead[0] == 2


@pytest.mark.parametrize("stage", KINDS)
def test_the_delivered_templates_are_sound(stage: Stage) -> None:
    renderer().check(stage=stage, kind=KINDS[stage], today=today_for(stage))
