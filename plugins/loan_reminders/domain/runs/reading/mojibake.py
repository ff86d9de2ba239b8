"""Texts that a database holds in the wrong encoding: repaired when that is certain, else left as they are.

Two accidents are known: UTF-8 that was read as Latin-1 or Windows-1252 (`Ã©` for `é`), once or several times, and
Latin-1 or Windows-1252 bytes in a column of UTF-8. ftfy says what a text was; it is believed only when its steps can be
walked back to the very text that came, and when the result is made of letters and signs of European languages.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ftfy import TextFixerConfig

LOST = "\ufffd"
"""What stands for a sign that was lost before it came to us: nobody can repair it."""

_LEAD = "\u00c2-\u00f4"
_NEXT = "\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
_SUSPECT = re.compile(f"[{_LEAD}][{_NEXT}]|[\u0080-\u009f]")
_NON_FILING = "\x88\x89\x98\x9c"
"""Marks around words that a catalogue does not sort by: controls, but meant (UNIMARC, MARC 21)."""

_PAIR = re.compile("\x88[^\x89]*\x89|\x98[^\x9c]*\x9c")
_BETWEEN_MARKS = re.compile(f"(Â[{_NON_FILING}]|(?<![{_LEAD}])[{_NON_FILING}])")
_ENCODINGS = frozenset({"latin-1", "windows-1252", "sloppy-windows-1252"})
_SIGNS = frozenset("«»‹›‘’‚“”„–—…•€°ºª·§©®™¡¿²³¹¼½¾×÷±µ£ß\u00a0\u202f\u00ad")
_CAPITALS_THEN_SMALL = re.compile(r"[A-ZÀ-ÖØ-Þ]{2}[à-öø-ÿ]")
_LONGEST = 4000


def is_suspect(text: str) -> bool:
    """Whether a text may be in the wrong encoding: quick, and true of some that are right."""
    return not text.isascii() and _SUSPECT.search(text) is not None


def repaired(text: str) -> str:
    """The text as it was meant, or the text itself where that is not certain."""
    if len(text) > _LONGEST or not is_suspect(text):
        return text
    whole = _repaired(text)
    if whole != text or not _BETWEEN_MARKS.search(text):
        return whole
    pieces = _BETWEEN_MARKS.split(text)
    return "".join(piece[-1] if place % 2 else _repaired(piece) for place, piece in enumerate(pieces))


def text_of(raw: bytes) -> tuple[str, bool] | None:
    """The text of bytes, and whether it had to be repaired; None when they are no text.

    UTF-8 as they should be, else Windows-1252, of which Latin-1 is a part: UTF-8 is never valid by chance.
    """
    raw = raw.rstrip(b"\x00")
    try:
        text, mended = raw.decode("utf-8"), False
    except UnicodeDecodeError:
        try:
            text, mended = raw.decode("windows-1252"), True
        except UnicodeDecodeError:
            return None
    spaced = text.replace("\t", " ").replace("\n", " ").replace("\r", " ")
    allowed = (_plausible(spaced, among=spaced) if mended else True) and not _controls(spaced)
    return (text, mended) if allowed else None


def _repaired(text: str) -> str:
    if not is_suspect(text):
        return text
    from ftfy import fix_encoding_and_explain

    found = fix_encoding_and_explain(text, _encoding_alone())
    steps = [(step.action, step.parameter) for step in found.explanation or ()]
    if not steps or found.text == text or not _walks_back(found.text, steps, text):
        return text
    new = [sign for sign in found.text if not sign.isascii()]
    if _controls(found.text) or not _plausible(new, among=found.text):
        return text
    return found.text


def _walks_back(result: str, steps: list[tuple[str, str]], text: str) -> bool:
    """Whether the steps undone one after the other give the very text, and are those of the accidents that are known.

    Signs of Windows-1252 that came as controls are no accident where the controls are marks of the catalogue, in pairs.
    """
    if len(steps) % 2:
        return False
    for place in range(len(steps) - 2, -1, -2):
        (encode, was), (decode, meant) = steps[place], steps[place + 1]
        if (encode, decode) != ("encode", "decode") or was not in _ENCODINGS or meant not in ("utf-8", "windows-1252"):
            return False
        if meant == "windows-1252" and _PAIR.search(text):
            return False
        try:
            result = result.encode(meant).decode(was)
        except UnicodeError:
            return False
    return result == text


def _controls(text: str) -> bool:
    return any((sign < " " or "\x7f" <= sign <= "\x9f") and sign not in _NON_FILING for sign in text) or LOST in text


def _plausible(new: str | list[str], *, among: str) -> bool:
    """Whether these signs are of European languages, and no small letter follows two capitals."""
    if _CAPITALS_THEN_SMALL.search(among):
        return False
    return all(
        sign.isascii() or sign in _SIGNS or sign in _NON_FILING or (sign <= "\u024f" and sign.isalpha())
        or unicodedata.combining(sign) or "\u0370" <= sign <= "\u03ff" or "\u0400" <= sign <= "\u045f"
        for sign in new
    )  # fmt: skip


@cache
def _encoding_alone() -> TextFixerConfig:
    """Of all that ftfy mends, the encoding: a text that is right but unusual is nobody's to change."""
    from ftfy import TextFixerConfig

    return TextFixerConfig(
        unescape_html=False,
        remove_terminal_escapes=False,
        fix_encoding=True,
        restore_byte_a0=False,
        replace_lossy_sequences=False,
        decode_inconsistent_utf8=False,
        fix_c1_controls=False,
        fix_latin_ligatures=False,
        fix_character_width=False,
        uncurl_quotes=False,
        fix_line_breaks=False,
        fix_surrogates=False,
        remove_control_chars=False,
        normalization=None,
        explain=True,
    )
