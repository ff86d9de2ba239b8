"""What an SMS can say and what it costs: the GSM 03.38 alphabet, segments, and the sender's name.

A text of GSM 03.38 characters costs one segment up to 160 septets, then one per 153 (3GPP TS 23.038 and 23.040).
A single other character (ê, ç, « …) would turn the whole text into UCS-2, 70 characters a segment: three times
the price. So every text passes through `to_gsm` before it is counted or sent.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

ALPHABET = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The default alphabet of GSM 03.38: one septet each. Small ç is not in it, capital Ç is."""

ESCAPED = frozenset("\f^{}\\[~]|€")
"""The extension table: an escape and a character, two septets that are never parted."""

ONE_SEGMENT = 160
SEVERAL_SEGMENTS = 153

_FRENCH = str.maketrans(
    {
        "“": '"', "”": '"', "„": '"', "‟": '"', "″": '"', "‹": "'", "›": "'",
        "’": "'", "‘": "'", "‚": "'", "‛": "'", "′": "'", "´": "'", "`": "'", "ʼ": "'",
        "…": "...", "–": "-", "—": "-", "‐": "-", "‑": "-", "‒": "-", "―": "-", "−": "-", "•": "-", "·": ".",
        "œ": "oe", "Œ": "OE", "°": "o", "º": "o", "ª": "a", "×": "x", "÷": "/", "⁄": "/", "©": "(c)", "®": "(r)",
        "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "ħ": "h", "Ħ": "H", "ı": "i",
        "þ": "th", "Þ": "Th", "ŧ": "t", "Ŧ": "T", "ẞ": "SS", "\t": " ", "\f": " ", "\r": "\n",
        "\u2028": "\n", "\u2029": "\n",
    }
)  # fmt: skip
_GUILLEMETS = re.compile(r"«\s?|\s?»")
_SENDER = re.compile(r"[A-Za-z][A-Za-z0-9 ]{1,9}[A-Za-z0-9]")


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRules:
    """What each SMS of the library keeps to: the most segments it may cost, and the words that say how to stop them."""

    max_segments: int
    opt_out_mention: str


def to_gsm(text: str) -> str:
    """The same text in GSM 03.38 characters, so that it stays readable and costs as little as it can.

    Characters of the alphabet stay (é, è, à, ù, É among them); French typography becomes its plain form (guillemets
    without their inner spaces, apostrophes, dashes, ligatures, no-break spaces); other accents fall; control
    characters become spaces; marks, emoji and invisible characters go; a letter of another script becomes `?`.
    """
    unpadded = _GUILLEMETS.sub('"', text.replace("\r\n", "\n"))
    composed = unicodedata.normalize("NFC", unpadded).translate(_FRENCH)
    if ALPHABET.issuperset(composed):
        return composed
    return "".join(
        character if character in ALPHABET or character in ESCAPED else _nearest(character) for character in composed
    )


def _nearest(character: str) -> str:
    category = unicodedata.category(character)
    if category in {"Cc", "Zs"}:
        return " "
    plain = unicodedata.normalize("NFKD", character).translate(_FRENCH)
    kept = "".join(part for part in plain if part in ALPHABET or part in ESCAPED)
    if kept.strip():
        return kept
    return "?" if category[0] in "LNSP" and category not in {"So", "Sk"} else ""


def septets(text: str) -> int:
    """How many septets a GSM 03.38 text takes. Raises ValueError on a character outside the alphabet."""
    return len(text) if ALPHABET.issuperset(text) else sum(map(_width, text))


def segments(text: str) -> int:
    """How many segments a GSM 03.38 text is sent, and paid, as; none when it is empty. Raises ValueError as above."""
    if septets(text) <= ONE_SEGMENT:
        return 1 if text else 0
    widths = [_width(character) for character in text]
    count, used = 1, 0
    for width in widths:
        if used + width > SEVERAL_SEGMENTS:
            count, used = count + 1, 0
        used += width
    return count


def _width(character: str) -> int:
    if character in ALPHABET:
        return 1
    if character in ESCAPED:
        return 2
    raise ValueError(f"U+{ord(character):04X} is not in the GSM 03.38 alphabet")


@dataclass(frozen=True, slots=True, kw_only=True)
class DearCharacter:
    """A character of a text that costs more than one septet, and how often it is there.

    `becomes` is what is sent in its place; None for one of the extension table, which is sent as it is for two septets.
    """

    character: str
    times: int
    becomes: str | None


def dear_characters(text: str) -> tuple[DearCharacter, ...]:
    """The characters that make a text dear, in their order.

    One outside GSM 03.38 would turn the whole text into UCS-2, at three times the price, if `to_gsm` did not write it
    otherwise.
    """
    found = dict.fromkeys(one for one in text if one not in ALPHABET)
    return tuple(
        DearCharacter(character=one, times=text.count(one), becomes=None if one in ESCAPED else to_gsm(one))
        for one in found
    )


def check_sender(tpoa: str) -> None:
    """Check a sender's name (TPOA) against the rule of allmysms; raises ValueError saying in French what is allowed."""
    if not _SENDER.fullmatch(tpoa):
        raise ValueError("il faut 3 à 11 lettres sans accent, chiffres ou espaces, en commençant par une lettre")
