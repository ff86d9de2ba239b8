"""Names as they are searched for: without accents, in any order of words, by a part of a word, with one mistake.

A trigram is three characters in a row of a word between two spaces before it and one after it: `  d`, ` du`, `dup`,
`up` and a space, of `dup`. So a trigram also says where a word begins and ends. PostgreSQL's own module for them
(`pg_trgm`, whose manner this is) is not on every server; its index of arrays (GIN) is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from loan_reminders.domain.recipients.postal_words import fold

LONGEST_NAME = 200
"""Characters of a name that are searched; an ILS that holds more has put something else there."""
SHORTEST_MISTAKEN = 5
"""Letters of the shortest word in which a typing mistake is looked for; half of all shorter ones are near."""

_BETWEEN_WORDS = re.compile(r"[\s,;/]+")


def name_words(name: str) -> tuple[str, ...]:
    """The words of a name in capitals without accents, each once; a word of several parts is one of them, joined.

    `O'Brien, Jean-Marie` gives `O`, `BRIEN`, `OBRIEN`, `JEAN`, `MARIE`, `JEANMARIE`.
    """
    words: dict[str, None] = {}
    for piece in _BETWEEN_WORDS.split(name[:LONGEST_NAME]):
        parts = fold(piece).split()
        words.update(dict.fromkeys(parts))
        if len(parts) > 1:
            words["".join(parts)] = None
    return tuple(words)


def searched_words(typed: str) -> tuple[str, ...]:
    """The words of what somebody types for a name, as `name_words` has them, without the joined ones."""
    return tuple(dict.fromkeys(fold(typed[:LONGEST_NAME]).split()))


def trigrams(words: Iterable[str]) -> tuple[str, ...]:
    """The trigrams of whole words, each once, in order."""
    found = {padded[at : at + 3] for word in words for padded in [f"  {word} "] for at in range(len(padded) - 2)}
    return tuple(sorted(found))


def trigrams_of_part(part: str) -> tuple[str, ...]:
    """The trigrams that every word holds of which this is a part; of one or two letters, that begins with them."""
    if len(part) < 3:
        padded = f"  {part}"
        return tuple(padded[at : at + 3] for at in range(len(padded) - 2))
    return tuple(sorted({part[at : at + 3] for at in range(len(part) - 2)}))


def trigrams_of_misspelt(word: str) -> tuple[tuple[str, ...], ...]:
    """Choices of trigrams: a word at one mistake from this one holds all those of one choice at least.

    A mistake (another letter, one too many, one forgotten, two exchanged) changes the trigrams around its place alone:
    there is one choice for each place. A word too short to be looked for so has no choice.
    """
    if len(word) < SHORTEST_MISTAKEN:
        return ()
    padded = f"  {word} "
    choices = {
        frozenset(padded[at : at + 3] for at in range(len(padded) - 2) if at + 3 <= place + 2 or at >= place + 4)
        for place in range(len(word))
    }
    # A choice that asks for all that another asks for, and more, finds nothing more.
    least = [one for one in choices if not any(other < one for other in choices)]
    return tuple(sorted(tuple(sorted(one)) for one in least))


def is_near(typed: str, word: str) -> bool:
    """Whether one mistake at most lies between what was typed and a word."""
    if typed == word:
        return True
    if abs(len(typed) - len(word)) > 1:
        return False
    start = 0
    while start < min(len(typed), len(word)) and typed[start] == word[start]:
        start += 1
    rest, other = typed[start:], word[start:]
    exchanged = len(rest) >= 2 and len(rest) == len(other) and rest[:2] == other[1::-1] and rest[2:] == other[2:]
    return exchanged or rest[1:] == other[1:] or rest[1:] == other or rest == other[1:]
