"""Encoded words of mail headers (RFC 2047) and texts of MIME parts, decoded whether well formed or not.

The standard library stops at the first malformed word, and decodes by whatever codec a stranger names: some take time
that grows with the square of the text. Here a word that cannot be read stays as it is, and only character sets that
mail programs use are known.
"""

from __future__ import annotations

import binascii
import re

HEADER_LIMIT = 4_000
_WORD = re.compile(r"=\?([\w.:-]{1,40})(?:\*[\w-]{0,20})?\?([bBqQ])\?([^?\s]{0,2000})\?=")
_BETWEEN_WORDS = re.compile(r"(?<=\?=)[ \t\r\n]{1,80}(?==\?[\w.:-]{1,40}(?:\*[\w-]{0,20})?\?[bBqQ]\?)")
CHARSETS = {
    **dict.fromkeys(("utf-8", "utf8", "unicode-1-1-utf-8"), "utf-8"),
    **dict.fromkeys(("us-ascii", "ascii", "ansi_x3.4-1968"), "utf-8"),
    **dict.fromkeys(("iso-8859-1", "iso8859-1", "latin1", "latin-1", "windows-1252", "cp1252", "ansi"), "cp1252"),
    **dict.fromkeys(("iso-8859-15", "iso8859-15", "latin9", "latin-9"), "iso8859-15"),
    **{f"iso-8859-{number}": f"iso8859-{number}" for number in (2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 16)},
    **{f"windows-125{number}": f"cp125{number}" for number in (0, 1, 3, 4, 5, 6, 7, 8)},
    **{
        name: name for name in ("koi8-r", "koi8-u", "gb2312", "gbk", "gb18030", "big5", "euc-jp", "euc-kr", "shift_jis")
    },
    "iso-2022-jp": "iso2022_jp",
    "macintosh": "mac_roman",
}
"""The character sets that are decoded, and the standard library's name for each."""


def decoded_header(header: str) -> str:
    """A header as the parser holds it, on one line, its encoded words read; a malformed one stays as it is."""
    text = str(header)[:HEADER_LIMIT]
    if not text.isascii():
        text = decoded_text(text.encode("utf-8", "surrogateescape"), "")
    return " ".join(_WORD.sub(_decoded, _BETWEEN_WORDS.sub("", text)).split())


def decoded_text(content: bytes, charset: str) -> str:
    """Bytes as text: by the character set named when it is a usual one, else by the likeliest."""
    for name in (CHARSETS.get(charset.strip().lower(), "utf-8"), "utf-8"):
        try:
            return content.decode(name)
        except UnicodeError:
            continue
    return content.decode("latin-1")


def _decoded(word: re.Match[str]) -> str:
    charset, way, letters = word[1].lower(), word[2].lower(), word[3]
    if charset not in CHARSETS:
        return word[0]
    try:
        if way == "b":
            content = binascii.a2b_base64(letters + "=" * (-len(letters) % 4), strict_mode=False)
        else:
            content = binascii.a2b_qp(letters.encode("ascii", "replace"), header=True)
    except (binascii.Error, ValueError):
        return word[0]
    return decoded_text(content, charset)
