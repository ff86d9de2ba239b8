"""Letters on paper: the real page engine for the last weeks, kept loaded; plain pages for those before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any
from unittest import mock

from loan_reminders.domain.letters.batches import PrintedBatch, PrintedLetter
from loan_reminders.domain.messages import RenderedLetter
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.rendering.letters.renderer import LetterRenderer
from loan_reminders.rendering.process_pool import ProcessPool


class CheckedOnce(LetterRenderer):
    """The page engine; its templates do not change during the months, so each is checked the first time alone."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._sound: set[tuple[Stage, Channel]] = set()

    def check(self, *, stage: Stage, kind: Channel, today: date) -> None:
        """Lay out letters of test, the first time."""
        if (stage, kind) not in self._sound:
            super().check(stage=stage, kind=kind, today=today)
            self._sound.add((stage, kind))


class PlainPages(LetterRenderer):
    """Letters of long ago: their real facts, on plain pages that can be opened, without the page engine's time."""

    def check(self, **_: Any) -> None:
        """The templates are those of today: they were checked."""

    def print_batch(self, letters: Iterable[RenderedLetter], *, folder: Path, **_: Any) -> PrintedBatch:
        """A page a letter."""
        import pikepdf

        printed: list[PrintedLetter] = []
        pdf = pikepdf.new()
        font = pikepdf.Dictionary(
            Type=pikepdf.Name.Font,
            Subtype=pikepdf.Name.Type1,
            BaseFont=pikepdf.Name.Helvetica,
            Encoding=pikepdf.Name.WinAnsiEncoding,
        )
        for number, letter in enumerate(letters, start=1):
            pdf.add_blank_page(page_size=(595, 842))
            page = pdf.pages[-1]
            page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=pdf.make_indirect(font)))
            page.Contents = pdf.make_stream(_lines(letter))
            printed.append(
                PrintedLetter(
                    delivery_id=letter.delivery_id,
                    reference=letter.reference,
                    recipient=letter.recipient,
                    first_page=number,
                    pages=1,
                )
            )
        if not printed:
            return PrintedBatch(pdfs=(), letters=(), set_aside=())
        path = folder / "letters-001.pdf"
        pdf.save(path)
        return PrintedBatch(pdfs=(path,), letters=tuple(printed), set_aside=())


def _lines(letter: RenderedLetter) -> bytes:
    text = [
        *letter.recipient.lines, "", letter.reference, f"Documents à rendre le {letter.due_date} :", "",
        *(f"{line.title} ({line.item_barcode})"[:85] for line in letter.lines), "",
        "Lettre ancienne de la bibliothèque fictive : page simplifiée par la démonstration.",
    ]  # fmt: skip
    drawn = [b"BT /F1 11 Tf 16 TL 70 760 Td"]
    for line in text:
        plain = line.encode("cp1252", "replace").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
        drawn.append(b"(" + plain + b") Tj T*")
    return b"\n".join([*drawn, b"ET"])


class _KeptPool(ProcessPool):
    """A pool whose processes stay for the next batch."""

    def __exit__(self, *_: object) -> None:
        return None


@contextmanager
def one_page_engine() -> Iterator[None]:
    """Lay out the letters of many days in the same preloaded processes: loading the engine takes half a second."""
    pool = _KeptPool(timeout_s=60)
    try:
        with (
            mock.patch("loan_reminders.rendering.letters.chunks.ProcessPool", return_value=pool),
            mock.patch("loan_reminders.rendering.registered.posting_slip.ProcessPool", return_value=pool),
        ):
            yield
    finally:
        ProcessPool.__exit__(pool)
