"""The letters of a batch as its page lists them: which of them, in which order, fifty a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from loan_reminders.domain.letters.batch_list import LetterColumn, LetterPlace, LetterQuery
from loan_reminders.domain.ports.letters import LetterBatches
from loan_reminders.services.letters.preview_pages import preview_pages
from loan_reminders.web.letters.table_rows import LetterRow, letter_row
from loan_reminders.web.lists import LINES, Order, Pages

SHOWN = {"": "toutes les lettres", "a-poster": "celles à poster", "retirees": "celles qui sont retirées"}
"""Which letters the list shows, by what stands in the address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterList:
    """One page of the letters of a batch. `shown` says which letters: a key of `SHOWN`."""

    rows: Sequence[LetterRow]
    order: Order
    pages: Pages
    shown: str


def letter_list(
    batches: LetterBatches,
    batch_id: int,
    places: Sequence[LetterPlace],
    *,
    shown: str = "",
    column: str = "",
    descending: bool = False,
    number: int = 1,
) -> LetterList:
    """The letters asked for; anything unknown in what is asked is left aside. Raises LedgerUnavailable."""
    staying = {"a-poster": True, "retirees": False}.get(shown)
    ordered = LetterColumn(column) if column in set(LetterColumn) else LetterColumn.PLACE
    lines = sum(staying is None or staying is not place.left_out for place in places)
    asked = {"montrer": shown if staying is not None else ""}
    turned = {"tri": ordered.value, "sens": "desc"} if descending else {"tri": ordered.value}
    pages = Pages(number=number, lines=lines, asked={**asked, **(turned if column else {})})
    pages = replace(pages, number=min(number, pages.last))
    query = LetterQuery(staying=staying, column=ordered, descending=descending, limit=pages.size, offset=pages.offset)
    first_pages = {
        page.letter.position: sheet for sheet, page in enumerate(preview_pages(places), start=1) if page.number == 1
    }
    return LetterList(
        rows=[
            letter_row(letter, preview=first_pages.get(letter.position, 0))
            for letter in batches.some_letters_of(batch_id, query)
        ],
        order=Order(column=ordered.value, descending=descending, asked=asked),
        pages=pages,
        shown=asked["montrer"],
    )


def page_of(position: int, places: Sequence[LetterPlace]) -> str:
    """What leads to the page of the whole list where a letter is: nothing for the first one."""
    before = sum(place.position < position for place in places)
    return f"?page={before // LINES + 1}" if before >= LINES else ""
