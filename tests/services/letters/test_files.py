"""The files of a batch without some of its letters: no page of theirs, and each letter on the front of a sheet."""

from __future__ import annotations

import io
import itertools
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pikepdf
import pypdf
import pytest

from loan_reminders.domain.letters.batch_list import LetterPlace
from loan_reminders.domain.letters.batches import BatchLetter, BatchState, BatchView, LetterLayout
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import Reason
from loan_reminders.gateways.letters.letter_store import FolderLetterStore
from loan_reminders.rendering.letters.copies import Stamp
from loan_reminders.services.letters import files
from loan_reminders.services.letters.preview_pages import preview_pages
from tests.scenes.batch_desk import a_pdf
from tests.scenes.builders import DUE_DATE, an_address
from tests.scenes.printed_letters import a_letter, printed, renderer

ON_FRONTS = ((1, 1, 1), (1, 3, 4), (1, 5, 5), (1, 7, 9), (2, 1, 3), (2, 5, 5), (2, 7, 8))
ONE_BEHIND_THE_OTHER = ((1, 1, 1), (1, 2, 3), (1, 4, 4), (1, 5, 7), (2, 1, 3), (2, 4, 4), (2, 5, 6))
"""The file, the first and the last page of seven letters, with and without blank versos between them."""
STAYS, LEFT_OUT, ERASED = "stays", "left out", "erased"
COPY = Stamp(word="COPIE", line="COPIE du 23/11/2026")


def a_place(number, volume, first, last):
    return BatchLetter(
        delivery_id=uuid.UUID(int=number), batch_id=1, reference=f"REF-{number}", patron_id=f"P{number}",
        patron_name="", reader_number=number, recipient=an_address(), loans=(), position=number, volume=volume,
        first_page=first, last_page=last, left_out=None,
    )  # fmt: skip


def a_batch(letters, pdfs):
    return BatchView(
        batch_id=1, run_id=1, stage=Stage.FIRST_REMINDER, reference_date=DUE_DATE, name="lot", kind=Channel.LETTER,
        branch="", state=BatchState.PRINTED, pdfs=pdfs, csv="", slip="", letters=len(letters), pages=0, left_out=0,
        at=datetime(2026, 11, 23, tzinfo=UTC), printed_at=None, printed_by="",
    )  # fmt: skip


def laid_out(folder, places):
    """The letters at these places and the batch, its files written."""
    letters = [a_place(number, *place) for number, place in enumerate(places, start=1)]
    pdfs = []
    for volume in sorted({letter.volume for letter in letters}):
        inside = [letter for letter in letters if letter.volume == volume]
        texts = ["" for _ in range(inside[-1].last_page)]
        for letter in inside:
            for place in range(letter.first_page, letter.last_page + 1):
                texts[place - 1] = f"LETTRE{letter.position}-{place - letter.first_page + 1}"
        pdfs.append(f"lettres-{volume}.pdf")
        (folder / pdfs[-1]).write_bytes(a_pdf(texts))
    return letters, a_batch(letters, tuple(pdfs))


def without(letters, fates):
    """What the ledger knows of them then."""
    return [
        replace(letter, left_out=Reason.TAKEN_OUT if fate == LEFT_OUT else None)
        for letter, fate in zip(letters, fates, strict=True)
        if fate != ERASED
    ]


def previewed(known):
    places = [
        LetterPlace(
            position=one.position, volume=one.volume, first_page=one.first_page, last_page=one.last_page,
            left_out=one.left_out is not None,
        )
        for one in known
    ]  # fmt: skip
    return ["" if page.is_blank else f"LETTRE{page.letter.position}-{page.number}" for page in preview_pages(places)]


def texts_of(handed_over):
    found = []
    for file in handed_over:
        with file.content as content, pypdf.PdfReader(io.BytesIO(content.read())) as reader:
            found.append([page.extract_text().strip() for page in reader.pages])
    return found


