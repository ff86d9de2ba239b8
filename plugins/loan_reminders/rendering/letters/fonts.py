"""The fonts of the letters: which families they are, and which characters they can draw."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from loan_reminders.domain.errors import SettingsError
from loan_reminders.places import PACKAGE

FONTS_FOLDER = PACKAGE / "rendering" / "fonts"
"""The fonts delivered with the project; see the README beside them."""

UNDRAWABLE = "\ufffd"
"""What stands for a character that no font holds: a reader sees that something is missing."""

_PRIVATE_USE = frozenset(range(0xE000, 0xF900))
"""What fonts draw here means nothing in text: PDF/A and PDF/UA refuse it."""

_NEVER_DRAWN = frozenset(map(ord, " \u200b\u200c\u200d"))


@dataclass(frozen=True, slots=True, kw_only=True)
class FontSet:
    """The families of a folder, in the order of its file names, and every character that one of them draws."""

    families: tuple[str, ...]
    characters: frozenset[int]

    @classmethod
    def of(cls, folder: Path) -> FontSet:
        """Read a folder of TrueType and OpenType files. Raises SettingsError when it has none that can be read."""
        return _read(folder)

    def missing(self, text: str) -> bool:
        """Whether the text has a character that would print as an empty box."""
        return not text.isascii() and not self.characters.issuperset(map(ord, text))

    def drawable(self, text: str) -> str:
        """The text with � for each character that no font holds; its plain form first (`Ḿ` with a second accent)."""
        if not self.missing(text):
            return text
        return "".join(
            character if ord(character) in self.characters else self._nearest(character) for character in text
        )

    def spelt(self, line: str) -> str:
        """An address line that the fonts hold: as it is, without its rare accents, or in Latin letters.

        Empty when nobody knows how to write it in Latin letters.
        """
        if not self.missing(line):
            return line
        from anyascii import anyascii

        plain = "".join(sign for sign in unicodedata.normalize("NFKD", line) if not unicodedata.combining(sign))
        if not self.missing(plain):
            return plain
        written = ""
        for sign in plain:
            latin = sign if not self.missing(sign) else anyascii(sign).upper()
            kind = unicodedata.category(sign)[0]
            if sign != latin and (kind not in "LMN" or (kind != "M" and not latin)):
                return ""
            written += latin
        return written

    def _nearest(self, character: str) -> str:
        plain = unicodedata.normalize("NFKD", character)
        if self.characters.issuperset(map(ord, plain)):
            return plain
        base = plain[0]
        if base != character and base.isalnum() and ord(base) in self.characters:
            return base
        return UNDRAWABLE if ord(UNDRAWABLE) in self.characters else "?"


@lru_cache(maxsize=8)
def _read(folder: Path) -> FontSet:
    from fontTools.ttLib import TTFont, TTLibError  # type: ignore[import-untyped]

    families: dict[str, None] = {}
    characters: set[int] = set(_NEVER_DRAWN)
    for path in sorted(folder.glob("*.[to]tf")):
        try:
            with path.open("rb") as file, TTFont(file, lazy=True) as font:
                family = font["name"].getBestFamilyName()
                characters.update(font.getBestCmap() or ())
        except (TTLibError, OSError, KeyError) as error:
            raise SettingsError(f"{path.name} : police illisible ({type(error).__name__})") from None
        families[str(family)] = None
    if not families:
        raise SettingsError(f"{folder.name} : aucune police .ttf ou .otf dans ce dossier")
    return FontSet(families=tuple(families), characters=frozenset(characters - _PRIVATE_USE))
