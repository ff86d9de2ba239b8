"""The pages of a batch as a librarian looks at them before printing, in the order of the paper."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from loan_reminders.domain.letters.batch_list import LetterPlace
from loan_reminders.domain.letters.batches import BatchView
from loan_reminders.domain.letters.versos import with_versos
from loan_reminders.domain.ports.letters import LetterArchive

if TYPE_CHECKING:
    from loan_reminders.rendering.letters.copies import Stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewPage:
    """One page that will come out of the printer: page `number` (from 1) of a letter of `pages` pages.

    A blank verso behind the letter has a `number` beyond `pages`.
    """

    letter: LetterPlace
    number: int
    pages: int

    @property
    def is_blank(self) -> bool:
        """Whether it is the blank verso behind a letter."""
        return self.number > self.pages


def preview_pages(letters: Sequence[LetterPlace]) -> list[PreviewPage]:
    """The pages of the letters that are to be posted, in their order; those of letters left out are not among them."""
    return [page for letter, blank_verso in with_versos(letters) for page in _pages_of(letter, blank_verso)]


def _pages_of(letter: LetterPlace, blank_verso: bool) -> Iterator[PreviewPage]:
    pages = letter.last_page - letter.first_page + 1
    for number in range(1, pages + blank_verso + 1):
        yield PreviewPage(letter=letter, number=number, pages=pages)


def draw(archive: LetterArchive, batch: BatchView, page: PreviewPage, *, stamp: Stamp) -> bytes:
    """One page as a PNG image, stamped. Raises LetterStoreUnavailable, or LettersNotPrinted for a damaged file."""
    from loan_reminders.rendering.letters.page_images import page_image
    from loan_reminders.rendering.private_files import open_private

    with tempfile.TemporaryDirectory(prefix="letters-") as folder:
        source = Path(folder) / "source.pdf"
        with open_private(source) as file:
            for piece in archive.read(batch.pdfs[page.letter.volume - 1]):
                file.write(piece)
        place = page.letter.first_page + min(page.number, page.pages) - 1
        return page_image(source, place, stamp=stamp, is_blank=page.is_blank)
