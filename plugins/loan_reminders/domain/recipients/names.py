"""A reader's name on an envelope: as it is, with short civilities, with initials for the given names."""

from __future__ import annotations

import re

from loan_reminders.domain.recipients.postal_words import CIVILITIES, fold

_CIVILITY_WORDS = {"MONSIEUR": "M", "MADAME": "MME", "MADEMOISELLE": "MLLE", "DOCTEUR": "DR", "PROFESSEUR": "PR"}
_CIVILITY = re.compile(r"\b(?:" + "|".join(_CIVILITY_WORDS) + r")\b")


def name_forms(name: str, given: str = "") -> tuple[str, ...]:
    """A name in capitals, the longest form first: `DUPONT, Élise` gives `ELISE DUPONT` and `E DUPONT`.

    `given` are the given names at its start; when they are not known, they are what stands before a family name in
    capitals, else the first word.
    """
    last, comma, first = name.partition(",")
    if comma and "," not in first:
        name, given = f"{first} {last}", given or first
    words = fold(name).split()
    number = _given_words(name, fold(given).split(), words)
    start = next((index for index, word in enumerate(words) if word not in CIVILITIES and word != "LE"), 0)
    if not fold(given):
        number = max(number, start + 1)
    short = [word if word in CIVILITIES else word[0] for word in words[:number]] + words[number:]
    forms = (" ".join(words), _shorter(words), _shorter(short) if number < len(words) else _shorter(words))
    return tuple(dict.fromkeys(forms))


def _shorter(words: list[str]) -> str:
    return _CIVILITY.sub(lambda found: _CIVILITY_WORDS[found.group()], " ".join(words))


def _given_words(name: str, given: list[str], words: list[str]) -> int:
    """How many of the words are given names."""
    if given:
        return len(given) if words[: len(given)] == given else 1
    raw = name.split()
    for index, word in enumerate(raw):
        if len(word) > 1 and word.isupper() and not raw[0].isupper():
            return len(fold(" ".join(raw[:index])).split())
    return 1
