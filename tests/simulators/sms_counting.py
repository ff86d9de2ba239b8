"""How allmysms counts: written apart from the product's own counting, so that each checks the other."""

from __future__ import annotations

_BASIC = (
    "\n\r !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
    "\u00a1\u00a3\u00a4\u00a5\u00a7\u00bf\u00c4\u00c5\u00c6\u00c7\u00c9\u00d1\u00d6\u00d8\u00dc\u00df\u00e0\u00e4\u00e5"
    "\u00e6\u00e8\u00e9\u00ec\u00f1\u00f2\u00f6\u00f8\u00f9\u00fc\u0393\u0394\u0398\u039b\u039e\u03a0\u03a3\u03a6\u03a8\u03a9"
)
_DOUBLE = "\u000c[\\]^{|}~\u20ac"


def count(text: str) -> tuple[str, int]:
    """The encoding (`GSM` or `UCS2`) and the number of SMS."""
    if all(character in _BASIC or character in _DOUBLE for character in text):
        encoding, alone, chained = "GSM", 160, 153
        units = [2 if character in _DOUBLE else 1 for character in text]
    else:
        encoding, alone, chained = "UCS2", 70, 67
        units = [2 if ord(character) > 0xFFFF else 1 for character in text]
    if sum(units) <= alone:
        return encoding, 1
    parts, room = 1, chained
    for unit in units:
        if unit > room:
            parts, room = parts + 1, chained
        room -= unit
    return encoding, parts