@pytest.mark.parametrize("stamp", [None, COPY], ids=["printed", "copied"])
@pytest.mark.parametrize("places", [ON_FRONTS, ONE_BEHIND_THE_OTHER], ids=["on fronts", "one behind the other"])
def test_whoever_goes_the_others_are_where_they_are_said_to_be_and_on_fronts(tmp_path, places, stamp):
    letters, batch = laid_out(tmp_path, places)
    archive = FolderLetterStore(tmp_path)
    fates = [(STAYS, LEFT_OUT, ERASED)] * 3
    for gone in itertools.chain(
        itertools.product(*fates, [STAYS], [STAYS], [LEFT_OUT], [STAYS]),
        itertools.product([STAYS], [STAYS], [ERASED], [STAYS], *fates),
        itertools.product([ERASED], [ERASED], [ERASED], [ERASED], *fates),
    ):
        known = without(letters, gone)
        posted = files.as_posted(known)
        handed_over = files.volumes(archive, batch, known, stamp=stamp)
        names = [file.name for file in handed_over]
        by_volume = texts_of(handed_over)
        flat = [text.replace(COPY.word, "").replace(COPY.line.removeprefix(COPY.word), "").strip()
                for texts in by_volume for text in texts]  # fmt: skip
        assert [text.split()[0] if text else "" for text in flat] == previewed(known), gone
        for one in posted:
            texts = by_volume[names.index(batch.pdfs[one.volume - 1])][one.first_page - 1 : one.last_page]
            number = one.delivery_id.int
            assert [f"LETTRE{number}-{page}" in text for page, text in enumerate(texts, start=1)] == [True] * one.pages
        if places is ON_FRONTS:
            assert [one.first_page % 2 for one in posted] == [1] * len(posted), gone


def test_letters_that_may_begin_on_a_verso_get_no_blank_page_when_one_is_left_out(tmp_path):
    letters, batch = laid_out(tmp_path, ONE_BEHIND_THE_OTHER)
    known = without(letters, [STAYS, LEFT_OUT, *[STAYS] * 5])
    [first, second] = texts_of(files.volumes(FolderLetterStore(tmp_path), batch, known))
    assert first == ["LETTRE1-1", "LETTRE3-1", "LETTRE4-1", "LETTRE4-2", "LETTRE4-3"]
    assert "" not in second


def test_no_page_of_a_reader_who_was_erased_is_taken_for_a_blank_one(tmp_path):
    """Letters of a page each, the second erased: its page looks like the verso of the first."""
    letters, batch = laid_out(tmp_path, ((1, 1, 1), (1, 2, 2), (1, 3, 3)))
    known = without(letters, [STAYS, ERASED, STAYS])
    assert texts_of(files.volumes(FolderLetterStore(tmp_path), batch, known)) == [["LETTRE1-1", "", "LETTRE3-1"]]


@pytest.mark.parametrize("recto", [True, False])
def test_letters_as_they_are_really_laid_out(tmp_path: Path, recto: bool) -> None:
    counts = (1, 1, 40, 1, 40, 1)
    layout = LetterLayout(recto_start=recto, letters_per_file=4)
    batch = printed(
        tmp_path, [a_letter(n, count=count) for n, count in enumerate(counts, 1)], by=renderer(layout=layout)
    )
    letters = [a_place(n, one.volume, one.first_page, one.last_page) for n, one in enumerate(batch.letters, start=1)]
    view = a_batch(letters, tuple(pdf.name for pdf in batch.pdfs))
    archive = FolderLetterStore(tmp_path)
    assert [(one.volume, one.first_page) for one in files.as_posted(letters)] == [
        (one.volume, one.first_page) for one in batch.letters
    ]
    assert len(previewed(letters)) == batch.pages
    known = without(letters, [STAYS, LEFT_OUT, LEFT_OUT, STAYS, STAYS, STAYS])
    cut, whole = files.volumes(archive, view, known)
    with cut.content as content, pikepdf.open(io.BytesIO(content.read())) as pdf:
        assert pdf.check_pdf_syntax() == []
        assert {tuple(round(float(edge)) for edge in page.mediabox) for page in pdf.pages} == {(0, 0, 595, 842)}
        assert len(pdf.pages) == (3 if recto else 2)
        with pdf.open_outline() as outline:
            shown = [item.destination[0].objgen for item in outline.root]
        first, second = (one.first_page for one in files.as_posted(known) if one.volume == 1)
        assert shown == [pdf.pages[first - 1].obj.objgen, pdf.pages[second - 1].obj.objgen]
        assert (first, second) == ((1, 3) if recto else (1, 2))
    with whole.content as content:
        assert content.read() == batch.pdfs[1].read_bytes()
