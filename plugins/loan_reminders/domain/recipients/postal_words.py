"""Words of French addresses: characters a sorting machine reads, abbreviations, and what is written for want of one."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_SPECIAL = {
    "Œ": "OE", "œ": "OE", "Æ": "AE", "æ": "AE", "ß": "SS", "ẞ": "SS", "Ø": "O", "ø": "O", "Ð": "D", "ð": "D",
    "Đ": "D", "đ": "D", "Ł": "L", "ł": "L", "Þ": "TH", "þ": "TH", "ı": "I", "Ħ": "H", "ħ": "H", "Ŋ": "N", "ŋ": "N",
    "Ə": "E", "ə": "E", "&": " ET ", "°": " ", "№": "N ", "º": " ",
}  # fmt: skip


def _folded(character: str) -> str:
    """One character as capitals a sorting machine reads; a letter of another script stays itself."""
    if character in _SPECIAL:
        return _SPECIAL[character]
    category = unicodedata.category(character)
    if category == "Cf" or "̀" <= character <= "ͯ":
        return ""
    plain = "".join(c for c in unicodedata.normalize("NFKD", character) if not "̀" <= c <= "ͯ")
    if plain.isascii():
        return plain.upper() if plain.isalnum() else " "
    if character.isalnum() or category in {"Mn", "Mc"}:
        return character.upper()
    return " "


class _Fold(dict[int, str]):
    """A table for `str.translate` that works each character out once; `kept` characters stay."""

    def __init__(self, kept: str = "") -> None:
        super().__init__({ord(character): character for character in kept})

    def __missing__(self, code: int) -> str:
        result = self[code] = _folded(chr(code))
        return result


_FOLD = _Fold()
_FOLD_ABROAD = _Fold(kept="-/")


@lru_cache(maxsize=4096)
def fold(text: str, *, abroad: bool = False) -> str:
    """Capitals, digits and single spaces: no accent, no punctuation (abroad, `-` and `/` have a meaning and stay)."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    return " ".join(text.translate(_FOLD_ABROAD if abroad else _FOLD).split())


_ABBREVIATIONS = {
    "ALLEE": "ALL", "ALLEES": "ALL", "AVENUE": "AV", "BOULEVARD": "BD", "CARREFOUR": "CAR", "CHEMIN": "CHE",
    "COURS": "CRS", "DOMAINE": "DOM", "ESPLANADE": "ESP", "FAUBOURG": "FG", "GRANDE RUE": "GR", "HAMEAU": "HAM",
    "IMPASSE": "IMP", "LOTISSEMENT": "LOT", "MONTEE": "MTE", "PASSAGE": "PAS", "PLACE": "PL", "PROMENADE": "PROM",
    "QUARTIER": "QUA", "RESIDENCE": "RES", "ROND POINT": "RPT", "ROUTE": "RTE", "SENTIER": "SEN", "SQUARE": "SQ",
    "TRAVERSE": "TRA", "VILLAGE": "VLGE", "LIEU DIT": "LD", "ZONE INDUSTRIELLE": "ZI", "ZONE ARTISANALE": "ZA",
    "ZONE D ACTIVITES": "ZA", "ZONE D ACTIVITE": "ZA", "ZONE D AMENAGEMENT CONCERTE": "ZAC",
    "CENTRE COMMERCIAL": "CCAL",
    "APPARTEMENT": "APT", "BATIMENT": "BAT", "CHAMBRE": "CHB", "ESCALIER": "ESC", "ETAGE": "ETG", "IMMEUBLE": "IMM",
    "LOGEMENT": "LOG", "PAVILLON": "PAV", "ENTREE": "ENT", "CENTRE": "CTRE", "UNIVERSITE": "UNIV",
    "UNIVERSITAIRE": "UNIV", "INTERNATIONALE": "INTERN", "INTERNATIONAL": "INTERN", "NATIONALE": "NAL",
    "NATIONAL": "NAL", "GENERAL": "GAL", "MARECHAL": "MAL", "COMMANDANT": "CDT", "CAPITAINE": "CNE", "LIEUTENANT": "LT",
    "COLONEL": "COL", "SERGENT": "SGT", "AMIRAL": "AML", "DOCTEUR": "DR", "PROFESSEUR": "PR", "PRESIDENT": "PDT",
    "INGENIEUR": "ING", "SAINT": "ST", "SAINTE": "STE", "SAINTS": "STS", "SAINTES": "STES", "NOTRE DAME": "ND",
    "MONSIEUR": "M", "MADAME": "MME", "MADEMOISELLE": "MLLE", "ANCIENS COMBATTANTS": "ANC COMBATTANTS",
    "SOUS LIEUTENANT": "SLT", "GRAND": "GD", "GRANDE": "GDE", "PETIT": "PT", "PETITE": "PTE", "ANCIEN": "ANC",
    "ANCIENNE": "ANC", "INFERIEUR": "INF", "INFERIEURE": "INF", "SUPERIEUR": "SUP", "SUPERIEURE": "SUP",
}  # fmt: skip
_LONG_WORD = re.compile(r"\b(" + "|".join(sorted(_ABBREVIATIONS, key=len, reverse=True)) + r")\b")
_LINK = re.compile(r" (?:DE LA|DE L|DES|DU|DE|D|LES|LE|LA|L|EN|ET|AUX|AU|A|LEZ)(?= )")


