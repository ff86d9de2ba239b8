"""What SMS do on one side of paper: whatever was found, one page that a PDF reader reads."""

from __future__ import annotations

import io
import shutil

import pypdf
import pytest

from loan_reminders.domain.errors import LettersNotPrinted, TemplateError
from loan_reminders.domain.statistics.effect import Change, Findings, Verdict
from loan_reminders.rendering.statistics.effect_sheet import MAIN, effect_sheet
from loan_reminders.rendering.templates import TEMPLATES_FOLDER
from tests.scenes.builders import a_library
from tests.scenes.findings import DAY, a_trial, some_findings

LITTLE = Findings(day=DAY, change=Change(verdict=Verdict.NO_DAY))


def sheet(findings, **changes):
    return effect_sheet(findings, **{"library": a_library(), "templates": TEMPLATES_FOLDER, **changes})


def read(pdf):
    with pypdf.PdfReader(io.BytesIO(pdf)) as reader:
        return [" ".join(page.extract_text().split()) for page in reader.pages]


@pytest.mark.parametrize("change", ["", "#let broken = "])
def test_a_template_that_is_missing_or_broken_is_told_by_its_name(tmp_path, change):
    templates = tmp_path / "templates"
    shutil.copytree(TEMPLATES_FOLDER, templates)
    if change:
        (templates / MAIN).write_text(change, encoding="utf-8")
    else:
        (templates / MAIN).unlink()
    with pytest.raises((LettersNotPrinted, TemplateError), match=r"effect_sheet\.typ"):
        sheet(some_findings(), templates=templates)


@pytest.mark.parametrize("findings", [LITTLE, some_findings(), some_findings(trials=(a_trial(), a_trial(), a_trial()))])
def test_it_is_one_side_however_much_was_found(findings):
    assert len(read(sheet(findings))) == 1


def test_it_says_the_sentences_and_the_figures():
    [text] = read(sheet(some_findings()))
    text = text.replace("\N{NO-BREAK SPACE}", " ")
    for words in (
        "Effet des SMS de relance", "mardi 1er juin 2027", "C'est un effet des SMS", "a diminué de 6,2 points",
        "56,0 % (53,0 à 59,0)", "+7,4 (4,4 à 10,4)", "avis de retard, avec SMS", "900",
    ):  # fmt: skip
        assert words in text, words


def test_the_same_findings_give_the_same_bytes():
    assert sheet(some_findings()) == sheet(some_findings())


def test_it_is_for_keeping_and_for_reading_aloud():
    with pypdf.PdfReader(io.BytesIO(sheet(some_findings()))) as reader:
        xmp = reader.xmp_metadata
        assert xmp is not None
        said = xmp.stream.get_data().decode()
        assert reader.trailer["/Root"]["/Lang"].startswith("fr")
    for norm in ("pdfaid:part", "pdfuaid:part"):
        assert norm in said
