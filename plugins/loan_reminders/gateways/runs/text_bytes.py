"""Text that a database hands over as bytes: a BLOB, an Oracle RAW, anything of a PostgreSQL without an encoding."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from loan_reminders.french.plurals import many

log = logging.getLogger(__name__)

_BYTE_AS_LATIN_1 = {0xDC00 + byte: byte for byte in range(0x80, 0x100)}
_LONGEST_CHARACTER = 4
_ESCAPED = range(0xDC80, 0xDD00)


@dataclass(slots=True)
class TextReader:
    """Reads bytes as UTF-8, and what is not UTF-8 as Latin-1 (ISO 8859-1); counts the texts where that was needed.

    Latin-1 has a sign for every byte, so nothing is refused and nothing lost: whatever else it was can still be told
    from the text. A character that was cut in two at the end of a text, by a column that counts bytes, becomes U+FFFD.
    """

    not_utf_8: int = 0

    def __call__(self, data: bytes) -> str:
        """The text of these bytes."""
        try:
            return data.decode()
        except UnicodeDecodeError:
            self.not_utf_8 += 1
            return _mixed(data)

    def rows(self, rows: Sequence[Sequence[Any]]) -> Sequence[Sequence[Any]]:
        """The same rows without bytes."""
        return [
            tuple(self(value) if type(value) is bytes else value for value in row) if bytes in map(type, row) else row
            for row in rows
        ]

    def tell(self) -> None:
        """Log how many texts were not UTF-8, if any."""
        if self.not_utf_8:
            texts = many(
                self.not_utf_8, "texte du SIGB n'est pas en UTF-8 : lu", "textes du SIGB ne sont pas en UTF-8 : lus"
            )
            log.warning("%s comme du Latin-1 (ISO 8859-1)", texts)


def _mixed(data: bytes) -> str:
    text = data.decode("utf-8", "surrogateescape")
    tail = next((place for place in range(len(text), 0, -1) if ord(text[place - 1]) not in _ESCAPED), 0)
    whole, rest = text[:tail], text[tail:]
    cut = 0 < len(rest) < _LONGEST_CHARACTER and _is_utf_8(whole) and not whole.isascii()
    return f"{whole}\ufffd" if cut else text.translate(_BYTE_AS_LATIN_1)


def _is_utf_8(text: str) -> bool:
    return not any(ord(sign) in _ESCAPED for sign in text)
