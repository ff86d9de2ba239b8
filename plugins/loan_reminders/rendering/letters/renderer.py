"""Letters: from a delivery to its facts, and from many facts to PDF files for the printer.

The words and the page are templates (`templates/<stage>/<kind>/letter.typ`, `templates/_layouts/letter.typ`) laid out
by Typst, a chunk of letters at a time in each of several processes, then bound into one file, or several beyond
`LetterLayout.letters_per_file`: archivable, accessible, with a bookmark a reader.
What comes from the ILS travels as JSON and is never markup.
"""

from __future__ import annotations

import tempfile
import uuid
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

from loan_reminders.domain.errors import RecipientError
from loan_reminders.domain.letters.batches import EarlierReminder, LetterLayout, PrintedBatch
from loan_reminders.domain.library import LibraryIdentity
from loan_reminders.domain.loans import Loan
from loan_reminders.domain.messages import LetterBranch, LetterLine, RenderedLetter
from loan_reminders.domain.notices import Delivery
from loan_reminders.domain.recipients import PostalAddress
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import Reason, Refusal
from loan_reminders.rendering.letters.binding import Binder
from loan_reminders.rendering.letters.chunks import Chunk, ChunkCompiler
from loan_reminders.rendering.letters.facts import letter_facts, shared_facts
from loan_reminders.rendering.letters.fonts import FONTS_FOLDER, FontSet
from loan_reminders.rendering.letters.page_templates import copy_logo, copy_pages
from loan_reminders.rendering.letters.text import (
    earlier_words,
    french_date,
    letter_reference,
    one_line,
    price_words,
    short_date,
    title_words,
    total_words,
)
from loan_reminders.rendering.template_folders import TemplatePlace

_TITLES = {
    Stage.FIRST_REMINDER: "Première relance",
    Stage.SECOND_REMINDER: "Deuxième relance",
    Stage.REGISTERED_LETTER: "Lettres recommandées",
}
LETTER_KINDS = {
    Stage.FIRST_REMINDER: Channel.LETTER,
    Stage.SECOND_REMINDER: Channel.LETTER,
    Stage.REGISTERED_LETTER: Channel.REGISTERED_LETTER,
}
"""The stages that write on paper, and how."""


