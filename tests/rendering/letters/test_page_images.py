"""One page of a PDF of letters as an image: the page asked for, stamped, and nothing of the others."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from loan_reminders.domain.errors import LettersNotPrinted
from loan_reminders.rendering.letters.copies import Stamp
from loan_reminders.rendering.letters.page_images import page_image
from tests.scenes.batch_desk import a_pdf

STAMP = Stamp(word="APERÇU", line="APERÇU – lot 3 – ne pas poster")


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("pdf") / "lettres.pdf"
    path.write_bytes(a_pdf([f"#rect(width: 100%, height: {10 * number}%, fill: black)" for number in range(1, 5)]))
    return path


def dark(image: bytes) -> int:
    """How many of a hundred points of a page are black."""
    with Image.open(io.BytesIO(image)) as opened:
        histogram = opened.convert("L").histogram()
        return round(100 * sum(histogram[:50]) / sum(histogram))


def test_each_page_is_itself(source):
    shares = [dark(page_image(source, number, stamp=STAMP)) for number in range(1, 5)]
    assert shares == sorted(shares)
    assert shares[-1] > 2 * shares[0] > 0


def test_it_has_the_size_of_the_paper_and_the_stamp(source):
    with Image.open(io.BytesIO(page_image(source, 1, stamp=STAMP))) as stamped:
        assert (stamped.format, stamped.size) == ("PNG", (827, 1170))
        pale = sum(stamped.convert("L").histogram()[200:240])
    assert pale > 20_000


def test_a_blank_verso_has_the_size_of_the_page_before_it_and_the_stamp_alone(source):
    black = page_image(source, 4, stamp=STAMP)
    blank = page_image(source, 4, stamp=STAMP, is_blank=True)
    assert dark(black) > dark(blank) == 0
    with Image.open(io.BytesIO(black)) as before, Image.open(io.BytesIO(blank)) as behind:
        assert before.size == behind.size
        assert sum(behind.convert("L").histogram()[200:240]) > 20_000


@pytest.mark.parametrize("number", [0, 5])
def test_a_page_that_is_not_there_is_told(source, number):
    with pytest.raises(LettersNotPrinted, match=f"page {number}"):
        page_image(source, number, stamp=STAMP)


def test_a_damaged_file_is_told(tmp_path):
    path = tmp_path / "lettres.pdf"
    path.write_bytes(b"%PDF-1.7 nothing more")
    with pytest.raises(LettersNotPrinted, match="illisible"):
        page_image(path, 1, stamp=STAMP)
