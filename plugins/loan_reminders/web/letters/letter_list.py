"""The letters of a batch as its page lists them: which of them, in which order, fifty a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from loan_reminders.domain.letters.batches import BatchLetter
from loan_reminders.services.letters.preview_pages import preview_pages
from loan_reminders.web.letters.table_rows import LetterRow, letter_row
from loan_reminders.web.lists import LINES, Order, Pages

SHOWN = {"": "toutes les lettres", "a-poster": "celles à poster", "retirees": "celles qui sont retirées"}
"""Which letters the list shows, by what stands in the address."""

_COLUMNS: Mapping[str, Callable[[BatchLetter], Any]] = {
    "place": lambda letter: letter.position,
    "reference": lambda letter: letter.reference,
    "lecteur": lambda letter: (letter.patron_name or letter.recipient.lines[0]).casefold(),
    "ville": lambda letter: letter.recipient.lines[-1].casefold(),
    "documents": lambda letter: len(letter.loans),
    "pages": lambda letter: letter.last_page - letter.first_page,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterList:
    """One page of the letters of a batch. `shown` says which letters: a key of `SHOWN`."""

    rows: Sequence[LetterRow]
    order: Order
    pages: Pages
    shown: str

    @classmethod
    def of(
        cls,
        letters: Sequence[BatchLetter],
        *,
        shown: str = "",
        column: str = "",
        descending: bool = False,
        number: int = 1,
    ) -> LetterList:
        """What was asked for; anything unknown in it is left aside."""
        shown = shown if shown in SHOWN else ""
        ordered = column if column in _COLUMNS else "place"
        wanted = [one for one in letters if not shown or (one.left_out is None) == (shown == "a-poster")]
        wanted.sort(key=_COLUMNS[ordered], reverse=descending)
        asked = {"montrer": shown}
        turned = {"tri": column if column in _COLUMNS else "", "sens": "desc" if descending else ""}
        pages = Pages(number=number, lines=len(wanted), asked={**asked, **turned})
        first_pages = _first_pages(letters)
        some = wanted[pages.offset : pages.offset + pages.size]
        return cls(
            rows=[letter_row(one, preview=first_pages.get(one.position, 0)) for one in some],
            order=Order(column=ordered, descending=descending, asked=asked),
            pages=pages,
            shown=shown,
        )

    @staticmethod
    def address_of(letter: BatchLetter, letters: Sequence[BatchLetter]) -> str:
        """What leads to the page of the whole list where a letter is: nothing for the first one."""
        before = sum(one.position < letter.position for one in letters)
        return f"?page={before // LINES + 1}" if before >= LINES else ""


def _first_pages(letters: Sequence[BatchLetter]) -> dict[int, int]:
    """Where each letter that stays begins in the preview, by its place in the batch."""
    pages = enumerate(preview_pages(letters), start=1)
    return {page.letter.position: number for number, page in pages if page.number == 1}