def abbreviate(line: str) -> str:
    """A folded line with the usual short forms of its long words (`AVENUE DU GENERAL` → `AV DU GAL`)."""
    return _LONG_WORD.sub(lambda found: _ABBREVIATIONS[found.group(1)], line)


def shorten(line: str, length: int) -> str:
    """A folded line no longer than `length` if its short forms allow it, its links left out only where they must be.

    The order is La Poste's for labels (NF Z10-011): kinds of streets and titles first, then articles and links from
    the left; the last word, which tells one street from another, is never touched.
    """
    if len(line) <= length:
        return line
    line = abbreviate(line)
    while len(line) > length:
        shorter = _LINK.sub("", line, count=1)
        if shorter == line:
            break
        line = shorter
    return line


CIVILITIES = frozenset({
    "M", "MR", "MME", "MLLE", "MONSIEUR", "MADAME", "MADEMOISELLE", "DR", "DOCTEUR", "PR", "PROFESSEUR", "ME", "MAITRE",
})  # fmt: skip

PLACEHOLDERS = frozenset({
    "X", "XX", "XXX", "XXXX", "XXXXX", "0", "00", "000", "0000", "00000", "99999", "NC", "N C", "NR", "N A", "NA",
    "RAS", "NEANT", "AUCUN", "AUCUNE", "INCONNU", "INCONNUE", "ADRESSE INCONNUE", "ADRESSE NON CONNUE", "PAS D ADRESSE",
    "SANS ADRESSE", "SANS", "A COMPLETER", "A RENSEIGNER", "A PRECISER", "NON RENSEIGNE", "NON RENSEIGNEE",
    "NON COMMUNIQUE", "NON COMMUNIQUEE", "NULL", "NONE", "VIDE", "TEST", "ADRESSE", "RUE", "VILLE", "ADRESSE TEST",
    "UNKNOWN", "SO", "SANS OBJET",
})  # fmt: skip
"""Whole lines that stand for "nothing is known"."""

GONE_AWAY = re.compile(r"\b(?:NPAI|N P A I|PND|N HABITE PAS A L ADRESSE|PARTI SANS LAISSER)\b")
"""Mail already came back from this address."""

HOMELESS = re.compile(r"^(?:S D F|SDF)\b|\bSANS DOMICILE\b|\bSANS ADRESSE FIXE\b|\bSDF$")

_BOX = re.compile(r"\b(?:B P|BOITE POSTALE|C S|T S A) ?(?=\d)")
_BOX_SHORT = {"B": "BP ", "C": "CS ", "T": "TSA "}
BOX_LINE = re.compile(r"(?:BP|CS|TSA) ?\d[\d ]*$")


def with_boxes(line: str) -> str:
    """`B P 12`, `BOITE POSTALE 12` → `BP 12`; likewise CS (course spéciale) and TSA."""
    return _BOX.sub(lambda found: _BOX_SHORT[found.group()[0]], line)
