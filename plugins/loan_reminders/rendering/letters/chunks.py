"""Worker processes that lay letters out: started, fed, timed, and asked again in halves when a chunk fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from loan_reminders.domain.errors import RETRIED, TO_MEND, LettersNotPrinted, LetterStoreUnavailable, TemplateError
from loan_reminders.rendering.letters.process_pool import LetterWorkers, WorkerStopped


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A job that gave no pages. `fault` says why, in French, `place` the template's file and line, both maybe empty."""

    fault: str
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """The pages of some letters of the batch, in their order, in the piece file `path` (see `pieces`).

    `extents` is for each letter its first and its last page, counted from 1 within the piece.
    """

    path: Path
    first: int
    extents: tuple[tuple[int, int], ...]


class Press:
    """Lays out one kind of letter: a root of templates, a main template, the fonts, and what all letters share.

    A context manager: its processes end with it.
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
        self._workers = LetterWorkers(timeout_s=timeout_s)

    def __enter__(self) -> Press:
        return self

    def __exit__(self, *_: object) -> None:
        self._workers.__exit__()

    def draw(self, letters: Sequence[Mapping[str, Any]], name: str, *, first: int = 0) -> Piece | Failure:
        """Lay out some letters in one process, into `<name>.piece`."""
        output = self._folder / f"{name}.piece"
        answer = self._work(
            {
                "root": str(self._root),
                "main": self._main,
                "fonts": str(self._fonts),
                "facts": {**self._shared, "letters": letters},
                "timestamp": self._timestamp,
                "output": str(output),
            }
        )
        if isinstance(answer, Failure):
            return answer
        return Piece(path=output, first=first, extents=tuple(zip(answer["starts"], answer["ends"], strict=True)))

    def draw_all(self, letters: Sequence[Mapping[str, Any]], name: str) -> tuple[list[Piece], list[int]]:
        """Lay out a chunk whatever its letters: halved until each faulty one is alone, and left out.

        Returns the pieces in order (`first` is the place of a piece's first letter in the chunk) and the places of the
        letters left out. Raises TemplateError or LettersNotPrinted when even letters of test fail.
        """
        pieces: list[Piece] = []
        left_out: list[int] = []
        sound = False
        waiting = [(0, len(letters))]
        while waiting:
            start, end = waiting.pop()
            drawn = self.draw(letters[start:end], f"{name}-{start:04d}-{end:04d}", first=start)
            if isinstance(drawn, Piece):
                pieces.append(drawn)
                continue
            if not sound:
                self.check(name)
                sound = True
            if end - start == 1:
                left_out.append(start)
                continue
            middle = (start + end) // 2
            waiting += [(middle, end), (start, middle)]
        return pieces, left_out

    def check(self, name: str) -> None:
        """Lay out two letters of test. Raises TemplateError (file, line) or, without a culprit, LettersNotPrinted."""
        drawn = self.draw(_TEST_LETTERS, f"{name}-test")
        if isinstance(drawn, Piece):
            drawn.path.unlink()
        elif drawn.place:
            raise TemplateError(f"{drawn.place} : {drawn.fault}")
        else:
            raise LettersNotPrinted(f"Typst ne peut pas composer {self._main} : {drawn.fault}. {TO_MEND}")

    def _work(self, job: Mapping[str, Any]) -> dict[str, Any] | Failure:
        """One job in a process of its own. Raises LetterStoreUnavailable when the disk refuses its file."""
        try:
            answer = self._workers.ask(job)
        except WorkerStopped as why:
            return Failure(fault=str(why))
        if "unwritable" in answer:
            raise unwritable(answer["unwritable"])
        if "fault" in answer:
            return Failure(fault=answer["fault"], place=answer["place"])
        return answer


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
