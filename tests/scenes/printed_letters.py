"""Letters printed for a test, and what a PDF reader finds in them."""

from __future__ import annotations

import re
import shutil
import subprocess
import uuid
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import pikepdf
import pypdf
import pytest

from loan_reminders.domain.letters.batches import PrintedBatch
from loan_reminders.domain.messages import RenderedLetter
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.rendering.letters.renderer import LetterRenderer
from loan_reminders.rendering.templates import TEMPLATES_FOLDER
from tests.scenes.builders import a_delivery, a_library, a_loan, a_patron, an_address, some_loans, today_for

KINDS = {
    Stage.FIRST_REMINDER: Channel.LETTER,
    Stage.SECOND_REMINDER: Channel.LETTER,
    Stage.REGISTERED_LETTER: Channel.REGISTERED_LETTER,
}
MM = 72 / 25.4
PAGE_HEIGHT = 297


def renderer(templates: Path = TEMPLATES_FOLDER, **changes: Any) -> LetterRenderer:
    return LetterRenderer(templates, library=a_library(), **{"workers": 2, "timeout_s": 60, **changes})


def a_letter(
    number: int = 1, *, stage: Stage = Stage.FIRST_REMINDER, lines: tuple[str, ...] = (), count: int = 1, **loan: Any
) -> RenderedLetter:
    patron = a_patron(
        name=f"Lecteur {number}",
        address=an_address(*(lines or (f"LECTEUR {number}", "12 RUE DES LILAS", "06000 NICE"))),
    )
    loans = (a_loan(patron=patron, **loan),) if loan else some_loans(count, patron=patron)
    delivery = a_delivery(channel=KINDS[stage], stage=stage, loans=loans, delivery_id=uuid.UUID(int=number))
    return renderer().letter(delivery, today=today_for(stage))


def printed(
    folder: Path,
    letters: Iterable[RenderedLetter],
    *,
    stage: Stage = Stage.FIRST_REMINDER,
    today: date | None = None,
    by: LetterRenderer | None = None,
) -> PrintedBatch:
    folder.mkdir(exist_ok=True)
    return (by or renderer()).print_batch(
        letters, stage=stage, kind=KINDS[stage], today=today or today_for(stage), folder=folder
    )


def pages(batch: PrintedBatch) -> list[str]:
    texts: list[str] = []
    for pdf in batch.pdfs:
        with pypdf.PdfReader(pdf) as reader:
            texts += [page.extract_text() for page in reader.pages]
    return texts


def squeezed(text: str) -> str:
    """Text without what layout adds: spaces, line ends, hyphens of hyphenation, places to break."""
    return re.sub(r"[\s\u00ad\u200b]|-\n", "", text)


def words(batch: PrintedBatch, page: int = 0) -> list[tuple[float, float, float, str]]:
    """Each run of text of a page: left and baseline in mm from the top left corner, size in points, text."""
    found: list[tuple[float, float, float, str]] = []

    def note(text: str, matrix: list[float], text_matrix: list[float], font: Any, size: float) -> None:
        if text.strip():
            x = matrix[0] * text_matrix[4] + matrix[4]
            y = matrix[3] * text_matrix[5] + matrix[5]
            found.append((x / MM, PAGE_HEIGHT - y / MM, abs(size * matrix[3] * text_matrix[3]), text.strip()))

    with pypdf.PdfReader(batch.pdfs[0]) as reader:
        reader.pages[page].extract_text(visitor_text=note)
    return found


def find_nothing_wrong(pdf: Path) -> None:
    """Two programs read the whole file: pikepdf and, where it is installed, qpdf's own check."""
    with pikepdf.open(pdf) as file:
        assert file.check_pdf_syntax() == []
    program = shutil.which("qpdf")
    if program is None:
        pytest.skip("qpdf is not installed: only pikepdf looked")
    done = subprocess.run([program, "--check", pdf], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
