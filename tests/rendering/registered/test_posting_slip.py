"""The posting slip of a batch of registered letters: a page that a PDF reader reads."""

from __future__ import annotations

import io
import shutil
import uuid
from datetime import date
from pathlib import Path
from typing import Any

import pypdf
import pytest

from loan_reminders.domain.errors import LettersNotPrinted, TemplateError
from loan_reminders.domain.letters.batches import PrintedLetter
from loan_reminders.domain.recipients import PostalAddress
from loan_reminders.rendering.registered.posting_slip import MAIN, posting_slip, town
from loan_reminders.rendering.templates import TEMPLATES_FOLDER
from tests.scenes.builders import a_library

TODAY = date(2026, 12, 17)


def a_line(number: int = 1, *lines: str, postcode: str = "06000") -> PrintedLetter:
    return PrintedLetter(
        delivery_id=uuid.UUID(int=number),
        reference=f"MD-{number:04d}",
        recipient=PostalAddress(
            lines=lines or (f"LECTEUR {number}", "12 RUE DES LILAS", "06000 NICE"), postcode=postcode
        ),
        first_page=2 * number - 1,
        pages=2,
    )


def slip(*letters: PrintedLetter, **changes: Any) -> bytes:
    values: dict[str, Any] = {
        "batch": "registered_letter-2026-12-17-7-1", "branch": "", "library": a_library(), "level": "R2",
        "today": TODAY, "templates": TEMPLATES_FOLDER,
    }  # fmt: skip
    return posting_slip(letters or (a_line(),), **{**values, **changes})


def text_of(pdf: bytes) -> str:
    with pypdf.PdfReader(io.BytesIO(pdf)) as reader:
        return " ".join(" ".join(page.extract_text().split()) for page in reader.pages)


def test_it_says_who_sends_what_to_whom_and_how() -> None:
    text = text_of(slip(a_line(1), a_line(2, "A B", "MUSTERSTRASSE 12", "10115 BERLIN", "ALLEMAGNE", postcode="10115")))
    for words in (
        "Bordereau de dépôt de lettres recommandées", "registered_letter-2026-12-17-7-1", "17 décembre 2026",
        "Bibliothèque universitaire de Démonstration", "1 avenue du Campus", "06000 NICE",
        "MD-0001", "LECTEUR 1", "MD-0002", "10115 BERLIN, ALLEMAGNE", "Total : 2 plis recommandés",
        "Timbre à date", "R2",
    ):  # fmt: skip
        assert words in text.replace("\u00a0", " "), words
    assert text.count("oui") == 3


def test_a_long_list_goes_on_over_several_pages_with_its_head_on_each() -> None:
    with pypdf.PdfReader(io.BytesIO(slip(*(a_line(number) for number in range(1, 61))))) as reader:
        pages = [page.extract_text() for page in reader.pages]
    assert len(pages) > 2
    assert sum("Destinataire" in page for page in pages) >= len(pages) - 1
    assert "MD-0060" in "".join(pages)


def test_the_same_letters_give_the_same_bytes() -> None:
    assert slip() == slip()


@pytest.mark.parametrize("name", ['#panic("x")', "$x^2$ [_] *", '"); #sys', "李明 Zoë\u200d"])
def test_a_name_is_never_markup(name: str) -> None:
    assert "MD-0001" in text_of(slip(a_line(1, name, "12 RUE DES LILAS", "06000 NICE")))


def test_the_branch_is_named_when_the_batch_is_one_branchs() -> None:
    assert "BU Sciences Valrose" in text_of(slip(branch="BU Sciences Valrose"))
    assert "Bibliothèque :" not in text_of(slip()).replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("template", "error"),
    [('#panic("non")', LettersNotPrinted), ('#import "@preview/x:1.0.0": y', TemplateError), (None, LettersNotPrinted)],
)
def test_a_template_that_cannot_be_used_is_told(tmp_path: Path, template: str | None, error: type[Exception]) -> None:
    shutil.copytree(TEMPLATES_FOLDER / "_layouts", tmp_path / "_layouts")
    if template is None:
        (tmp_path / MAIN).unlink()
    else:
        (tmp_path / MAIN).write_text(template, encoding="utf-8")
    with pytest.raises(error, match=r"posting_slip\.typ"):
        slip(templates=tmp_path)


def test_a_template_that_never_ends_is_stopped(tmp_path: Path) -> None:
    shutil.copytree(TEMPLATES_FOLDER / "_layouts", tmp_path / "_layouts")
    (tmp_path / MAIN).write_text("#let f(n) = { while n != -1 { n += 1 } }\n#f(0)", encoding="utf-8")
    with pytest.raises(LettersNotPrinted):
        slip(templates=tmp_path, timeout_s=2)


def test_towns() -> None:
    assert town(a_line().recipient) == "06000 NICE"
    assert town(PostalAddress(lines=("A", "ATLANTIS", "ATLANTIDE"), postcode="")) == "ATLANTIS, ATLANTIDE"
