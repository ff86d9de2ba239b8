"""The communes of France: whether a town is one, at its postcode; it tells a French address from one abroad.

`communes.txt.gz` holds every pair of a postcode and an official name, and by department the other names that are
written there. Source: Insee (Code officiel géographique) and DGFiP (FIMOCT), Licence Ouverte 2.0; its first lines
say so. A town that it does not hold is not refused for that alone: codes CEDEX, hamlets and old names are many.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path

from loan_reminders.domain.recipients.postal_words import fold

_FILE = Path(__file__).with_name("communes.txt.gz")
_ORDINAL = re.compile(r"\d+(?:E|ER|ERE|EME)?|ARRONDISSEMENT|ARRDT|ARR")
_LINKS = frozenset({"LE", "LA", "LES", "L", "DE", "DU", "DES", "D", "ET", "EN", "A", "AU", "AUX", "LEZ", "SUR", "S"})
_LONG_FORMS = {"ST": "SAINT", "STE": "SAINTE", "STS": "SAINTS", "STES": "SAINTES", "S": "SUR"}


@cache
def _table() -> Mapping[str, str]:
    """Names as they are in the file, by postcode or by `=` and a department."""
    text = gzip.decompress(_FILE.read_bytes()).decode()
    parted = (line.partition("|") for line in text.splitlines() if not line.startswith("#"))
    return {code: names for code, _, names in parted}


def official_pairs() -> Iterator[tuple[str, str]]:
    """Every postcode with each of its communes, as officially spelt: `("97200", "Fort-de-France")`."""
    for code, names in _table().items():
        if not code.startswith("="):
            for name in names.split("|"):
                yield code, name


@lru_cache(maxsize=65536)
def _key(town: str) -> str:
    """A folded town without what people write in several ways: links, short forms, the number of a district."""
    words = [_LONG_FORMS.get(word, word) for word in town.partition(" CEDEX")[0].split()]
    return "".join(word for word in words if word not in _LINKS and not _ORDINAL.fullmatch(word)) or "".join(words)


@lru_cache(maxsize=8192)
def _at(code: str) -> frozenset[str]:
    return frozenset(_key(fold(name)) for name in _table().get(code, "").split("|") if name)


@cache
def _in_department(department: str) -> frozenset[str]:
    around = (code for code in _table() if code.startswith((department, f"={department}")))
    return frozenset().union(*map(_at, around))


def is_commune(code: str, town: str) -> bool:
    """Whether a folded town is a commune of this postcode, as people write it (`ST OUEN`, `LYON 3EME`)."""
    return bool(town) and _key(town) in _at(code)


def is_known_town(code: str, town: str) -> bool:
    """Whether a folded town is one of this postcode, or of its department (as with a code CEDEX)."""
    if not town:
        return False
    key = _key(town)
    return key in _at(code) or key in _in_department(code[:3] if code.startswith(("97", "98")) else code[:2])


def is_postcode(code: str) -> bool:
    """Whether a commune has this postcode; codes CEDEX are not among them."""
    return code in _table()


__all__ = ["is_commune", "is_known_town", "is_postcode", "official_pairs"]
