"""Where each letter of a batch is, and how many pages the batch has."""

from __future__ import annotations

import uuid
from pathlib import Path

from loan_reminders.domain.letters.batches import PrintedBatch, PrintedLetter
from tests.scenes.builders import an_address


def a_letter(first_page: int, pages: int, volume: int = 1) -> PrintedLetter:
    return PrintedLetter(
        delivery_id=uuid.uuid4(),
        reference="R1-7ZK3QD",
        recipient=an_address(),
        first_page=first_page,
        pages=pages,
        volume=volume,
    )


def a_batch(*letters: PrintedLetter) -> PrintedBatch:
    return PrintedBatch(pdfs=(Path("lettres.pdf"),), letters=letters, set_aside=())


def test_a_letter_ends_on_its_last_page() -> None:
    assert [a_letter(1, 1).last_page, a_letter(3, 2).last_page] == [1, 4]


def test_a_batch_counts_the_blank_versos_between_its_letters() -> None:
    assert a_batch(a_letter(1, 1), a_letter(3, 2)).pages == 4


def test_the_pages_of_all_volumes_count() -> None:
    assert a_batch(a_letter(1, 2), a_letter(3, 2), a_letter(1, 3, volume=2)).pages == 7


def test_a_batch_without_letters_has_no_page() -> None:
    assert a_batch().pages == 0