class LetterRenderer:
    """Writes a library's letters. Fulfils `LetterPrinter`.

    `workers` processes work at once, each on `chunk_size` letters (about 0.15 GB a process), and one that takes more
    than `timeout_s` seconds is killed.
    """

    def __init__(
        self,
        templates_folder: TemplatePlace,
        fonts_folder: Path = FONTS_FOLDER,
        *,
        library: LibraryIdentity,
        workers: int,
        layout: LetterLayout | None = None,
        chunk_size: int = 50,
        timeout_s: float = 60,
    ) -> None:
        self._templates = templates_folder
        self._fonts = fonts_folder
        self._library = library
        self._workers = workers
        self._layout = layout or LetterLayout()
        self._chunk_size = chunk_size
        self._timeout_s = timeout_s

    def letter(self, delivery: Delivery, *, today: date, earlier: Sequence[EarlierReminder] = ()) -> RenderedLetter:
        """One letter's facts, written today: clean texts, French dates. Raises RecipientError without an address.

        `earlier` are the reminders about these loans that left before; those after today are not told.
        """
        if not isinstance(delivery.recipient, PostalAddress):
            raise RecipientError(Refusal.NOT_AN_ADDRESS)
        patron = delivery.notice.patron
        return RenderedLetter(
            delivery_id=delivery.delivery_id,
            reference=letter_reference(delivery.delivery_id, delivery.notice.stage),
            recipient=delivery.recipient,
            patron_name=one_line(patron.name, 300),
            patron_barcode=one_line(patron.barcode, 40),
            due_date=french_date(delivery.notice.due_date),
            lines=tuple(self._line(loan) for loan in delivery.loans),
            total=total_words(loan.price_text for loan in delivery.loans),
            branches=tuple(map(self._branch, dict.fromkeys(loan.branch for loan in delivery.loans))),
            earlier=earlier_words([one for one in earlier if one.left_on <= today]),
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

    def _branch(self, code: str) -> LetterBranch:
        branch = self._library.branch(code)
        return LetterBranch(
            name=one_line(branch.name, 80), address=one_line(branch.address, 160), hours=one_line(branch.hours, 160)
        )

    def check(self, *, stage: Stage, kind: Channel, today: date) -> None:
        """Lay out letters of test. Raises TemplateError, naming file and line, when the templates cannot be used."""
        with (
            tempfile.TemporaryDirectory(prefix="letters-") as scratch,
            self._compiler(stage, kind, today, Path(scratch)) as compiler,
        ):
            compiler.check("check")

    def print_batch(
        self, letters: Iterable[RenderedLetter], *, stage: Stage, kind: Channel, today: date, folder: Path
    ) -> PrintedBatch:
        """Lay out a batch dated today into the PDF files of `folder`, which the caller owns and removes.

        The same letters on the same day give the same bytes. A letter that cannot be laid out is set aside and the
        others are printed. Raises TemplateError, LettersNotPrinted or SettingsError (fonts) when nothing can be, and
        LetterStoreUnavailable when the disk refuses.
        """
        fonts = FontSet.of(self._fonts)
        set_aside: list[tuple[uuid.UUID, Reason]] = []
        with (
            tempfile.TemporaryDirectory(prefix="letters-", dir=folder) as scratch,
            self._compiler(stage, kind, today, Path(scratch)) as compiler,
            Binder(
                folder, letters_per_file=self._layout.letters_per_file, recto_start=self._layout.recto_start
            ) as binder,
        ):
            for asked, chunks in self._compiled(compiler, fonts, letters, set_aside):
                for chunk in chunks:
                    binder.add(chunk, asked[chunk.first : chunk.first + len(chunk.extents)])
            return binder.finish(set_aside)

    def _compiled(
        self,
        compiler: ChunkCompiler,
        fonts: FontSet,
        letters: Iterable[RenderedLetter],
        set_aside: list[tuple[uuid.UUID, Reason]],
    ) -> Iterator[tuple[Sequence[RenderedLetter], Sequence[Chunk]]]:
        """Some letters at a time with their chunks, in order; only a few are under way at any time."""
        shares = self._shares(fonts, letters, set_aside)
        under_way: deque[tuple[Sequence[RenderedLetter], Future[tuple[list[Chunk], list[int]]]]] = deque()
        with ThreadPoolExecutor(max_workers=self._workers, thread_name_prefix="letters") as pool:
            try:
                for number, (share, facts) in enumerate(shares):
                    under_way.append((share, pool.submit(compiler.compile_all, facts, f"{number:06d}")))
                    if len(under_way) > self._workers:
                        yield self._done(*under_way.popleft(), set_aside)
                while under_way:
                    yield self._done(*under_way.popleft(), set_aside)
            finally:
                for _, future in under_way:
                    future.cancel()

    @staticmethod
    def _done(
        share: Sequence[RenderedLetter],
        future: Future[tuple[list[Chunk], list[int]]],
        set_aside: list[tuple[uuid.UUID, Reason]],
    ) -> tuple[Sequence[RenderedLetter], Sequence[Chunk]]:
        chunks, left_out = future.result()
        set_aside.extend((share[place].delivery_id, Reason.NOT_RENDERED) for place in left_out)
        return share, chunks

    def _shares(
        self, fonts: FontSet, letters: Iterable[RenderedLetter], set_aside: list[tuple[uuid.UUID, Reason]]
    ) -> Iterator[tuple[list[RenderedLetter], list[dict[str, Any]]]]:
        """Letters in shares of a chunk's size, with their facts; one whose address cannot be written is set aside.

        No share goes over the end of a file.
        """
        waiting = iter(letters)
        in_file = 0
        while share := list(islice(waiting, min(self._chunk_size, self._layout.letters_per_file - in_file))):
            writable: list[RenderedLetter] = []
            facts: list[dict[str, Any]] = []
            for letter in share:
                address = tuple(map(fonts.spelt, letter.recipient.lines))
                if all(address):
                    writable.append(letter)
                    facts.append(letter_facts(letter, address, fonts))
                else:
                    set_aside.append((letter.delivery_id, Reason.NOT_RENDERED))
            in_file = (in_file + len(writable)) % self._layout.letters_per_file
            if writable:
                yield writable, facts

    def _compiler(self, stage: Stage, kind: Channel, today: date, scratch: Path) -> ChunkCompiler:
        root = scratch / "root"
        copy_pages(self._templates, ("_layouts", f"{stage}/{kind}"), root)
        return ChunkCompiler(
            root=root,
            main=f"{stage}/{kind}/letter.typ",
            fonts=self._fonts,
            shared=shared_facts(
                title=f"{_TITLES.get(stage, 'Lettres')} — {french_date(today)}",
                today=today,
                fonts=FontSet.of(self._fonts),
                library=self._library,
                layout=self._layout,
                logo=copy_logo(self._templates, self._layout.logo, root),
            ),
            today=today,
            folder=scratch,
            timeout_s=self._timeout_s,
        )


def check_letter_templates(
    templates_folder: TemplatePlace, *, library: LibraryIdentity, layout: LetterLayout, today: date
) -> None:
    """Lay out letters of test of every stage that writes on paper, with the library's own logo and words.

    About a second. Raises TemplateError, naming the file and the line, SettingsError (fonts) or LettersNotPrinted.
    """
    renderer = LetterRenderer(templates_folder, library=library, workers=1, layout=layout)
    for stage, kind in LETTER_KINDS.items():
        renderer.check(stage=stage, kind=kind, today=today)
