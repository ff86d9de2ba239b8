"""Blank versos: a letter begins on the front of a sheet when its batch was laid out so, whoever was taken out of it."""

from __future__ import annotations

from loan_reminders.domain.letters.batch_list import LetterPlace
from loan_reminders.domain.letters.versos import with_versos


def at(first: int, last: int, *, volume: int = 1, left_out: bool = False) -> LetterPlace:
    return LetterPlace(position=1, volume=volume, first_page=first, last_page=last, left_out=left_out)


def seen(*letters: LetterPlace) -> list[tuple[int, int, bool]]:
    return [(letter.volume, letter.first_page, blank) for letter, blank in with_versos(letters)]


def test_a_letter_of_odd_pages_has_one_when_another_comes_behind_it_in_its_file() -> None:
    assert seen(at(1, 1), at(3, 4), at(5, 7), at(1, 3, volume=2), at(5, 5, volume=2)) == [
        (1, 1, True), (1, 3, False), (1, 5, False), (2, 1, True), (2, 5, False),
    ]  # fmt: skip


def test_what_is_left_out_or_not_known_any_more_changes_nothing_but_who_comes_behind() -> None:
    assert seen(at(1, 1), at(3, 3, left_out=True), at(7, 7), at(9, 9, left_out=True)) == [(1, 1, True), (1, 7, False)]


def test_letters_that_may_begin_on_a_verso_have_none() -> None:
    assert seen(at(1, 1), at(2, 2, left_out=True), at(3, 3), at(4, 4)) == [(1, 1, False), (1, 3, False), (1, 4, False)]


def test_they_come_in_the_order_of_the_paper() -> None:
    assert seen(at(1, 2, volume=2), at(3, 4), at(1, 2)) == [(1, 1, False), (1, 3, False), (2, 1, False)]
    assert seen() == []
