"""Worker processes that lay letters out: started, fed, timed, and asked again in halves when a chunk fails."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from loan_reminders.domain.errors import RETRIED, TO_MEND, LettersNotPrinted, LetterStoreUnavailable, TemplateError

_PACKAGE_PARENT = Path(__file__).resolve().parents[2]
_PAGE_FILES = frozenset({".typ", ".png", ".jpg", ".jpeg", ".svg"})
_FORBIDDEN = (
    (re.compile(r"\beval\b"), "eval est interdit : il exécuterait ce qu'un lecteur ou le catalogue a saisi"),
    (re.compile(r"[\"']@[a-z]+/"), "les paquets sont interdits : une lettre se compose sans le réseau"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A job that gave no PDF. `fault` says why, in French, `place` the template's file and line, both maybe empty."""

    fault: str
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A PDF of some letters of the batch, in their order: `starts` is the first page of each, counted from 1."""

    pdf: Path
    first: int
    starts: tuple[int, ...]
    pages: int

    def extents(self) -> tuple[tuple[int, int], ...]:
        """For each letter, its first page from 1 within the piece and its number of pages."""
        ends = (*self.starts[1:], self.pages + 1)
        return tuple((start, end - start) for start, end in zip(self.starts, ends, strict=True))


def copy_pages(templates: Path, parts: Sequence[str], root: Path) -> None:
    """Copy the page templates and images of some folders into a root that holds nothing else.

    Raises TemplateError, naming file and line, for a template that is missing, or that could run data or fetch code.
    """
    for part in parts:
        source = templates / part
        if not source.is_dir():
            raise TemplateError(f"{part} : ce dossier de modèles n'existe pas")
        (root / part).mkdir(parents=True)
        for path in sorted(source.iterdir()):
            if path.suffix.lower() not in _PAGE_FILES or not path.is_file():
                continue
            if path.suffix.lower() == ".typ":
                _refuse_doors(f"{part}/{path.name}", path)
            shutil.copyfile(path, root / part / path.name)


def _refuse_doors(name: str, path: Path) -> None:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise TemplateError(f"{name} : ce modèle n'est pas en UTF-8") from None
    for number, line in enumerate(lines, start=1):
        for pattern, why in _FORBIDDEN:
            if pattern.search(line):
                raise TemplateError(f"{name}, ligne {number} : {why}")


class Press:
    """Lays out one kind of letter: a root of templates, a main template, the fonts, and what all letters share."""

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
        self._timeout_s = timeout_s

    def draw(self, letters: Sequence[Mapping[str, Any]], name: str) -> Piece | Failure:
        """Lay out some letters in one process, into `<name>.pdf`."""
        output = self._folder / f"{name}.pdf"
        answer = self._work(
            {
                "do": "draw",
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
        return Piece(pdf=output, first=0, starts=tuple(answer["starts"]), pages=answer["pages"])

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
            drawn = self.draw(letters[start:end], f"{name}-{start:04d}-{end:04d}")
            if isinstance(drawn, Piece):
                pieces.append(Piece(pdf=drawn.pdf, first=start, starts=drawn.starts, pages=drawn.pages))
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
            drawn.pdf.unlink()
        elif drawn.place:
            raise TemplateError(f"{drawn.place} : {drawn.fault}")
        else:
            raise LettersNotPrinted(f"Typst ne peut pas composer {self._main} : {drawn.fault}. {TO_MEND}")

    def bind(
        self, pieces: Sequence[Piece], bookmarks: Sequence[tuple[str, int]], output: Path, *, title: str, author: str
    ) -> None:
        """Bind pieces into one PDF with its bookmarks (title, page from 0). Raises LettersNotPrinted."""
        pages = sum(piece.pages for piece in pieces)
        answer = self._work(
            {
                "do": "bind",
                "chunks": [str(piece.pdf) for piece in pieces],
                "bookmarks": bookmarks,
                "timestamp": self._timestamp,
                "title": title,
                "author": author,
                "pages": pages,
                "output": str(output),
            },
            patience=max(1.0, pages / 500),
        )
        if isinstance(answer, Failure):
            raise LettersNotPrinted(f"Les lettres ne peuvent pas être réunies en un PDF : {answer.fault}. {TO_MEND}")

    def _work(self, job: Mapping[str, Any], *, patience: float = 1.0) -> dict[str, Any] | Failure:
        """One job in a fresh process, killed when it takes too long.

        What it writes for people is not kept: it may quote a reader. Raises LetterStoreUnavailable when the disk
        refuses its file.
        """
        environment = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
        environment |= {"PYTHONPATH": str(_PACKAGE_PARENT), "PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            done = subprocess.run(
                [sys.executable, "-P", "-m", "loan_reminders.rendering.letter_worker"],
                input=json.dumps(job, ensure_ascii=False).encode("utf-8"),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=self._root,
                env=environment,
                timeout=self._timeout_s * patience,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Failure(fault=f"pas de réponse en {self._timeout_s * patience:.0f} s")
        if done.returncode:
            return Failure(fault=f"le processus s'est arrêté avec le code {done.returncode}")
        try:
            answer: dict[str, Any] = json.loads(done.stdout)
        except ValueError:
            return Failure(fault="le processus n'a rien répondu")
        if "unwritable" in answer:
            raise LetterStoreUnavailable(
                f"Le dossier temporaire des lettres refuse l'écriture : {answer['unwritable']}. {RETRIED}"
            )
        if "fault" in answer:
            return Failure(fault=answer["fault"], place=answer["place"])
        return answer


def _test_line(number: int, price: str) -> dict[str, str]:
    return {
        "title": f"Titre {number}", "author": "", "call_number": "000", "branch": "Bibliothèque", "item_barcode": "0",
        "due_date": "01/01/2026", "price": price,
    }  # fmt: skip


_TEST_LETTERS = tuple(
    {
        "reference": f"TEST-{count}", "name": "Lecteur", "barcode": "0", "due_date": "1er janvier 2026",
        "address": ["LECTEUR", "1 RUE", "75001 PARIS"], "lines": lines,
    }
    for count, lines in enumerate(([_test_line(1, "")], [_test_line(1, "1,00 €"), _test_line(2, "")]), start=1)
)  # fmt: skip
