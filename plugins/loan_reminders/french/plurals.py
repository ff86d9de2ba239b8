"""How librarians read numbers, and what is counted: the one place that knows when a word takes its plural."""

from __future__ import annotations


def number_words(number: int) -> str:
    """`1 204`: thousands apart, on one line."""
    return f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def one_or_many(number: int, one: str, several: str) -> str:
    """The words alone, as a number asks for them; in French the plural begins at two: `0 lettre`."""
    return one if number < 2 else several


def many(number: int, one: str, several: str) -> str:
    """`1 lettre`, `4 lettres`, `1 204 lettres`."""
    return f"{number_words(number)} {one_or_many(number, one, several)}"
