"""Which letters of a batch have a blank page behind them, so that none is printed on the back of another's sheet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from loan_reminders.domain.letters.batch_list import LetterPlace
from loan_reminders.domain.letters.batches import BatchLetter

Letter = TypeVar("Letter", BatchLetter, LetterPlace)


def with_versos(letters: Sequence[Letter]) -> list[tuple[Letter, bool]]:
    """The letters to be posted, in the order of the paper, and whether a blank verso comes behind each.

    `letters` are all that the ledger knows of the batch. When all of them begin on odd pages, the batch was laid out
    for letters to begin on the front of a sheet (`recto_start`), and whatever is not posted of it, they still do.
    Nobody knows which pages of the PDF are blank: a page between two letters may be that of a reader who was erased.
    """
    on_fronts = all(letter.first_page % 2 for letter in letters)
    staying = sorted(
        (letter for letter in letters if not letter.left_out), key=lambda letter: (letter.volume, letter.first_page)
    )
    last_of_file = {letter.volume: letter for letter in staying}
    return [
        (letter, on_fronts and letter is not last_of_file[letter.volume] and _has_odd_pages(letter))
        for letter in staying
    ]


def _has_odd_pages(letter: BatchLetter | LetterPlace) -> bool:
    return (letter.last_page - letter.first_page) % 2 == 0
