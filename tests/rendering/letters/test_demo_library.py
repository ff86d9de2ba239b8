"""Every letter of the fictional library: what a PDF reader finds is the data, and the window shows the address."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pypdf

from loan_reminders.domain.loans import Loan
from loan_reminders.domain.recipients import PostalAddress
from loan_reminders.rendering.letters.facts import WINDOWS
from loan_reminders.rendering.letters.renderer import LetterRenderer
from loan_reminders.rendering.templates import TEMPLATES_FOLDER
from loan_reminders.settings.library_toml import settings
from sql.demo.generator import build_library
from sql.demo.tables import BINDS
from tests.bench.rows import ListedRows
from tests.scenes.aleph import ALEPH_SQL, ymd
from tests.scenes.builders import OFFSETS, a_delivery
from tests.scenes.printed_letters import KINDS, MM, PAGE_HEIGHT, squeezed

TODAY = date(2026, 12, 4)


def loans_of(path: Path, due: date) -> list[Loan]:
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        rows = connection.execute(ALEPH_SQL, {**BINDS, "due_ymd": ymd(due), "today_ymd": ymd(TODAY)}).fetchall()
    listed = ListedRows([{key.lower(): row[key] for key in row.keys()} for row in rows], settings().codes())  # noqa: SIM118
    return [loan for loan in listed.loans_due(due, today=TODAY) if isinstance(loan, Loan)]


def word_boxes(pdf: Path) -> Iterator[tuple[int, list[tuple[float, ...]]]]:
    """Each page with its words' boxes (left, top, right, bottom, in mm), as poppler measures them; none without it."""
    if not shutil.which("pdftotext"):
        return
    said = subprocess.run(["pdftotext", "-bbox", pdf, "-"], capture_output=True, check=True, text=True).stdout
    for number, page in enumerate(said.split("<page ")[1:], start=1):
        found = re.findall(r'<word xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)"', page)
        yield number, [tuple(float(edge) / MM for edge in box) for box in found]


def in_the_window(boxes: list[tuple[float, ...]]) -> bool:
    """Whether the words of the address, and no others, lie in what a DL envelope always shows of its window."""
    address = [box for box in boxes if box[0] > 95 and 40 < box[1] < 82]
    assert all(left >= 100 and right <= 190 and top >= 45 and bottom <= 79 for left, top, right, bottom in address)
    return len(address) > 2


def test_every_letter_of_the_fictional_library_says_its_data_where_the_window_shows_it(tmp_path: Path) -> None:
    build_library(tmp_path / "library.db", today=TODAY)
    by = LetterRenderer(TEMPLATES_FOLDER, library=settings().identity(), layout=settings().letter_layout(), workers=2)
    told = boxes_seen = 0
    for stage, kind in KINDS.items():
        readers: dict[str, list[Loan]] = {}
        for loan in loans_of(tmp_path / "library.db", TODAY - timedelta(days=OFFSETS[stage])):
            if isinstance(loan.patron.address, PostalAddress):
                readers.setdefault(loan.patron.patron_id, []).append(loan)
        letters = [
            by.letter(a_delivery(channel=kind, stage=stage, loans=tuple(loans)), today=TODAY)
            for loans in readers.values()
        ]
        folder = tmp_path / stage
        folder.mkdir()
        batch = by.print_batch(letters, stage=stage, kind=kind, today=TODAY, folder=folder)
        assert batch.set_aside == ()
        assert [place.reference for place in batch.letters] == [letter.reference for letter in letters]
        firsts = {place.first_page for place in batch.letters}
        boxes_seen += sum(in_the_window(boxes) for page, boxes in word_boxes(batch.pdfs[0]) if page in firsts)
        with pypdf.PdfReader(batch.pdfs[0]) as reader:
            for letter, place in zip(letters, batch.letters, strict=True):
                seen: list[str] = []

                def note(text, matrix, text_matrix, font, size, seen=seen, stage=stage):  # type: ignore[no-untyped-def]
                    x = (matrix[0] * text_matrix[4] + matrix[4]) / MM
                    y = PAGE_HEIGHT - (matrix[3] * text_matrix[5] + matrix[5]) / MM
                    if text.strip() and x > 95 and 40 < y < 82:
                        seen.append(text)
                        assert x >= 109.9
                        assert WINDOWS[by._layout.window] + 2 <= y <= 78.5

                first = reader.pages[place.first_page - 1].extract_text(visitor_text=note)
                assert squeezed("".join(seen)) == squeezed("".join(letter.recipient.lines))
                rest = [reader.pages[page].extract_text() for page in range(place.first_page, place.last_page)]
                text = squeezed("".join([first, *rest]))
                facts = [letter.reference, letter.patron_name, letter.due_date, letter.total, *letter.recipient.lines]
                for line in letter.lines:
                    facts += [line.call_number, line.branch, line.item_barcode, line.due_date, line.price]
                    if line.title.isascii():
                        facts += [line.title]
                assert [fact for fact in facts if squeezed(fact) not in text] == []
                told += 1
    assert told > 30
    assert boxes_seen == (told if shutil.which("pdftotext") else 0)
