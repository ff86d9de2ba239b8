"""One page of a PDF of letters as an image, stamped, for a librarian who looks before printing."""

from __future__ import annotations

import io
import threading
from pathlib import Path

from loan_reminders.domain.errors import LettersNotPrinted
from loan_reminders.rendering.letters.copies import Stamp, derive

DOTS_PER_INCH = 100
_PDFIUM = threading.Lock()
"""PDFium serves one thread at a time (pypdfium2, "Thread incompatibility")."""


def page_image(source: Path, number: int, *, stamp: Stamp, is_blank: bool = False) -> bytes:
    """Page `number`, from 1, of a PDF as a PNG file, with the stamp that the preview of the whole has.

    With `is_blank` it is an empty page of the same size: the blank verso behind that one. Only the page asked for is
    read, whatever the length of the PDF. Raises LettersNotPrinted for a file that is damaged or has no such page.
    """
    stamped = io.BytesIO()
    derive(io.BytesIO(_one_page(source, number, is_blank=is_blank)), stamped, stamp=stamp)
    return _drawn(stamped.getvalue())


def _one_page(source: Path, number: int, *, is_blank: bool) -> bytes:
    import pypdfium2  # type: ignore[import-untyped]

    alone = io.BytesIO()
    try:
        with _PDFIUM, pypdfium2.PdfDocument(source) as pdf, pypdfium2.PdfDocument.new() as one:
            if not 1 <= number <= len(pdf):
                raise LettersNotPrinted(f"Le PDF de ces lettres n'a pas de page {number}. Prévenir l'administrateur.")
            if is_blank:
                one.new_page(*pdf.get_page_size(number - 1))
            else:
                one.import_pages(pdf, [number - 1])
            one.save(alone)
    except pypdfium2.PdfiumError:
        raise LettersNotPrinted(
            "Le PDF de ces lettres est illisible. Prévenir l'administrateur : il faut le reprendre d'une sauvegarde."
        ) from None
    return alone.getvalue()


def _drawn(pdf: bytes) -> bytes:
    import pypdfium2

    with _PDFIUM, pypdfium2.PdfDocument(pdf) as document:
        image = document[0].render(scale=DOTS_PER_INCH / 72).to_pil()
    drawn = io.BytesIO()
    image.save(drawn, "PNG")
    return drawn.getvalue()
