"""The pages that will come out of the printer: without letters left out, with the blank versos behind the others."""

from __future__ import annotations

from loan_reminders.domain.letters.batch_list import LetterPlace
from loan_reminders.services.letters.preview_pages import preview_pages


def at(position, first, last, *, volume=1, left_out=False):
    return LetterPlace(position=position, volume=volume, first_page=first, last_page=last, left_out=left_out)


def seen(places):
    return [(page.letter.volume, page.letter.position, page.number) for page in preview_pages(places)]


def test_a_blank_verso_belongs_to_the_letter_before_it():
    pages = preview_pages([at(1, 1, 1), at(2, 3, 4)])
    assert [(page.letter.position, page.number, page.is_blank) for page in pages] == [
        (1, 1, False), (1, 2, True), (2, 1, False), (2, 2, False),
    ]  # fmt: skip


def test_the_pages_of_a_letter_left_out_are_not_among_them_nor_its_verso():
    assert seen([at(1, 1, 1), at(2, 3, 3, left_out=True), at(3, 5, 5)]) == [(1, 1, 1), (1, 1, 2), (1, 3, 1)]


def test_of_a_letter_that_nobody_knows_any_more_no_page_is_among_them():
    assert seen([at(1, 1, 1), at(3, 4, 4)]) == [(1, 1, 1), (1, 3, 1)]


def test_the_pages_of_a_second_file_follow():
    assert seen([at(3, 1, 1, volume=2), at(1, 1, 1), at(2, 2, 2)]) == [(1, 1, 1), (1, 2, 1), (2, 3, 1)]


def test_a_batch_of_which_nothing_is_left_has_no_page():
    assert preview_pages([at(1, 1, 1, left_out=True)]) == []
