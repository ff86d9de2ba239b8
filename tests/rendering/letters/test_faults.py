"""Letters that cannot be printed: bad data, bad templates, a page engine that dies or never ends, a full disk."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from loan_reminders.domain.errors import LettersNotPrinted, LetterStoreUnavailable, TemplateError
from loan_reminders.domain.letters.batches import PrintedBatch
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import Reason
from loan_reminders.rendering.templates import TEMPLATES_FOLDER
from tests.scenes.builders import today_for
from tests.scenes.printed_letters import a_letter, pages, printed, renderer


@pytest.fixture
def own_templates(tmp_path: Path) -> Path:
    folder = tmp_path / "templates"
    for part in ("_layouts", "first_reminder/letter"):
        shutil.copytree(TEMPLATES_FOLDER / part, folder / part, ignore=shutil.ignore_patterns("email"))
    return folder


def say(templates: Path, text: str) -> None:
    (templates / "first_reminder/letter/letter.typ").write_text(text, encoding="utf-8")


ONE_WRONG_FACT = """#import "/_layouts/letter.typ": *

#letters(subject: letter => [x], words: letter => letter.nothing)"""


class TestWhatGoesWrong:
    def test_no_letter_is_no_file(self, tmp_path: Path) -> None:
        assert printed(tmp_path, []) == PrintedBatch(pdfs=(), letters=(), set_aside=())

    def test_an_address_that_cannot_be_written_sets_its_letter_aside(self, tmp_path: Path) -> None:
        letters = [a_letter(1), a_letter(2, lines=("😀", "1 RUE C", "06000 NICE")), a_letter(3)]
        batch = printed(tmp_path, letters)
        assert batch.set_aside == ((letters[1].delivery_id, Reason.NOT_RENDERED),)
        assert [letter.delivery_id for letter in batch.letters] == [letters[0].delivery_id, letters[2].delivery_id]

    def test_letters_that_the_template_refuses_are_set_aside_and_the_others_printed(
        self, tmp_path: Path, own_templates: Path
    ) -> None:
        words_ = (own_templates / "first_reminder/letter/letter.typ").read_text(encoding="utf-8")
        check = '#for letter in facts.letters { assert(letter.name != "Lecteur 3" and letter.name != "Lecteur 4") }\n'
        say(own_templates, words_.replace("#letters(", check + "#letters(", 1))
        letters = [a_letter(number) for number in range(1, 8)]
        batch = printed(tmp_path / "out", letters, by=renderer(own_templates, chunk_size=5))
        assert dict(batch.set_aside) == {
            letters[2].delivery_id: Reason.NOT_RENDERED,
            letters[3].delivery_id: Reason.NOT_RENDERED,
        }
        expected = [letter for number, letter in enumerate(letters, start=1) if number not in {3, 4}]
        assert [letter.reference for letter in batch.letters] == [letter.reference for letter in expected]
        for text, letter in zip(pages(batch)[::2], expected, strict=True):
            assert letter.reference in text

    def test_a_batch_of_bad_letters_only_is_no_file(self, tmp_path: Path) -> None:
        letters = [a_letter(number, lines=("😀", "1 RUE C", "06000 NICE")) for number in (1, 2)]
        batch = printed(tmp_path, letters)
        assert (batch.pdfs, batch.letters, len(batch.set_aside), batch.pages) == ((), (), 2, 0)

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("#let x = (\n", r"first_reminder/letter/letter\.typ, ligne 1 : Typst répond"),
            ("\n\n#nobody-defined-this", r"first_reminder/letter/letter\.typ, ligne 3 : Typst .* « unknown variable"),
            (ONE_WRONG_FACT, "ligne 3 : "),
            ('#import "/_layouts/none.typ": *', "ligne 1 : Typst répond « file not found"),
            ('#import "/../secret.typ": *', "ligne 1 : "),
            ("Rien pour personne", "un début et une fin"),
            ('Bonjour\n#eval("1 + 1")', r"first_reminder/letter/letter\.typ, ligne 2 : eval est interdit"),
            ('#import "@preview/cetz:0.3.0"', "ligne 1 : les paquets sont interdits"),
        ],
    )
    def test_a_wrong_template_is_named_with_its_line(
        self, tmp_path: Path, own_templates: Path, text: str, said: str
    ) -> None:
        say(own_templates, text)
        with pytest.raises(TemplateError, match=said) as caught:
            printed(tmp_path / "out", [a_letter()], by=renderer(own_templates))
        assert "Lecteur 1" not in str(caught.value)
        assert str(caught.value).startswith("first_reminder/letter/letter.typ")
        with pytest.raises(TemplateError, match=said):
            renderer(own_templates).check(
                stage=Stage.FIRST_REMINDER, kind=Channel.LETTER, today=today_for(Stage.FIRST_REMINDER)
            )

    def test_a_stage_without_letter_templates_is_named(self, tmp_path: Path, own_templates: Path) -> None:
        with pytest.raises(TemplateError, match="second_reminder/letter : ce dossier de modèles"):
            printed(tmp_path / "out", [a_letter()], stage=Stage.SECOND_REMINDER, by=renderer(own_templates))

    def test_a_template_that_is_not_text_is_named(self, tmp_path: Path, own_templates: Path) -> None:
        (own_templates / "first_reminder/letter/letter.typ").write_bytes(b"Rel\xe9ance")
        with pytest.raises(TemplateError, match=r"letter\.typ : ce modèle n'est pas en UTF-8"):
            printed(tmp_path / "out", [a_letter()], by=renderer(own_templates))

    def test_a_template_that_never_ends_is_stopped(self, tmp_path: Path, own_templates: Path) -> None:
        say(own_templates, "#for a in range(100000) { for b in range(100000) { a = b } }")
        with pytest.raises(LettersNotPrinted, match="pas de réponse en 1 s"):
            printed(tmp_path / "out", [a_letter()], by=renderer(own_templates, timeout_s=1))
        assert list((tmp_path / "out").iterdir()) == []

    def test_a_template_reads_nothing_outside_its_own_folders(self, tmp_path: Path, own_templates: Path) -> None:
        (own_templates / "courtesy_notice").mkdir()
        (own_templates / "courtesy_notice" / "words.txt").write_text("secret", encoding="utf-8")
        say(own_templates, '#read("/courtesy_notice/words.txt")')
        with pytest.raises(TemplateError, match="file not found"):
            printed(tmp_path / "out", [a_letter()], by=renderer(own_templates))

    def test_a_disk_that_refuses_the_pages_is_worth_another_try(self, tmp_path: Path) -> None:
        letter_renderer = renderer()
        compiler = letter_renderer._compiler(
            Stage.FIRST_REMINDER, Channel.LETTER, today_for(Stage.FIRST_REMINDER), tmp_path / "scratch"
        )
        shutil.move(tmp_path / "scratch" / "root", tmp_path / "root")
        (tmp_path / "scratch").rmdir()
        (tmp_path / "scratch").write_text("a file where the folder was", encoding="utf-8")
        compiler._root = tmp_path / "root"
        with pytest.raises(LetterStoreUnavailable, match="dossier temporaire des lettres"), compiler:
            compiler.check("check")

    def test_a_page_engine_that_dies_is_not_taken_for_a_fault_of_the_letters(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "executable", shutil.which("false"))
        with pytest.raises(LettersNotPrinted, match="arrêté avec le code 1"):
            printed(tmp_path, [a_letter()])

    def test_a_page_engine_that_says_nothing_is_not_taken_for_a_success(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "executable", shutil.which("true"))
        with pytest.raises(LettersNotPrinted, match="rien répondu"):
            printed(tmp_path, [a_letter()])
