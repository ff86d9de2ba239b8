"""Names as they are searched for: folded, cut into trigrams, found with one mistake."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from loan_reminders.domain.readers.names import (
    LONGEST_NAME,
    SHORTEST_MISTAKEN,
    is_near,
    name_words,
    searched_words,
    trigrams,
    trigrams_of_misspelt,
    trigrams_of_part,
)

WORDS = st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=12)
LONG_WORDS = st.text(alphabet="ABCDE", min_size=SHORTEST_MISTAKEN, max_size=9)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", ()),
        (" \u200b - ", ()),
        ("DUPONT, Élise", ("DUPONT", "ELISE")),
        ("DUPONT,Élise", ("DUPONT", "ELISE")),
        ("O'Brien, Jean-Marie", ("O", "BRIEN", "OBRIEN", "JEAN", "MARIE", "JEANMARIE")),
        ("Łukasz Sørensen-Œuvrard", ("LUKASZ", "SORENSEN", "OEUVRARD", "SORENSENOEUVRARD")),
        ("Straße Straße", ("STRASSE",)),
        ("李 小龙", ("李", "小龙")),
        ("محمد علي", ("محمد", "علي")),
    ],
)
def test_the_words_of_a_name(name: str, words: tuple[str, ...]) -> None:
    assert name_words(name) == words


def test_an_endless_name_is_cut() -> None:
    assert name_words("A" * 10_000) == ("A" * LONGEST_NAME,)


@given(st.text(max_size=60))
@example("e\u0301")
def test_how_the_characters_are_composed_changes_nothing(name: str) -> None:
    assert name_words(unicodedata.normalize("NFD", name)) == name_words(unicodedata.normalize("NFC", name))


@given(st.lists(WORDS, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_the_order_of_the_words_changes_no_trigram(words: list[str], random: object) -> None:
    shuffled = list(words)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert trigrams(name_words(" ".join(words))) == trigrams(name_words(" ".join(shuffled)))


@given(st.text(max_size=60))
def test_what_was_typed_as_the_name_is_among_its_words(name: str) -> None:
    held = trigrams(name_words(name))
    for word in searched_words(name.replace(",", " ").replace(";", " ").replace("/", " ")):
        assert set(trigrams((word,))) <= set(held)


@given(WORDS, st.data())
def test_a_word_holds_the_trigrams_of_each_of_its_parts(word: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(word) - 1))
    part = word[start : data.draw(st.integers(start + 1, len(word)))]
    if len(part) >= 3 or start == 0:
        assert set(trigrams_of_part(part)) <= set(trigrams((word,)))


@given(LONG_WORDS, st.data())
def test_a_word_with_one_mistake_is_near_and_its_trigrams_find_the_right_one(right: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(right) - 1))
    letter = data.draw(st.sampled_from("ABCDEZ"))
    typed = data.draw(
        st.sampled_from(
            [
                right[:place] + letter + right[place + 1 :],
                right[:place] + right[place + 1 :],
                right[:place] + letter + right[place:],
                right + letter,
                right[:place] + right[place : place + 2][::-1] + right[place + 2 :],
            ]
        )
    )
    assert is_near(typed, right)
    if len(typed) >= SHORTEST_MISTAKEN:
        held = set(trigrams((right,)))
        assert any(set(choice) <= held for choice in trigrams_of_misspelt(typed))
        assert all(len(choice) >= 1 for choice in trigrams_of_misspelt(typed))


@given(WORDS, WORDS)
def test_near_is_near_from_both_sides(one: str, other: str) -> None:
    assert is_near(one, other) == is_near(other, one)


@pytest.mark.parametrize(("typed", "word"), [("DUPONT", "DURAND"), ("MARTIN", "MARTINEZ"), ("ABCDE", "BADCE")])
def test_two_mistakes_are_too_many(typed: str, word: str) -> None:
    assert not is_near(typed, word)


def test_no_mistake_is_looked_for_in_a_short_word() -> None:
    assert trigrams_of_misspelt("LEE") == ()
