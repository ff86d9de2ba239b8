"""Letters: from a delivery to its facts, and from many facts to one PDF for the printer.

The words and the page are templates (`templates/<stage>/<kind>/letter.typ`, `templates/_layouts/letter.typ`) laid out
by Typst, a chunk of letters in each of several short-lived processes, then bound into one file, with bookmarks.
What comes from the ILS travels as JSON and is never markup.
"""

from __future__ import annotations

import tempfile
import uuid
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

from loan_reminders.domain.errors import RecipientError
from loan_reminders.domain.library import LibraryIdentity
from loan_reminders.domain.loans import Loan
from loan_reminders.domain.messages import LetterLine, RenderedLetter
from loan_reminders.domain.notices import Delivery
from loan_reminders.domain.recipients import PostalAddress
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import Reason, Refusal
from loan_reminders.rendering.letter_fonts import FONTS_FOLDER, FontSet
from loan_reminders.rendering.letter_press import Piece, Press, copy_pages
from loan_reminders.rendering.letter_text import (
    breakable,
    french_date,
    letter_reference,
    one_line,
    price_words,
    short_date,
    title_words,
    town_of,
)

_TITLES = {
    Stage.FIRST_REMINDER: "Première relance",
    Stage.SECOND_REMINDER: "Deuxième relance",
    Stage.REGISTERED_LETTER: "Lettres recommandées",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedLetter:
    """Where a letter is in its batch: its pages are `first_page` to `last_page`, counted from 1."""

    delivery_id: uuid.UUID
    reference: str
    recipient: PostalAddress
    first_page: int
    pages: int

    @property
    def last_page(self) -> int:
        """The page the letter ends on, counted from 1."""
        return self.first_page + self.pages - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedBatch:
    """A batch ready for the printer. `pdf` is None when no letter could be laid out; `set_aside` says why."""

    pdf: Path | None
    letters: tuple[PrintedLetter, ...]
    set_aside: tuple[tuple[uuid.UUID, Reason], ...]

    @property
    def pages(self) -> int:
        """Pages of the whole file."""
        return self.letters[-1].last_page if self.letters else 0


class LetterRenderer:
    """Writes a library's letters.

    `workers` processes work at once, each on `chunk_size` letters (about 0.2 GB a process), and one that takes more
    than `timeout_s` seconds is killed.
    """

    def __init__(
        self,
        templates_folder: Path,
        fonts_folder: Path = FONTS_FOLDER,
        *,
        library: LibraryIdentity,
        workers: int,
        chunk_size: int = 100,
        timeout_s: float = 60,
    ) -> None:
        self._templates = templates_folder
        self._fonts = fonts_folder
        self._library = library
        self._workers = workers
        self._chunk_size = chunk_size
        self._timeout_s = timeout_s

    def letter(self, delivery: Delivery, *, today: date) -> RenderedLetter:
        """One letter's facts, written today: clean texts, French dates. Raises RecipientError without an address."""
        if not isinstance(delivery.recipient, PostalAddress):
            raise RecipientError(Refusal.NOT_AN_ADDRESS)
        patron = delivery.notice.patron
        return RenderedLetter(
            delivery_id=delivery.delivery_id,
            reference=letter_reference(delivery.delivery_id, delivery.notice.stage, today),
            recipient=delivery.recipient,
            patron_name=one_line(patron.name, 80),
            patron_barcode=one_line(patron.barcode, 40),
            due_date=french_date(delivery.notice.due_date),
            lines=tuple(self._line(loan) for loan in delivery.loans),
        )

    def _line(self, loan: Loan) -> LetterLine:
        return LetterLine(
            title=title_words(loan.title, loan.volume),
            author=one_line(loan.author, 80),
            call_number=one_line(loan.call_number, 60),
            branch=one_line(self._library.branch(loan.branch).name, 80),
            item_barcode=one_line(loan.item_barcode, 40),
            due_date=short_date(loan.due_date),
            price=price_words(loan.price_text),
        )

    def check(self, *, stage: Stage, kind: Channel, today: date) -> None:
        """Lay out letters of test. Raises TemplateError, naming file and line, when the templates cannot be used."""
        with tempfile.TemporaryDirectory(prefix="letters-") as scratch:
            self._press(stage, kind, today, Path(scratch)).check("check")

    def print_batch(
        self, letters: Iterable[RenderedLetter], *, stage: Stage, kind: Channel, today: date, folder: Path
    ) -> PrintedBatch:
        """Lay out a batch dated today into one PDF, a file of `folder`, which the caller owns and removes.

        The same letters on the same day give the same bytes. A letter that cannot be laid out is set aside and the
        others are printed. Raises TemplateError, LettersNotPrinted or SettingsError (fonts) when nothing can be.
        """
        fonts = FontSet.of(self._fonts)
        with tempfile.TemporaryDirectory(prefix="letters-", dir=folder) as scratch:
            press = self._press(stage, kind, today, Path(scratch))
            printed: list[PrintedLetter] = []
            bookmarks: list[tuple[str, int]] = []
            set_aside: list[tuple[uuid.UUID, Reason]] = []
            bound: list[Piece] = []
            for chunk, pieces in self._drawn(press, fonts, letters, set_aside):
                for piece in pieces:
                    done = printed[-1].last_page if printed else 0
                    for letter, (start, pages) in zip(chunk[piece.first :], piece.extents(), strict=False):
                        printed.append(_printed(letter, done + start, pages))
                        bookmarks.append((f"{letter.patron_name} — {letter.reference}", done + start - 1))
                    bound.append(piece)
            pdf = folder / "letters.pdf" if bound else None
            if pdf:
                press.bind(bound, bookmarks, pdf, title=self._title(stage, today), author=self._library.name)
        return PrintedBatch(pdf=pdf, letters=tuple(printed), set_aside=tuple(set_aside))

    def _drawn(
        self,
        press: Press,
        fonts: FontSet,
        letters: Iterable[RenderedLetter],
        set_aside: list[tuple[uuid.UUID, Reason]],
    ) -> Iterator[tuple[Sequence[RenderedLetter], Sequence[Piece]]]:
        """Each chunk with its pieces, in order; only a few chunks are under way at any time."""
        chunks = self._chunks(fonts, letters, set_aside)
        under_way: deque[tuple[Sequence[RenderedLetter], Future[tuple[list[Piece], list[int]]]]] = deque()
        with ThreadPoolExecutor(max_workers=self._workers, thread_name_prefix="letters") as pool:
            try:
                for number, (chunk, facts) in enumerate(chunks):
                    under_way.append((chunk, pool.submit(press.draw_all, facts, f"{number:06d}")))
                    if len(under_way) > self._workers:
                        yield self._done(*under_way.popleft(), set_aside)
                while under_way:
                    yield self._done(*under_way.popleft(), set_aside)
            finally:
                for _, future in under_way:
                    future.cancel()

    @staticmethod
    def _done(
        chunk: Sequence[RenderedLetter],
        future: Future[tuple[list[Piece], list[int]]],
        set_aside: list[tuple[uuid.UUID, Reason]],
    ) -> tuple[Sequence[RenderedLetter], Sequence[Piece]]:
        pieces, left_out = future.result()
        set_aside.extend((chunk[place].delivery_id, Reason.NOT_RENDERED) for place in left_out)
        return chunk, pieces

    def _chunks(
        self, fonts: FontSet, letters: Iterable[RenderedLetter], set_aside: list[tuple[uuid.UUID, Reason]]
    ) -> Iterator[tuple[list[RenderedLetter], list[dict[str, Any]]]]:
        """Letters by the chunk, with their facts; one whose address cannot be written is set aside at once."""
        waiting = iter(letters)
        while chunk := list(islice(waiting, self._chunk_size)):
            writable = [letter for letter in chunk if not any(map(fonts.missing, letter.recipient.lines))]
            written = {letter.delivery_id for letter in writable}
            set_aside.extend(
                (letter.delivery_id, Reason.NOT_RENDERED) for letter in chunk if letter.delivery_id not in written
            )
            if writable:
                yield writable, [_facts(letter, fonts) for letter in writable]

    def _press(self, stage: Stage, kind: Channel, today: date, scratch: Path) -> Press:
        root = scratch / "root"
        copy_pages(self._templates, ("_layouts", f"{stage}/{kind}"), root)
        fonts = FontSet.of(self._fonts)
        library = self._library
        shared = {
            "title": self._title(stage, today),
            "date": french_date(today),
            "fonts": fonts.families,
            "library": {
                "name": library.name,
                "address": library.address_lines,
                "place": town_of(library.address_lines),
                "phone": library.phone,
                "email": library.email,
                "website": library.website,
                "account_url": library.account_url,
                "account_label": library.account_label,
            },
        }
        return Press(
            root=root,
            main=f"{stage}/{kind}/letter.typ",
            fonts=self._fonts,
            shared=shared,
            today=today,
            folder=scratch,
            timeout_s=self._timeout_s,
        )

    @staticmethod
    def _title(stage: Stage, today: date) -> str:
        return f"{_TITLES.get(stage, 'Lettres')} — {french_date(today)}"


def _printed(letter: RenderedLetter, first_page: int, pages: int) -> PrintedLetter:
    return PrintedLetter(
        delivery_id=letter.delivery_id,
        reference=letter.reference,
        recipient=letter.recipient,
        first_page=first_page,
        pages=pages,
    )


def _facts(letter: RenderedLetter, fonts: FontSet) -> dict[str, Any]:
    """What the template receives of one letter; characters no font holds are replaced, long words get breaks."""

    def text(value: str, longest: int) -> str:
        return breakable(fonts.drawable(value), longest)

    return {
        "reference": letter.reference,
        "name": text(letter.patron_name, 30),
        "barcode": text(letter.patron_barcode, 24),
        "due_date": letter.due_date,
        "address": letter.recipient.lines,
        "lines": [
            {
                "title": text(line.title, 20),
                "author": text(line.author, 20),
                "call_number": text(line.call_number, 12),
                "branch": text(line.branch, 16),
                "item_barcode": text(line.item_barcode, 14),
                "due_date": line.due_date,
                "price": line.price,
            }
            for line in letter.lines
        ],
    }
