"""How a phone network cuts a text, done on its octets: a test oracle that shares nothing with the program's counting.

The alphabet is that of the package `gsm0338`. The cut is 3GPP TS 23.040, 9.2.3.24.1: 160 septets alone, else 153 a
part, and an escape is not parted from the character it announces (TS 23.038, 6.1.2.1.1).
"""

from __future__ import annotations

from functools import cache

import gsm0338

ALONE, OF_SEVERAL = 160, 153
ESCAPE = b"\x1b"
_CODEC = gsm0338.Codec()


@cache
def _octets(character: str) -> bytes:
    return bytes(_CODEC.encode(character)[0])


def octets(text: str) -> bytes:
    """The text, one octet a septet. Raises UnicodeEncodeError on a character outside GSM 03.38."""
    return b"".join(map(_octets, text))


def parts(text: str) -> list[bytes]:
    """The octets of each SMS that the text is sent in."""
    whole, cut = octets(text), []
    if len(whole) <= ALONE:
        return [whole]
    while whole:
        end = OF_SEVERAL - whole.startswith(ESCAPE, OF_SEVERAL - 1)
        cut.append(whole[:end])
        whole = whole[end:]
    return cut
