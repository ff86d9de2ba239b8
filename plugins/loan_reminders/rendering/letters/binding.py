"""A batch ready for the printer, and how the pieces of its letters become its files."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from loan_reminders.domain.messages import RenderedLetter
from loan_reminders.domain.recipients import PostalAddress
from loan_reminders.domain.states import Reason
from loan_reminders.rendering.letters.chunks import Piece, unwritable
from loan_reminders.rendering.letters.pieces import read_piece
from loan_reminders.rendering.letters.volumes import Volume


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedLetter:
    """Where a letter is in its batch: pages `first_page` to `last_page` (from 1) of the file `volume` (from 1)."""

    delivery_id: uuid.UUID
    reference: str
    recipient: PostalAddress
    first_page: int
    pages: int
    volume: int = 1

    @property
    def last_page(self) -> int:
        """The page the letter ends on, counted from 1 in its file."""
        return self.first_page + self.pages - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedBatch:
    """A batch ready for the printer: `pdfs` are its volumes in order, none when no letter could be laid out.

    `set_aside` says which letters are in none of them, and why.
    """

    pdfs: tuple[Path, ...]
    letters: tuple[PrintedLetter, ...]
    set_aside: tuple[tuple[uuid.UUID, Reason], ...]

    @property
    def pages(self) -> int:
        """Pages of all volumes, blank versos between letters included."""
        return sum({letter.volume: letter.last_page for letter in self.letters}.values())


class Binder:
    """Writes pieces into `letters-001.pdf`, `letters-002.pdf`… of a folder, as they come. A context manager.

    With `recto_start` each piece begins on the front of a sheet, as the template makes each letter of a piece begin.
    A disk that refuses raises LetterStoreUnavailable.
    """

    def __init__(self, folder: Path, *, letters_per_file: int, recto_start: bool) -> None:
        self._folder = folder
        self._letters_per_file = letters_per_file
        self._recto_start = recto_start
        self._pdfs: list[Path] = []
        self._printed: list[PrintedLetter] = []
        self._volume: Volume | None = None
        self._bookmarks: list[tuple[str, int]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._volume is not None:
            self._volume.close()
        if kind is not None:
            for pdf in self._pdfs:
                pdf.unlink(missing_ok=True)

    def add(self, piece: Piece, letters: Sequence[RenderedLetter]) -> None:
        """Write a piece after those there are, in a new file when its letters would not fit in this one."""
        try:
            if len(self._bookmarks) + len(letters) > self._letters_per_file:
                self._close()
            volume = self._open()
            if self._recto_start and volume.pages % 2:
                volume.add_blank_page()
            done = volume.pages
            volume.add(*read_piece(piece.path))
            piece.path.unlink()
        except OSError as error:
            raise unwritable(error.strerror or type(error).__name__) from error
        for letter, (first, last) in zip(letters, piece.extents, strict=True):
            self._printed.append(
                PrintedLetter(
                    delivery_id=letter.delivery_id,
                    reference=letter.reference,
                    recipient=letter.recipient,
                    first_page=done + first,
                    pages=last - first + 1,
                    volume=len(self._pdfs),
                )
            )
            self._bookmarks.append((f"{letter.patron_name} — {letter.reference}", done + first - 1))

    def finish(self, set_aside: Sequence[tuple[uuid.UUID, Reason]]) -> PrintedBatch:
        """Make the last file whole; the batch as it is now."""
        try:
            self._close()
        except OSError as error:
            raise unwritable(error.strerror or type(error).__name__) from error
        return PrintedBatch(pdfs=tuple(self._pdfs), letters=tuple(self._printed), set_aside=tuple(set_aside))

    def _open(self) -> Volume:
        if self._volume is None:
            self._pdfs.append(self._folder / f"letters-{len(self._pdfs) + 1:03d}.pdf")
            self._volume = Volume(self._pdfs[-1])
        return self._volume

    def _close(self) -> None:
        if self._volume is not None:
            self._volume.finish(self._bookmarks)
            self._volume.close()
        self._volume, self._bookmarks = None, []
