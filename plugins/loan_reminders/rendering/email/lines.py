"""The documents of an e-mail, as a reader recognises them at a glance, and the branches they belong to."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from loan_reminders.domain.library import Branch, LibraryIdentity
from loan_reminders.domain.loans import Loan
from loan_reminders.rendering.email.mime import one_line

TITLE_LENGTH = 140
FACT_LENGTH = 70
"""Characters: about two lines, and one, of a large screen; four, and two, of a telephone."""

_JOINERS = frozenset("\u200c\u200d\ufe0e\ufe0f")


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailLine:
    """One document of an e-mail, every text on one line and cut where it would fill the screen.

    `title` is empty when the ILS holds none. `days_late` is nought until the day after the due date.
    """

    title: str
    volume: str
    author: str
    call_number: str
    branch: str
    item_barcode: str
    due_date: date
    days_late: int


class LineWriter:
    """Writes the documents of one library's e-mails."""

    def __init__(self, library: LibraryIdentity) -> None:
        self._names = {branch.code: one_line(branch.name) for branch in library.branches}
        self._described = {branch.code: branch for branch in library.branches if branch.hours or branch.address}

    def lines(self, loans: Iterable[Loan], today: date) -> list[EmailLine]:
        """The documents as they are on the day `today`, in their order."""
        return [self._line(loan, today) for loan in loans]

    def branches(self, loans: Iterable[Loan]) -> list[Branch]:
        """The branches of these documents whose hours or address the library gives, each once."""
        return [
            self._described[code] for code in dict.fromkeys(loan.branch for loan in loans) if code in self._described
        ]

    def _line(self, loan: Loan, today: date) -> EmailLine:
        return EmailLine(
            title=cut(one_line(loan.title), TITLE_LENGTH),
            volume=cut(one_line(loan.volume), FACT_LENGTH),
            author=cut(one_line(loan.author), FACT_LENGTH),
            call_number=cut(one_line(loan.call_number), FACT_LENGTH),
            branch=self._names.get(loan.branch) or cut(one_line(loan.branch), FACT_LENGTH),
            item_barcode=cut(one_line(loan.item_barcode), FACT_LENGTH),
            due_date=loan.due_date,
            days_late=max(0, (today - loan.due_date).days),
        )


def cut(text: str, length: int) -> str:
    """At most `length` characters, `…` included: whole words where the text has any, never half a letter."""
    if len(text) <= length:
        return text
    end = length - 1
    space = text.rfind(" ", length // 2, end + 1)
    if space > 0:
        end = space
    while end > 1 and _belongs_to_the_one_before(text, end):
        end -= 1
    return f"{text[:end].rstrip(' ,;:/.-')}…"


def _belongs_to_the_one_before(text: str, place: int) -> bool:
    character = text[place]
    return character in _JOINERS or text[place - 1] == "\u200d" or unicodedata.combining(character) != 0
