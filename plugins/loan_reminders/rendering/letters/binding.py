"""How chunks of letters become the PDF files of a batch."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from loan_reminders.domain.errors import TO_MEND, LettersNotPrinted
from loan_reminders.domain.letters.batches import PrintedBatch, PrintedLetter
from loan_reminders.domain.messages import RenderedLetter
from loan_reminders.domain.states import Reason
from loan_reminders.rendering.letters.chunks import Chunk, unwritable
from loan_reminders.rendering.letters.tagged_pdf import NotTagged, TaggedVolume


class Binder:
    """Puts chunks into `letters-001.pdf`, `letters-002.pdf`… of a folder, as they come. A context manager.

    With `recto_start` each chunk begins on the front of a sheet, as the template makes each letter of a chunk begin.
    One file at a time is in memory. A disk that refuses raises LetterStoreUnavailable.
    """

    def __init__(self, folder: Path, *, letters_per_file: int, recto_start: bool) -> None:
        self._folder = folder
        self._letters_per_file = letters_per_file
        self._recto_start = recto_start
        self._pdfs: list[Path] = []
        self._printed: list[PrintedLetter] = []
        self._volume = TaggedVolume()
        self._bookmarks: list[tuple[str, int]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            for pdf in self._pdfs:
                pdf.unlink(missing_ok=True)

    def add(self, chunk: Chunk, letters: Sequence[RenderedLetter]) -> None:
        """Put a chunk behind those there are, in a new file when its letters would not fit in this one."""
        if len(self._bookmarks) + len(letters) > self._letters_per_file:
            self._save()
        if self._recto_start and self._volume.pages % 2:
            self._volume.add_blank_page()
        done = self._volume.pages
        try:
            self._volume.add(chunk.path)
            chunk.path.unlink()
        except NotTagged:
            raise LettersNotPrinted(f"Une page composée n'a pas ses balises d'accessibilité. {TO_MEND}") from None
        except OSError as error:
            raise unwritable(error.strerror or type(error).__name__) from None
        for letter, (first, last) in zip(letters, chunk.extents, strict=True):
            self._printed.append(
                PrintedLetter(
                    delivery_id=letter.delivery_id,
                    reference=letter.reference,
                    recipient=letter.recipient,
                    first_page=done + first,
                    pages=last - first + 1,
                    volume=len(self._pdfs) + 1,
                )
            )
            self._bookmarks.append((f"{letter.patron_name} — {letter.reference}", done + first - 1))

    def finish(self, set_aside: Sequence[tuple[uuid.UUID, Reason]]) -> PrintedBatch:
        """Write the last file; the batch as it is now."""
        self._save()
        return PrintedBatch(pdfs=tuple(self._pdfs), letters=tuple(self._printed), set_aside=tuple(set_aside))

    def _save(self) -> None:
        if not self._bookmarks:
            return
        self._pdfs.append(self._folder / f"letters-{len(self._pdfs) + 1:03d}.pdf")
        try:
            self._volume.save(self._pdfs[-1], self._bookmarks)
        except OSError as error:
            raise unwritable(error.strerror or type(error).__name__) from None
        self._volume, self._bookmarks = TaggedVolume(), []
