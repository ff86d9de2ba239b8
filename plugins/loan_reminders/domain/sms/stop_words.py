"""Does a reader's answer ask us to stop?"""

from __future__ import annotations

import re
import unicodedata

_STOP = re.compile(r"stop(?:p|s|sms|\d{5})?")
_POLITE = frozenset(
    {"bonjour", "bonsoir", "salut", "hello", "coucou", "madame", "monsieur", "mme", "mr", "svp", "stp", "merci"}
    | {"please", "ok", "oui", "s", "il", "vous", "te", "plait"}
)
"""Words that may stand before STOP and change nothing."""


def is_stop(text: str) -> bool:
    """Whether an answer is a STOP: its first word, greetings aside, is STOP, however it is written.

    Accents, case, punctuation and letters set apart (`S T O P`, `s.t.o.p.`) do not count. A STOP further in the
    sentence is none: `ne plus STOP` or `pourquoi STOP ?` are for a person to read.
    """
    return bool(_STOP.fullmatch(_first_word(text)))


def _first_word(text: str) -> str:
    plain = "".join(mark for mark in unicodedata.normalize("NFKD", text) if not unicodedata.combining(mark))
    words = re.findall(r"[^\W_]+", plain.lower())
    while words and words[0] in _POLITE and words[:4] != ["s", "t", "o", "p"]:
        words.pop(0)
    if words[:4] == ["s", "t", "o", "p"] and (len(words) == 4 or len(words[4]) > 1):
        return "stop"
    return words[0] if words else ""
