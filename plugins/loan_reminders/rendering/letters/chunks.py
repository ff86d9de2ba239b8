"""Chunks of letters laid out in other processes: asked for, timed, and asked for again in halves when one fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Self

from loan_reminders.domain.errors import RETRIED, TO_MEND, LettersNotPrinted, LetterStoreUnavailable, TemplateError
from loan_reminders.rendering.compile_pdf import ACCESSIBLE, ARCHIVABLE, COMPILE, PdfAnswer, PdfJob
from loan_reminders.rendering.process_pool import DiskRefused, JobStopped, ProcessPool

_START, _END = "letter-start", "letter-end"
"""The labels by which a template says on which page each letter starts and ends."""

_NO_EXTENTS = "chaque lettre doit avoir un début et une fin"
_NO_TITLE = "missing document title"
"""What the engine says when no layout began the document: PDF/UA asks for a title first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A job that gave no pages. `fault` says why, in French, `place` the template's file and line, both maybe empty."""

    fault: str
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """The pages of some letters of the batch, in their order, in the PDF `path`.

    `first` is the place of its first letter among those asked for. `extents` is for each letter its first and its last
    page, counted from 1 within the chunk.
    """

    path: Path
    first: int
    extents: tuple[tuple[int, int], ...]


class ChunkCompiler:
    """Lays out one kind of letter: a root of templates, a main template, the fonts, and what all letters share.

    A context manager: its processes end with it. May be shared between threads.
    """

    def __init__(
        self,
        *,
        root: Path,
        main: str,
        fonts: Path,
        shared: Mapping[str, Any],
        today: date,
        folder: Path,
        timeout_s: float,
    ) -> None:
        self._root = root
        self._main = main
        self._fonts = fonts
        self._shared = shared
        self._timestamp = f"{today.isoformat()}T00:00:00+00:00"
        self._folder = folder
        self._pool = ProcessPool(timeout_s=timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.__exit__()

    def compile(self, letters: Sequence[Mapping[str, Any]], name: str, *, first: int = 0) -> Chunk | Failure:
        """Lay out some letters in one process, into `<name>.pdf`. Raises LetterStoreUnavailable (disk)."""
        output = self._folder / f"{name}.pdf"
        job: PdfJob = {
            "root": str(self._root),
            "main": self._main,
            "fonts": str(self._fonts),
            "inputs": {"facts": {**self._shared, "letters": letters}},
            "timestamp": self._timestamp,
            "standards": [ARCHIVABLE, ACCESSIBLE],
            "output": str(output),
            "labels": [_START, _END],
        }
        try:
            answer: PdfAnswer = self._pool.ask(COMPILE, job)
        except JobStopped as why:
            return Failure(fault=str(why))
        except DiskRefused as why:
            raise unwritable(str(why)) from None
        if "fault" in answer:
            return self._failure(answer["fault"], answer["place"])
        starts, ends = answer["metadata"][_START], answer["metadata"][_END]
        if not len(letters) == len(starts) == len(ends):
            return Failure(fault=_NO_EXTENTS, place=self._main)
        return Chunk(path=output, first=first, extents=tuple(zip(starts, ends, strict=True)))

    def _failure(self, fault: str, place: str) -> Failure:
        if _NO_TITLE in fault:
            return Failure(fault=_NO_EXTENTS, place=self._main)
        if not place and fault.startswith("PDF/"):
            place = self._main
        return Failure(fault=f"Typst répond « {fault} »", place=place)

    def compile_all(self, letters: Sequence[Mapping[str, Any]], name: str) -> tuple[list[Chunk], list[int]]:
        """Lay out letters whatever they hold: halved until each faulty one is alone, and left out.

        Returns the chunks in order and the places of the letters left out. Raises TemplateError or LettersNotPrinted
        when even letters of test fail.
        """
        chunks: list[Chunk] = []
        left_out: list[int] = []
        sound = False
        waiting = [(0, len(letters))]
        while waiting:
            start, end = waiting.pop()
            made = self.compile(letters[start:end], f"{name}-{start:04d}-{end:04d}", first=start)
            if isinstance(made, Chunk):
                chunks.append(made)
                continue
            if not sound:
                self.check(name)
                sound = True
            if end - start == 1:
                left_out.append(start)
                continue
            middle = (start + end) // 2
            waiting += [(middle, end), (start, middle)]
        return chunks, left_out

    def check(self, name: str) -> None:
        """Lay out two letters of test. Raises TemplateError (file, line) or, without a culprit, LettersNotPrinted."""
        made = self.compile(_TEST_LETTERS, f"{name}-test")
        if isinstance(made, Chunk):
            made.path.unlink()
        elif made.place:
            raise TemplateError(f"{made.place} : {made.fault}")
        else:
            raise LettersNotPrinted(f"Typst ne peut pas composer {self._main} : {made.fault}. {TO_MEND}")


def unwritable(why: str) -> LetterStoreUnavailable:
    """What to raise when the disk of the work in progress is full or refuses a file."""
    return LetterStoreUnavailable(f"Le dossier temporaire des lettres refuse l'écriture : {why}. {RETRIED}")


def _test_line(number: int, price: str) -> dict[str, str]:
    return {
        "title": f"Titre {number}", "author": "", "call_number": "000", "branch": "Bibliothèque", "item_barcode": "0",
        "due_date": "01/01/2026", "price": price,
    }  # fmt: skip


_TEST_LETTERS = tuple(
    {
        "reference": f"TEST-{count}", "name": "Lecteur", "barcode": "0", "due_date": "1er janvier 2026",
        "address": ["LECTEUR", "1 RUE", "75001 PARIS"], "lines": lines, "total": total, "unpriced": 1,
        "earlier": ["première relance par courriel le 1er janvier 2026"][: count - 1],
        "branches": [{"name": "Bibliothèque", "address": "1 rue", "hours": "8h-20h"}][: count - 1],
    }
    for count, (lines, total) in enumerate(
        (([_test_line(1, "")], ""), ([_test_line(1, "1,00 €"), _test_line(2, "")], "1,00 €")), start=1
    )
)  # fmt: skip
